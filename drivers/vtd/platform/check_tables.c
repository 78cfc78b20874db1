// SPDX-License-Identifier: BSD-2-Clause
// What DMAR is compared with: IOAPICs of the MADT, the HPET, proximity domains of the SRAT.

#include "drivers/vtd/platform/dmar_check_state.h"
#include "kernel/acpi/acpi_regs.h"
#include "lib/string.h"

// Goes to the next entry that is whole; false: there is none. *at starts as the first one's place.
static bool next_entry(const struct check_bytes *t, size_t *at, const uint8_t **entry,
                       struct acpi_entry *head)
{
    if (!t->bytes || *at > t->length || t->length - *at < sizeof(*head))
        return false;
    *entry = t->bytes + *at;
    memcpy(head, *entry, sizeof(*head));
    if (head->length < sizeof(*head) || head->length > t->length - *at)
        return false;
    *at += head->length;
    return true;
}

// The next IOAPIC's id.
static bool next_ioapic(const struct check_bytes *madt, size_t *at, uint8_t *id)
{
    struct acpi_entry head;
    const uint8_t *entry;
    while (next_entry(madt, at, &entry, &head))
        if (head.type == MADT_IO_APIC && head.length >= sizeof(struct madt_io_apic)) {
            *id = entry[offsetof(struct madt_io_apic, id)];
            return true;
        }
    return false;
}

bool check_has_ioapic(const struct check_state *s, uint8_t id)
{
    size_t at = sizeof(struct acpi_madt);
    uint8_t have;
    while (next_ioapic(&s->in->madt, &at, &have))
        if (have == id)
            return true;
    return !s->in->madt.bytes;
}

static bool hpet_number(const struct check_state *s, uint8_t *number)
{
    if (!s->in->hpet.bytes || s->in->hpet.length < sizeof(struct acpi_hpet))
        return false;
    *number = s->in->hpet.bytes[offsetof(struct acpi_hpet, hpet_number)];
    return true;
}

bool check_has_hpet(const struct check_state *s, uint8_t number)
{
    uint8_t have;
    return !hpet_number(s, &have) || have == number;
}

// Domains of before revision 2 have 8 bits: what the other bytes hold isn't told then.
static bool is_of_domain(const struct check_bytes *srat, const uint8_t *entry,
                         const struct acpi_entry *head, uint32_t domain)
{
    bool wide = srat->bytes[offsetof(struct acpi_header, revision)] >= SRAT_REVISION_WIDE;
    uint32_t mask = wide ? ~0u : 0xff;
    if (head->type == SRAT_LOCAL_APIC && head->length >= sizeof(struct srat_local_apic)) {
        const size_t high = offsetof(struct srat_local_apic, proximity_31_8);
        uint32_t low = entry[offsetof(struct srat_local_apic, proximity_7_0)];
        return ((low | (uint32_t)check_number(entry + high, 3) << 8) & mask) == domain;
    }
    if ((head->type == SRAT_MEMORY && head->length >= sizeof(struct srat_memory_affinity)))
        return (check_number(entry + offsetof(struct srat_memory_affinity, proximity), 4) & mask) ==
               domain;
    return head->type == SRAT_LOCAL_X2APIC && head->length >= sizeof(struct srat_local_x2apic) &&
           check_number(entry + offsetof(struct srat_local_x2apic, proximity), 4) == domain;
}

bool check_has_domain(const struct check_state *s, uint32_t domain)
{
    const struct check_bytes *srat = &s->in->srat;
    size_t at = sizeof(struct acpi_srat);
    struct acpi_entry head;
    const uint8_t *entry;
    while (next_entry(srat, &at, &entry, &head))
        if (is_of_domain(srat, entry, &head, domain))
            return true;
    return !srat->bytes;
}

static bool is_named(const struct check_state *s, enum dmar_scope_type type, uint8_t id)
{
    for (size_t i = 0; i < s->scopes_count; i++)
        if (s->scopes[i].of == DMAR_DRHD && s->scopes[i].type == type && s->scopes[i].id == id)
            return true;
    return false;
}

void check_missing(struct check_state *s)
{
    size_t at = sizeof(struct acpi_madt);
    uint8_t id;
    while (next_ioapic(&s->in->madt, &at, &id))
        if (!is_named(s, DMAR_SCOPE_IOAPIC, id))
            checks_add(s->out, CHECK_IOAPIC_MISSING, "IOAPIC %u", id);
    if (hpet_number(s, &id) && !is_named(s, DMAR_SCOPE_HPET, id))
        checks_add(s->out, CHECK_HPET_MISSING, "HPET %u", id);
}
