// SPDX-License-Identifier: BSD-2-Clause
// What firmware said of the machine, and how it left it, for those who judge it.
#pragma once

#include "kernel/handoff.h"

// Boot CPU, first of all: what is noted here doesn't last.
void firmware_note(const struct handoff *h);

const struct handoff *firmware_handoff(void);

// The boot CPU's local APIC was in x2APIC mode.
bool firmware_left_x2apic(void);
