// SPDX-License-Identifier: BSD-2-Clause
// Tells of faults. Inside drivers/vtd only; from the boot CPU's loop.
#pragma once

#include "drivers/vtd/unit.h"

// Starts counting from zero.
void fault_report_reset(void);

// Of one, as its record has it; enters what the driver knows of it.
void fault_report(struct vtd_unit *u, struct vtd_fault *f);

// That the unit had no record free for some.
void fault_report_lost(const struct vtd_unit *u);

// Of those that were too many to be told one by one, once that is due. Returns when it will be due; 0: nothing is
// owed.
uint64_t fault_report_owed(uint64_t now);
