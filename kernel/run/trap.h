// SPDX-License-Identifier: BSD-2-Clause
// Exceptions, all of which but NMIs end the run, and panics.
#pragma once

#include "lib/types.h"

// What isr.asm pushes for an exception, in order of address.
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(struct trap_frame) == 22 * 8, "isr.asm");

// From isr.asm; comes back after an NMI, and where msr_read() found no MSR.
void trap_handle(struct trap_frame *frame);

// A state that can't be: stops the other CPUs, prints the message and a backtrace, ends failed.
noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
