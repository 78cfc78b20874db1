// SPDX-License-Identifier: BSD-2-Clause
// Switching the machine off, and starting it anew.
#pragma once

#include "kernel/acpi/acpi.h"

// What firmware's tables say about it; without that, power_off() does nothing and power_reset() asks
// the keyboard controller alone. Boot CPU.
void power_init(const struct acpi_power *acpi);

// Each comes back, after a second, only where it had no effect. Any CPU, any context.
void power_off(void);
void power_reset(void);
