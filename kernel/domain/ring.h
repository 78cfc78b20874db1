// SPDX-License-Identifier: BSD-2-Clause
// Ring 3, entered as a hypervisor enters its guest: ring_enter() comes back with what ended the stay.
// The kernel's stack is the ordinary one throughout, and nothing nests.
#pragma once

#include "kernel/run/trap.h"
#include "lib/types.h"

#define RING_CALL 256u // SYSCALL; anything less is a vector

// Boot CPU, once, before the others.
void ring_init(void);

// Prepares this CPU, which may have been prepared before. From its loop.
void ring_init_cpu(void);

// Back on the kernel's own tables: ring 3's may go. Owner CPU.
void ring_leave(void);

// Runs ring 3 as the frame says, on the tables at `cr3`, with its GS base at `gs`. The frame then says
// how it left. An RIP or a GS base that isn't in the lower half: ring 3 isn't entered, and that counts
// as its general protection fault. Owner CPU, interrupts off; the frame is aligned to 16 bytes, since
// the CPU pushes straight into it.
unsigned ring_enter(struct trap_frame *frame, uint64_t cr3, uint64_t gs);

uint64_t ring_fault_address(void); // of its page fault: before the next one

#define RING_INTERRUPT 257u
// As ring_enter(), but from the CPU's loop, interrupts on: interrupts have been taken, and what they left to
// the loop is done, when it comes back with RING_INTERRUPT. The same where there was work already,
// and ring 3 wasn't entered. Messages find the CPU as if it slept; its posts are the loop's.
unsigned ring_run(struct trap_frame *frame, uint64_t cr3, uint64_t gs);
