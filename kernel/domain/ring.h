// SPDX-License-Identifier: BSD-2-Clause
// Ring 3, entered as a hypervisor enters its guest: ring_enter() comes back with what ended the stay.
// The kernel's stack is the ordinary one throughout, and nothing nests.
#pragma once

#include "kernel/run/trap.h"

#define RING_CALL 256u // SYSCALL; anything less is a vector

// Boot CPU, once, before the others.
void ring_init(void);

// Prepares this CPU, which may have been prepared before. From its loop.
void ring_init_cpu(void);

// Back on the kernel's own tables: ring 3's may go. Owner CPU.
void ring_leave(void);

// Runs ring 3 as the frame says, on the tables at `cr3`, with its GS base at `gs`. The frame then says
// how it left. An RIP or a GS base that isn't in the lower half: ring 3 isn't entered, and that counts
// as its general protection fault. After a page fault, CR2 has the address. Owner CPU, interrupts
// off; the frame is aligned to 16 bytes, since the CPU pushes straight into it.
unsigned ring_enter(struct trap_frame *frame, uint64_t cr3, uint64_t gs);

// After an interrupt of that vector ended the stay: what its ordinary entry would do. Interrupts off.
void ring_take(unsigned vector);

// Makes a frame one that IRETQ takes ring 3 to, with no more than ring 3 may have; false: there is
// none. Pure.
bool ring_frame_clean(struct trap_frame *frame);
