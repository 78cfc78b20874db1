// SPDX-License-Identifier: BSD-2-Clause
// Inside the IRQ core: what irq_init() leaves for all of it.
#pragma once

#include "kernel/irq/irq.h"

void irq_set_config(const struct irq_config *config);

// What CPUs take over from now on, by irq_start_cpu().
void irq_change_config(enum irq_mode mode, unsigned loops);

// Modes in which SN is set while the CPU is awake, and its loop harvests.
static inline bool irq_loop_harvests(enum irq_mode mode)
{
    return mode == IRQ_ADAPTIVE || mode == IRQ_POLL;
}

// The handler of VT-d fault events, if there is one.
void irq_run_fault_handler(void);
