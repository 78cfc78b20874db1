// SPDX-License-Identifier: BSD-2-Clause
// The parts of app=platform: what each prints, and sends as JSON. Boot CPU, after the drivers.
#pragma once

#include "drivers/vtd/platform/checks.h"
#include "drivers/vtd/unit.h"

// Each unit: what it can do, and whether it posts. Returns how many can.
unsigned platform_print_units(void);

// Under each unit, the devices that it names and those that are really behind it.
void platform_print_tree(void);

// Hardware Security Test Interfaces, or that there is none.
void platform_print_hsti(void);

// Each check, and what isn't as it should be.
void platform_print_checks(const struct checks *c);
