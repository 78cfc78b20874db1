// SPDX-License-Identifier: BSD-2-Clause
// Where ring 3 may be entered, and with which flags. Pure: runs on the host too.

#include "kernel/base/percpu.h"
#include "kernel/domain/ring.h"

// TF, NT, AC and DF are ring 3's own affair: each way out of it clears them.
#define RFLAGS_USER                                                                                \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID)
#define RFLAGS_FIXED BIT64(1)

bool ring_frame_clean(struct trap_frame *frame)
{
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = SELECTOR_USER_DATA;
    frame->rflags = (frame->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_FIXED;
    return frame->rip < RING_END;
}
