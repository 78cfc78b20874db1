// SPDX-License-Identifier: BSD-2-Clause
// What tests of faults have in common. Faults are read here: the runtime's own look at them, which would
// take each for an error, comes from the boot CPU's loop, which doesn't run meanwhile.
#pragma once

#include "drivers/vtd/posting/check.h"

// Nothing is recorded, and the descriptor is empty and notifies the target.
void fault_prepare(struct rig *r);

// Something is recorded within RIG_WAIT_NS.
bool fault_wait(struct rig *r, struct verdict *v);

// The first fault recorded is this one, by the device, through this entry as far as the reason has one;
// FSTS says so; nothing arrived; and all of it can be cleared.
bool fault_expect(struct rig *r, unsigned reason, uint16_t index, struct verdict *v);

// The records that are in use.
size_t fault_count(const struct rig *r);
// The one that FSTS.FRI names, where PPF is set.
bool fault_first(const struct rig *r, struct vtd_fault *f);
