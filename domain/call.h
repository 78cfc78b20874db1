// SPDX-License-Identifier: BSD-2-Clause
// A call to the kernel, and what it has told at the start.
#pragma once

#include "kernel/domain/abi.h"

#ifdef ONEBELL_HOST
int64_t domain_call(enum domain_call number, uint64_t a, uint64_t b, uint64_t c);
#else
// SYSCALL leaves its return address and the flags in RCX and R11 (SDM vol. 2).
static inline int64_t domain_call(enum domain_call number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((uint64_t)number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}
#endif

// Does not come back.
noreturn static inline void domain_exit(bool failed)
{
    for (;;)
        domain_call(DOMAIN_CALL_EXIT, failed, 0, 0);
}

#ifdef ONEBELL_HOST
const struct domain_info *domain_info(void); // a test's
#else
static inline const struct domain_info *domain_info(void)
{
    return (const struct domain_info *)DOMAIN_INFO;
}
#endif
