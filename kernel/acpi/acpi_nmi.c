// SPDX-License-Identifier: BSD-2-Clause
// Which pin of a CPU's local APIC is wired to NMI: MADT's local APIC NMI structures
// (ACPI 6.5, 5.2.12.7 and 5.2.12.13). Their flags, polarity and trigger mode, say nothing that an
// NMI goes by, and are wrong on many machines.

#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpi_regs.h"

static bool nmi_entry(const struct acpi_entry *e, uint32_t *uid, uint8_t *lint)
{
    if (e->type == MADT_LOCAL_APIC_NMI && e->length >= sizeof(struct madt_local_apic_nmi)) {
        const struct madt_local_apic_nmi *nmi = (const void *)e;
        *uid = nmi->uid == UINT8_MAX ? UINT32_MAX : nmi->uid;
        *lint = nmi->lint;
        return true;
    }
    if (e->type == MADT_LOCAL_X2APIC_NMI && e->length >= sizeof(struct madt_local_x2apic_nmi)) {
        const struct madt_local_x2apic_nmi *nmi = (const void *)e;
        *uid = nmi->uid;
        *lint = nmi->lint;
        return true;
    }
    return false;
}

bool madt_find_nmi(const void *table, size_t length, uint32_t uid, uint8_t *lint)
{
    const uint8_t *bytes = table;
    for (size_t at = sizeof(struct acpi_madt); at + sizeof(struct acpi_entry) <= length;) {
        const struct acpi_entry *e = (const void *)(bytes + at);
        uint32_t for_uid;
        uint8_t pin;
        if (e->length < sizeof(*e) || e->length > length - at)
            return false;
        if (nmi_entry(e, &for_uid, &pin) && pin <= 1 && (for_uid == UINT32_MAX || for_uid == uid)) {
            *lint = pin;
            return true;
        }
        at += e->length;
    }
    return false;
}
