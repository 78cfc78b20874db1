// SPDX-License-Identifier: BSD-2-Clause
// Switching the machine off, and starting it anew.
#pragma once

#include "kernel/acpi/acpi.h"

// What firmware's tables say about it; without that, power_off() does nothing and power_reset()
// goes without ACPI's register. Boot CPU.
void power_init(const struct acpi_power *acpi);

// Comes back, after a second, only where it had no effect. Any CPU, any context.
void power_off(void);

// By ACPI's register, the keyboard controller, port CF9h, each given a second, and a triple fault.
// Any CPU, any context.
noreturn void power_reset(void);
