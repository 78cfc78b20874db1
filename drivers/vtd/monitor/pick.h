// SPDX-License-Identifier: BSD-2-Clause
// Words of the monitor's commands on VT-d.
#pragma once

#include "drivers/vtd/unit.h"
#include "kernel/run/command.h"

// Word i as the number of a unit in the list of `units`, 0 where it is left out.
bool vtd_pick_unit(const struct command_words *words, unsigned i, const struct vtd_unit **u,
                   struct problem *p);
