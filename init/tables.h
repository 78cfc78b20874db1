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
    bool is_qemu; // by the FADT's OEM id
};

// Ends the run where there is no root table or no MADT. Boot CPU, once.
const struct tables *tables_read(const struct handoff *h);

// The CPU that runs is one of the machine's, whatever the MADT says. Before the CPUs are counted.
void tables_add_boot_cpu(uint32_t apic_id);

// The pin (0, 1) by which a CPU takes NMIs: LINT1, where the MADT doesn't say otherwise. Boot CPU.
uint8_t tables_nmi_lint(uint32_t apic_id);
