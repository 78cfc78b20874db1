// SPDX-License-Identifier: BSD-2-Clause
// What firmware's ACPI tables say of CPUs, memory, clocks and power, read once.
#pragma once

#include "kernel/acpi/acpi.h"
#include "kernel/handoff.h"

struct tables {
    struct madt madt;
    struct srat srat; // empty where there is none that can be used
    struct fadt fadt;
    struct hpet_table hpet;
    bool has_fadt, has_hpet;
};

// Ends the run where there is no root table or no MADT. Boot CPU, once.
const struct tables *tables_read(const struct handoff *h);
