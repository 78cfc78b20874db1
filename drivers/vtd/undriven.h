// SPDX-License-Identifier: BSD-2-Clause
// What the fence does with functions that nobody drives. Inside drivers/vtd only.
#pragma once

#include "drivers/vtd/unit.h"

// Enters those behind the unit, whose root table is empty, into its contexts. With `rmrr`, those that firmware has
// reserved memory for keep that. "dma-reserved", "dma-domains": the unit can't do that.
bool vtd_undriven_settle(struct vtd_unit *u, bool rmrr, vtd_is_driven driven, struct problem *p);
