// SPDX-License-Identifier: BSD-2-Clause
// Writes cache lines back to memory, for devices that read it without snooping. Host tests see each
// flush, so that a model can hold on to what was never flushed.
#pragma once

#include "lib/types.h"

#ifdef ONEBELL_HOST

void cache_model_flush(const volatile void *at, size_t bytes);

static inline void cache_flush(const volatile void *at, size_t bytes)
{
    cache_model_flush(at, bytes);
}

#else

// CLFLUSH, not CLFLUSHOPT: every x86-64 CPU has it, and it is ordered after the stores to its own
// line (SDM vol. 2, CLFLUSH). The fence orders the flushes before what follows.
static inline void cache_flush(const volatile void *at, size_t bytes)
{
    uintptr_t end = (uintptr_t)at + bytes;
    for (uintptr_t line = ALIGN_DOWN((uintptr_t)at, CACHE_LINE); line < end; line += CACHE_LINE)
        __asm__ volatile("clflush %0" : "+m"(*(volatile uint8_t *)line));
    __asm__ volatile("mfence" ::: "memory");
}

#endif
