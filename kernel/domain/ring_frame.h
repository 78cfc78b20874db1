// SPDX-License-Identifier: BSD-2-Clause
// Where ring 3 may be entered, and with which flags. Pure; inline, since each entry asks.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/run/trap.h"
#include "lib/bits.h"

#define RING_END BIT64(47) // of the lower half, canonical with four and with five levels of tables

// TF, NT, AC and DF are ring 3's own affair: each way out of it clears them.
#define RFLAGS_USER                                                                                \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID)
#define RFLAGS_FIXED BIT64(1)

// Makes a frame one that IRETQ takes ring 3 to, with no more than ring 3 may have; false: there is
// none.
static inline bool ring_frame_clean(struct trap_frame *frame)
{
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = SELECTOR_USER_DATA;
    frame->rflags = (frame->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_FIXED;
    return frame->rip < RING_END;
}
