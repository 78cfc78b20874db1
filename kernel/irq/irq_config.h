// SPDX-License-Identifier: BSD-2-Clause
// Inside the IRQ core: what irq_init() leaves for all of it.
#pragma once

#include "kernel/irq/irq.h"

void irq_set_config(const struct irq_config *config);

// The handler of VT-d fault events, if there is one.
void irq_run_fault_handler(void);
