// SPDX-License-Identifier: BSD-2-Clause
// Legacy interrupt controllers are not used: everything that they could send is masked.
#pragma once

#include "kernel/acpi/acpi.h"

// Masks both 8259s and every entry of every IOAPIC in MADT. Boot CPU, interrupts off.
void ioapic_mask_all(const struct madt *madt);
