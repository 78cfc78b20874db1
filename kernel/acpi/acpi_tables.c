// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables with a fixed layout, or a list of equal entries: RSDP, MCFG, HPET, FADT.

#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpi_regs.h"
#include "lib/string.h"

#define PHYS_END BIT64(52) // no x86 physical address reaches this
#define HPET_BYTES 1024    // the register block (IA-PC HPET 1.0a, 2.3.1)

static uint8_t sum(const void *bytes, size_t count)
{
    uint8_t total = 0;
    for (size_t i = 0; i < count; i++)
        total = (uint8_t)(total + ((const uint8_t *)bytes)[i]);
    return total;
}

bool acpi_check(const void *table, size_t length, const char signature[4], size_t least,
                struct problem *p)
{
    const struct acpi_header *h = table;
    least = MAX(least, sizeof(*h));
    if (length < sizeof(*h))
        return problem_set(p, "acpi-truncated", "ACPI table %.4s: %zu bytes are no whole header",
                           signature, length);
    if (memcmp(h->signature, signature, sizeof(h->signature)))
        return problem_set(p, "acpi-signature",
                           "ACPI table %.4s: the signature there is %02x %02x %02x %02x", signature,
                           (uint8_t)h->signature[0], (uint8_t)h->signature[1],
                           (uint8_t)h->signature[2], (uint8_t)h->signature[3]);
    if (h->length < least || h->length > length)
        return problem_set(p, "acpi-truncated",
                           "ACPI table %.4s: its length field says %u bytes, outside of %zu to "
                           "%zu: update the firmware",
                           signature, h->length, least, length);
    uint8_t rest = sum(table, h->length);
    if (rest)
        return problem_set(p, "acpi-checksum",
                           "ACPI table %.4s: its %u bytes sum up to 0x%02x, not 0: update the "
                           "firmware",
                           signature, h->length, rest);
    return true;
}

static bool check_extended(const struct acpi_rsdp *r, size_t length, struct problem *p)
{
    if (length < sizeof(*r) || r->length < sizeof(*r) || r->length > length)
        return problem_set(p, "acpi-rsdp", "ACPI RSDP: revision %u in %zu bytes is cut off",
                           r->revision, length);
    if (sum(r, r->length))
        return problem_set(p, "acpi-rsdp",
                           "ACPI RSDP: the extended checksum is wrong: update the firmware");
    return true;
}

bool acpi_rsdp_parse(const void *rsdp, size_t length, struct acpi_roots *out, struct problem *p)
{
    const struct acpi_rsdp *r = rsdp;
    *out = (struct acpi_roots){ 0 };
    if (length < ACPI_RSDP_V1_BYTES || memcmp(r->signature, "RSD PTR ", sizeof(r->signature)))
        return problem_set(p, "acpi-rsdp",
                           "ACPI RSDP: no \"RSD PTR \" at the address given by UEFI");
    if (sum(r, ACPI_RSDP_V1_BYTES))
        return problem_set(p, "acpi-rsdp", "ACPI RSDP: the checksum is wrong: update the firmware");
    out->rsdt = r->rsdt_address;
    if (r->revision >= 2) {
        if (!check_extended(r, length, p))
            return false;
        out->xsdt = r->xsdt_address;
    }
    if (!out->rsdt && !out->xsdt)
        return problem_set(p, "acpi-rsdp", "ACPI RSDP: it names neither an XSDT nor an RSDT");
    return true;
}

static const char *segment_fault(const struct mcfg_segment *s)
{
    if (s->last_bus < s->first_bus)
        return "the last bus comes before the first";
    if (s->base == 0)
        return "the base address is zero";
    if (s->base % MIB)
        return "the base address is not a multiple of 1 MiB";
    if (s->base >= PHYS_END - 256 * MIB)
        return "the base address is outside of the physical address space";
    return NULL;
}

static bool spans_meet(uint64_t a_first, uint64_t a_last, uint64_t b_first, uint64_t b_last)
{
    return a_first <= b_last && b_first <= a_last;
}

// Two entries may share a segment, each with its own buses, but neither a bus nor a window.
static bool segments_meet(const struct mcfg_segment *a, const struct mcfg_segment *b)
{
    if (a->segment == b->segment &&
        spans_meet(a->first_bus, a->last_bus, b->first_bus, b->last_bus))
        return true;
    return spans_meet(a->base + a->first_bus * MIB, a->base + a->last_bus * MIB,
                      b->base + b->first_bus * MIB, b->base + b->last_bus * MIB);
}

// Two tables may both have an entry: that is no fault.
static bool mcfg_has(const struct mcfg *m, const struct mcfg_segment *s)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct mcfg_segment *other = &m->segments[i];
        if (s->base == other->base && s->segment == other->segment &&
            s->first_bus == other->first_bus && s->last_bus == other->last_bus)
            return true;
    }
    return false;
}

// NULL: the entry can be used.
static const char *entry_fault(const struct mcfg *m, const struct mcfg_segment *s)
{
    const char *fault = segment_fault(s);
    for (size_t i = 0; i < m->count && !fault; i++)
        if (segments_meet(s, &m->segments[i]))
            fault = "it overlaps an entry before it";
    if (!fault && m->count == ARRAY_SIZE(m->segments))
        fault = "there is no room for more entries";
    return fault;
}

static void mcfg_add(struct mcfg *m, const struct acpi_mcfg_entry *e, size_t index,
                     struct warnings *w)
{
    struct mcfg_segment s = { e->base, e->segment, e->first_bus, e->last_bus };
    if (mcfg_has(m, &s))
        return;
    const char *fault = entry_fault(m, &s);
    if (fault)
        warnings_add(w, "mcfg-bad-entry",
                     "ACPI MCFG: entry %zu (segment %u, buses %02x to %02x, base 0x%llx) is passed "
                     "over: %s: update the firmware",
                     index, s.segment, s.first_bus, s.last_bus, (unsigned long long)s.base, fault);
    else
        m->segments[m->count++] = s;
}

bool mcfg_parse(const void *table, size_t length, struct mcfg *out, struct warnings *w,
                struct problem *p)
{
    const struct acpi_mcfg *t = table;
    const struct acpi_mcfg_entry *e = (const void *)(t + 1);
    if (!acpi_check(table, length, "MCFG", sizeof(*t), p))
        return false;
    size_t bytes = t->header.length - sizeof(*t);
    for (size_t i = 0; i < bytes / sizeof(*e); i++)
        mcfg_add(out, e + i, i, w);
    if (bytes % sizeof(*e))
        warnings_add(w, "mcfg-bad-length",
                     "ACPI MCFG: %zu bytes behind its last whole entry are passed over: update the "
                     "firmware",
                     bytes % sizeof(*e));
    if (out->count)
        return true;
    return problem_set(p, "mcfg-empty",
                       "ACPI MCFG: its %zu bytes of entries name no segment that can be used: "
                       "update the firmware",
                       bytes);
}

bool hpet_parse(const void *table, size_t length, struct hpet_table *out, struct problem *p)
{
    const struct acpi_hpet *t = table;
    out->address = 0;
    if (!acpi_check(table, length, "HPET", sizeof(*t), p))
        return false;
    const struct acpi_gas *base = &t->base_address;
    if (base->address_space_id != ACPI_SPACE_MEMORY || base->address == 0 ||
        base->address % sizeof(uint64_t) || base->address >= PHYS_END - HPET_BYTES)
        return problem_set(p, "hpet-address",
                           "ACPI HPET: registers at 0x%llx of address space %u can't be used",
                           (unsigned long long)base->address, base->address_space_id);
    out->address = base->address;
    return true;
}

// A register that has a 32-bit port field, and an X_ field in tables that are long enough: the
// latter wins unless it is empty or of a kind that we can't reach (ACPI 6.5, 5.2.9).
static uint64_t fadt_register(const struct acpi_gas *x, uint32_t port, bool *io)
{
    *io = x->address_space_id == ACPI_SPACE_IO;
    if (x->address && *io && x->address <= UINT16_MAX)
        return x->address;
    if (x->address && x->address_space_id == ACPI_SPACE_MEMORY && x->address < PHYS_END)
        return x->address;
    *io = true;
    return port <= UINT16_MAX ? port : 0;
}

static uint16_t fadt_port(const struct acpi_gas *x, uint32_t port)
{
    bool io;
    uint64_t at = fadt_register(x, port, &io);
    if (!io)
        at = port <= UINT16_MAX ? port : 0;
    return (uint16_t)at;
}

// Hardware-reduced platforms have none of these; their fields are to be ignored (ACPI 6.5, 4.1).
static void fadt_fixed_hardware(const struct acpi_fadt *t, struct fadt *out)
{
    if (t->flags & FADT_HW_REDUCED_ACPI)
        return;
    if (t->pm_tmr_len == sizeof(uint32_t))
        out->pm_timer = fadt_register(&t->x_pm_tmr_blk, t->pm_tmr_blk, &out->pm_timer_io);
    out->pm_timer_32bit = t->flags & FADT_TMR_VAL_EXT;
    out->pm1a_control = fadt_port(&t->x_pm1a_cnt_blk, t->pm1a_cnt_blk);
    out->pm1b_control = fadt_port(&t->x_pm1b_cnt_blk, t->pm1b_cnt_blk);
    out->smi_command = fadt_port(&(struct acpi_gas){ 0 }, t->smi_cmd);
    out->acpi_enable = t->acpi_enable;
    out->may_have_8042 =
        t->header.revision < FADT_REVISION_BOOT_ARCH || t->iapc_boot_arch & FADT_8042;
}

// The table has grown by groups of fields; of a group that is cut off, nothing is used.
static size_t fadt_bytes(size_t length)
{
    if (length >= sizeof(struct acpi_fadt))
        return sizeof(struct acpi_fadt);
    return length >= ACPI_FADT_V2_BYTES ? ACPI_FADT_V2_BYTES : ACPI_FADT_V1_BYTES;
}

bool fadt_parse(const void *table, size_t length, struct fadt *out, struct problem *p)
{
    *out = (struct fadt){ 0 };
    if (!acpi_check(table, length, "FACP", ACPI_FADT_V1_BYTES, p))
        return false;
    struct acpi_fadt t = { 0 };
    memcpy(&t, table, fadt_bytes(((const struct acpi_header *)table)->length));
    fadt_fixed_hardware(&t, out);
    if (t.flags & FADT_RESET_REG_SUP) {
        // The third kind allowed, configuration space (ACPI 6.5, 4.8.3.6), is left out.
        out->reset = fadt_register(&t.reset_reg, 0, &out->reset_io);
        out->reset_value = t.reset_value;
    }
    out->dsdt = t.x_dsdt ? t.x_dsdt : t.dsdt;
    return true;
}
