// SPDX-License-Identifier: BSD-2-Clause
// Checks of what Hardware Security Test Interfaces say.
#pragma once

#include "drivers/vtd/platform/checks.h"
#include "kernel/handoff.h"

// Adds to what the others found. Without an interface nothing is checked. Pure.
void hsti_check(const struct handoff *h, struct checks *out);
