// SPDX-License-Identifier: BSD-2-Clause
// Goes through the DMAR table from structure to structure (VT-d 8.1, 8.2).

#include "drivers/vtd/platform/dmar_check.h"

#include "drivers/vtd/platform/dmar_check_state.h"
#include "lib/string.h"

#define WIDTH_LEAST 12 // a page must fit
#define WIDTH_MOST 52  // no x86 CPU has more (SDM vol. 3, 5.1.4)
#define FLAGS_KNOWN (DMAR_FLAG_INTR_REMAP | DMAR_FLAG_X2APIC_OPT_OUT | DMAR_FLAG_DMA_OPT_IN)

static const struct {
    void (*check)(struct check_state *s, const struct checked_structure *x);
    size_t least;
} kinds[] = {
    [DMAR_DRHD] = { check_unit, sizeof(struct dmar_drhd) },
    [DMAR_RMRR] = { check_rmrr, sizeof(struct dmar_rmrr) },
    [DMAR_ATSR] = { check_atsr, DMAR_ATSR_BYTES },
    [DMAR_RHSA] = { check_rhsa, sizeof(struct dmar_rhsa) },
    [DMAR_ANDD] = { check_andd, DMAR_ANDD_BYTES },
    [DMAR_SATC] = { check_satc, DMAR_SATC_BYTES },
    [DMAR_SIDP] = { check_sidp, DMAR_SIDP_BYTES },
};

// Bytes that structures are looked for in: as many as the table says, of those that are there. 0: none.
static size_t check_header(struct check_state *s, struct dmar_table *table)
{
    const struct check_bytes *t = &s->in->dmar;
    uint8_t sum = 0;
    if (t->length < sizeof(*table)) {
        checks_add(s->out, CHECK_TRUNCATED, "%zu bytes, its header alone has 48", t->length);
        return 0;
    }
    memcpy(table, t->bytes, sizeof(*table));
    if (memcmp(table->header.signature, "DMAR", 4) != 0)
        checks_add(s->out, CHECK_SIGNATURE, "it doesn't");
    if (table->header.length < sizeof(*table) || table->header.length > t->length) {
        checks_add(s->out, CHECK_TRUNCATED, "it says %u bytes, %zu are there", table->header.length,
                   t->length);
        return t->length;
    }
    for (size_t i = 0; i < table->header.length; i++)
        sum = (uint8_t)(sum + t->bytes[i]);
    if (sum)
        checks_add(s->out, CHECK_CHECKSUM, "they sum to %02xh", sum);
    return table->header.length;
}

static void check_fields(struct check_state *s, const struct dmar_table *table)
{
    unsigned width = table->width + 1u, flags = table->flags;
    s->width = width >= WIDTH_LEAST && width <= WIDTH_MOST ? width : WIDTH_MOST;
    if (width != s->width)
        checks_add(s->out, CHECK_WIDTH, "%u bits", width);
    if (!(flags & DMAR_FLAG_INTR_REMAP) || flags & ~FLAGS_KNOWN)
        checks_add(s->out, CHECK_FLAGS, "flags %02xh", flags);
    if (flags & DMAR_FLAG_X2APIC_OPT_OUT)
        checks_add(s->out, CHECK_OPT_OUT, "flags %02xh%s", flags,
                   flags & DMAR_FLAG_INTR_REMAP ? "" : ", without remapping");
}

// The next structure; false: at the end, or where no more can be found.
static bool next(const struct check_state *s, size_t *at, size_t end, struct checked_structure *x)
{
    const uint8_t *bytes = s->in->dmar.bytes + *at;
    struct dmar_structure head;
    if (end - *at < sizeof(head))
        return false;
    memcpy(&head, bytes, sizeof(head));
    if (head.length < sizeof(head) || head.length > end - *at)
        return false;
    *x = (struct checked_structure){ head.type, bytes, head.length, x->place + 1 };
    *at += head.length;
    return true;
}

static void check_structure(struct check_state *s, const struct checked_structure *x)
{
    if (x->type >= ARRAY_SIZE(kinds))
        checks_add(s->out, CHECK_TYPE, "type %u in structure %zu", x->type, x->place);
    else if (x->length < kinds[x->type].least)
        checks_add(s->out, CHECK_SHORT, "structure %zu (type %u) has %zu bytes of at least %zu",
                   x->place, x->type, x->length, kinds[x->type].least);
    else
        kinds[x->type].check(s, x);
}

static void check_units(struct check_state *s, size_t end)
{
    struct checked_structure x = { 0 };
    size_t at = sizeof(struct dmar_table);
    while (next(s, &at, end, &x))
        if (x.type == DMAR_DRHD)
            check_structure(s, &x);
}

static void check_others(struct check_state *s, size_t end)
{
    struct checked_structure x = { 0 };
    uint16_t before = 0;
    size_t at = sizeof(struct dmar_table);
    while (next(s, &at, end, &x)) {
        if (x.type < before)
            checks_add(s->out, CHECK_TYPE_ORDER, "structure %zu of type %u is behind type %u",
                       x.place, x.type, before);
        before = x.type;
        if (x.type != DMAR_DRHD)
            check_structure(s, &x);
    }
    if (at < end)
        checks_add(s->out, CHECK_STRUCTURE, "none starts at byte %zu, %zu are left", at, end - at);
}

// Revisions to 13h of these, and 22h of the 5520, lose interrupts that are remapped.
static void check_chipset(struct check_state *s)
{
    static const uint16_t devices[] = { 0x3403, 0x3405, 0x3406 };
    for (size_t i = 0; i < s->in->functions_count; i++) {
        const struct check_function *f = &s->in->functions[i];
        for (size_t j = 0; j < ARRAY_SIZE(devices); j++)
            if (f->vendor == 0x8086 && f->device == devices[j] &&
                (f->revision <= 0x13 || (f->device == 0x3405 && f->revision == 0x22)))
                checks_add(s->out, CHECK_CHIPSET, "8086:%04x of revision %02xh", f->device,
                           f->revision);
    }
}

static void check_masters(struct check_state *s)
{
    for (size_t i = 0; i < s->in->functions_count; i++) {
        const struct check_function *f = &s->in->functions[i];
        if (f->left_master)
            checks_add(s->out, CHECK_LEFT_MASTER, "%04x:%02x:%02x.%x, %04x:%04x, class %06x",
                       f->segment, f->bdf >> 8, f->bdf >> 3 & 31, f->bdf & 7, f->vendor, f->device,
                       f->class_code);
    }
}

// Those whose input was there have passed, where nothing was found.
static void pass(struct check_state *s)
{
    const struct dmar_check_input *in = s->in;
    for (unsigned id = 0; id < CHECK_HSTI_FORM; id++) {
        bool made = true;
        if (id == CHECK_CHIPSET || id == CHECK_LEFT_MASTER ||
            (id >= CHECK_SCOPE_WALK && id <= CHECK_SCOPE_HEADER))
            made = in->functions;
        else if (id == CHECK_UNIT_RAM || id == CHECK_RMRR_MEMORY || id == CHECK_RMRR_UNLISTED)
            made = in->ranges;
        else if (id == CHECK_IOAPIC_UNKNOWN || id == CHECK_IOAPIC_MISSING)
            made = in->madt.bytes;
        else if (id == CHECK_HPET_UNKNOWN || id == CHECK_HPET_MISSING)
            made = in->hpet.bytes;
        else if (id == CHECK_RHSA_DOMAIN)
            made = in->srat.bytes;
        if (made)
            checks_made(s->out, id);
    }
}

void dmar_check(const struct dmar_check_input *in, struct checks *out)
{
    static struct check_state state;
    struct dmar_table table;
    memset(out, 0, sizeof(*out));
    memset(&state, 0, sizeof(state));
    state.in = in;
    state.out = out;
    check_chipset(&state);
    check_masters(&state);
    if (!in->dmar.bytes) {
        checks_add(out, CHECK_NO_UNIT, "there is no DMAR table, or none with a right checksum");
        return;
    }
    size_t end = check_header(&state, &table);
    if (!end || out->of[CHECK_SIGNATURE].count)
        return;
    check_fields(&state, &table);
    // Others name units, whatever order the table has.
    check_units(&state, end);
    check_others(&state, end);
    if (!state.units_count)
        checks_add(out, CHECK_NO_UNIT, "none");
    check_scopes_compare(&state);
    pass(&state);
}
