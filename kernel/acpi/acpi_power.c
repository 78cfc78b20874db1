// SPDX-License-Identifier: BSD-2-Clause
// How the machine is switched off: the FADT's registers, and \_S5_, which the DSDT or any SSDT has.

#include "kernel/acpi/acpi.h"

static bool find_s5(const struct acpi_header *t, struct acpi_power *out)
{
    return t && acpi_s5_find(t, t->length, &out->slp_typ_a, &out->slp_typ_b);
}

static bool find_s5_in_ssdts(struct acpi_power *out)
{
    const struct acpi_header *t = acpi_find("SSDT");
    while (t && !find_s5(t, out))
        t = acpi_find_next("SSDT", t);
    return t;
}

void acpi_find_power(const struct fadt *fadt, struct acpi_power *out)
{
    *out = (struct acpi_power){ .fadt = *fadt };
    if (fadt->pm1a_control)
        out->can_power_off = find_s5(acpi_map(fadt->dsdt, "DSDT"), out) || find_s5_in_ssdts(out);
}
