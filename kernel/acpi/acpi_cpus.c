// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables made of typed entries: MADT (which CPUs and IOAPICs there are) and SRAT (which NUMA
// node each CPU and each piece of memory belongs to).

#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpi_regs.h"
#include "lib/string.h"

#define IO_APIC_ALIGN 16 // one register's room

// A type of entry that we read; others are passed over by their length.
struct entry_kind {
    uint8_t type;
    uint8_t least; // bytes; longer ones, of a later revision, are fine
    void (*take)(const void *entry, void *out, struct warnings *w);
};

struct entry_table {
    const char *name;
    const char *what; // the warning, where an entry is malformed
    size_t first;     // offset of the first entry
    const struct entry_kind *kinds;
    size_t kinds_count;
};

// The rest: what follows an entry without a length can't be found.
static void bad_entry(const struct entry_table *t, const struct acpi_entry *e, size_t at,
                      size_t least, size_t most, const char *lost, struct warnings *w)
{
    warnings_add(w, t->what,
                 "ACPI %s: the entry at offset %zu (type %u) has %u bytes, outside of %zu to %zu: "
                 "%s passed over; update the firmware",
                 t->name, at, e->type, e->length, least, most, lost);
}

static void take_entry(const struct entry_table *t, const struct acpi_entry *e, size_t at,
                       size_t most, void *out, struct warnings *w)
{
    for (size_t i = 0; i < t->kinds_count; i++) {
        const struct entry_kind *k = &t->kinds[i];
        if (k->type != e->type)
            continue;
        if (e->length >= k->least)
            k->take(e, out, w);
        else
            bad_entry(t, e, at, k->least, most, "it is", w);
        return;
    }
}

// The table's header must have been checked.
static void take_entries(const struct entry_table *t, const struct acpi_header *table, void *out,
                         struct warnings *w)
{
    size_t at = t->first, end = table->length;
    while (end - at >= sizeof(struct acpi_entry)) {
        const struct acpi_entry *e = (const void *)((const uint8_t *)table + at);
        if (e->length < sizeof(*e) || e->length > end - at) {
            bad_entry(t, e, at, sizeof(*e), end - at, "it and all behind it are", w);
            return;
        }
        take_entry(t, e, at, end - at, out, w);
        at += e->length;
    }
    if (at < end)
        warnings_add(w, t->what, "ACPI %s: a stray byte after the last entry is passed over",
                     t->name);
}

// ---- MADT ----

// Firmware may list a CPU twice, as local APIC and as x2APIC, for old systems' sake.
static bool madt_has(const struct madt *m, uint32_t apic_id)
{
    for (size_t i = 0; i < m->cpus_count; i++)
        if (m->cpus[i].apic_id == apic_id)
            return true;
    return false;
}

// Enabled CPUs only: one that is merely online-capable has no hardware behind it yet (5.2.12.2).
static void madt_add(struct madt *m, uint32_t apic_id, uint32_t uid, uint32_t flags,
                     struct warnings *w)
{
    if (!(flags & MADT_CPU_ENABLED) || madt_has(m, apic_id))
        return;
    if (m->cpus_count < m->cpus_max)
        m->cpus[m->cpus_count++] = (struct madt_cpu){ apic_id, uid };
    else
        warnings_add(w, "madt-too-many-cpus",
                     "ACPI MADT: there is room for %zu CPUs, and APIC id 0x%x comes after them: "
                     "not used",
                     m->cpus_max, apic_id);
}

static void madt_take_local_apic(const void *entry, void *out, struct warnings *w)
{
    const struct madt_local_apic *e = entry;
    if (e->apic_id != UINT8_MAX)
        madt_add(out, e->apic_id, e->uid, e->flags, w);
}

static void madt_take_local_x2apic(const void *entry, void *out, struct warnings *w)
{
    const struct madt_local_x2apic *e = entry;
    if (e->apic_id != UINT32_MAX)
        madt_add(out, e->apic_id, e->uid, e->flags, w);
}

static void madt_take_io_apic(const void *entry, void *out, struct warnings *w)
{
    const struct madt_io_apic *e = entry;
    struct madt *m = out;
    if (e->address == 0 || e->address % IO_APIC_ALIGN)
        warnings_add(w, "madt-bad-ioapic",
                     "ACPI MADT: IOAPIC %u can't have its registers at 0x%x: it is left alone; "
                     "update the firmware",
                     e->id, e->address);
    else if (m->ioapics_count < m->ioapics_max)
        m->ioapics[m->ioapics_count++] = (struct madt_ioapic){ e->id, e->address, e->gsi_base };
}

size_t madt_ioapics_max(size_t length)
{
    return length / sizeof(struct madt_io_apic);
}

bool madt_parse(const void *table, size_t length, struct madt *out, struct warnings *w,
                struct problem *p)
{
    static const struct entry_kind kinds[] = {
        { MADT_LOCAL_APIC, sizeof(struct madt_local_apic), madt_take_local_apic },
        { MADT_IO_APIC, sizeof(struct madt_io_apic), madt_take_io_apic },
        { MADT_LOCAL_X2APIC, sizeof(struct madt_local_x2apic), madt_take_local_x2apic },
    };
    static const struct entry_table t = { "MADT", "madt-bad-entry", sizeof(struct acpi_madt), kinds,
                                          ARRAY_SIZE(kinds) };
    out->cpus_count = out->ioapics_count = 0;
    if (!acpi_check(table, length, "APIC", t.first, p))
        return false;
    take_entries(&t, table, out, w);
    if (out->cpus_count == 0)
        return problem_set(p, "madt-no-cpu",
                           "ACPI MADT: no enabled CPU in it: update the firmware");
    return true;
}

// First in the list, so that it finds room in a full one. Its uid isn't known: entries for all CPUs count.
bool madt_add_boot(struct madt *m, uint32_t apic_id)
{
    if (madt_has(m, apic_id))
        return false;
    m->cpus_count = MIN(m->cpus_count + 1, m->cpus_max);
    memmove(m->cpus + 1, m->cpus, (m->cpus_count - 1) * sizeof(*m->cpus));
    m->cpus[0] = (struct madt_cpu){ apic_id, UINT32_MAX };
    return true;
}

// ---- SRAT ----

struct srat_parse {
    struct srat *srat;
    uint32_t node_mask; // early revisions say nothing in the upper bits
};

static void srat_add(struct srat_parse *s, uint32_t apic_id, uint32_t node, uint32_t flags,
                     struct warnings *w)
{
    struct srat *out = s->srat;
    if (!(flags & SRAT_ENABLED))
        return;
    for (size_t i = 0; i < out->cpus_count; i++)
        if (out->cpus[i].apic_id == apic_id)
            return;
    if (out->cpus_count < out->cpus_max)
        out->cpus[out->cpus_count++] = (struct srat_cpu){ apic_id, node & s->node_mask };
    else
        warnings_add(w, "srat-too-many-cpus",
                     "ACPI SRAT: there is room for %zu CPUs, and APIC id 0x%x comes after them: "
                     "its node stays unknown",
                     out->cpus_max, apic_id);
}

static void srat_take_local_apic(const void *entry, void *out, struct warnings *w)
{
    const struct srat_local_apic *e = entry;
    uint32_t node = (uint32_t)e->proximity_31_8[2] << 24 | (uint32_t)e->proximity_31_8[1] << 16 |
                    (uint32_t)e->proximity_31_8[0] << 8 | e->proximity_7_0;
    if (e->apic_id != UINT8_MAX)
        srat_add(out, e->apic_id, node, e->flags, w);
}

static void srat_take_local_x2apic(const void *entry, void *out, struct warnings *w)
{
    const struct srat_local_x2apic *e = entry;
    if (e->apic_id != UINT32_MAX)
        srat_add(out, e->apic_id, e->proximity, e->flags, w);
}

static void srat_take_memory(const void *entry, void *out, struct warnings *w)
{
    const struct srat_memory_affinity *e = entry;
    const struct srat_parse *s = out;
    struct srat *srat = s->srat;
    if (!(e->flags & SRAT_ENABLED) || e->bytes == 0)
        return;
    if (e->bytes > UINT64_MAX - e->base)
        warnings_add(w, "srat-bad-range",
                     "ACPI SRAT: memory at 0x%llx, 0x%llx bytes, wraps around: its node stays "
                     "unknown; update the firmware",
                     (unsigned long long)e->base, (unsigned long long)e->bytes);
    else if (srat->memory_count == ARRAY_SIZE(srat->memory))
        warnings_add(w, "srat-too-many-ranges",
                     "ACPI SRAT: there is room for %zu memory ranges, and the one at 0x%llx comes "
                     "after them: its node stays unknown",
                     ARRAY_SIZE(srat->memory), (unsigned long long)e->base);
    else
        srat->memory[srat->memory_count++] =
            (struct srat_memory){ e->base, e->bytes, e->proximity & s->node_mask };
}

// A preference for memory: those that don't fit, or aren't PCI functions, go without.
static void srat_take_generic(const void *entry, void *out, struct warnings *w)
{
    const struct srat_generic *e = entry;
    const struct srat_parse *s = out;
    struct srat *srat = s->srat;
    if (e->flags & SRAT_ENABLED && e->handle_type == SRAT_HANDLE_PCI &&
        srat->devices_count < ARRAY_SIZE(srat->devices))
        srat->devices[srat->devices_count++] =
            (struct srat_device){ e->segment, (uint16_t)(e->bus << 8 | e->devfn),
                                  e->proximity & s->node_mask };
}

bool srat_parse(const void *table, size_t length, struct srat *out, struct warnings *w,
                struct problem *p)
{
    static const struct entry_kind kinds[] = {
        { SRAT_LOCAL_APIC, sizeof(struct srat_local_apic), srat_take_local_apic },
        { SRAT_MEMORY, sizeof(struct srat_memory_affinity), srat_take_memory },
        { SRAT_LOCAL_X2APIC, sizeof(struct srat_local_x2apic), srat_take_local_x2apic },
        { SRAT_GENERIC_INITIATOR, sizeof(struct srat_generic), srat_take_generic },
        { SRAT_GENERIC_PORT, sizeof(struct srat_generic), srat_take_generic },
    };
    static const struct entry_table t = { "SRAT", "srat-bad-entry", sizeof(struct acpi_srat), kinds,
                                          ARRAY_SIZE(kinds) };
    out->cpus_count = out->memory_count = out->devices_count = 0;
    if (!acpi_check(table, length, "SRAT", t.first, p))
        return false;
    bool wide = ((const struct acpi_header *)table)->revision >= SRAT_REVISION_WIDE;
    struct srat_parse s = { out, wide ? UINT32_MAX : UINT8_MAX };
    take_entries(&t, table, &s, w);
    return true;
}
