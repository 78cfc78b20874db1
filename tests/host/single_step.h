// SPDX-License-Identifier: BSD-2-Clause
// Runs code one instruction at a time, by the CPU's trap flag, with a call between any two of them:
// what another CPU or a device may do or see at each such moment, found in one run and without luck.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <ucontext.h>

#define TRAP_FLAG (1ll << 8)

static bool (*single_step_call)(void); // false: the rest runs at full speed

static void single_step_trap(int number, siginfo_t *info, void *context)
{
    ucontext_t *at = context;
    if (!single_step_call || !single_step_call())
        at->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static inline void single_step_start(bool (*call)(void))
{
    struct sigaction action = { .sa_sigaction = single_step_trap, .sa_flags = SA_SIGINFO };
    if (sigaction(SIGTRAP, &action, NULL))
        abort();
    single_step_call = call;
    // Past the red zone, which belongs to the function around this.
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq;"
                     "lea 128(%%rsp), %%rsp" ::
                         : "cc", "memory");
}

static inline void single_step_stop(void)
{
    single_step_call = NULL;
}
