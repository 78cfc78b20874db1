// SPDX-License-Identifier: BSD-2-Clause
// Device scopes (VT-d 8.3.1): their form, what they name, and whether that is there.

#include "drivers/vtd/platform/dmar_check_state.h"
#include "kernel/pci/pci.h"
#include "lib/string.h"

#define CLASS_BRIDGE_OTHER                                                                         \
    0x0680 // non-transparent bridges: named as bridges, with an endpoint's header

static bool is_pci(const struct checked_scope *x)
{
    return x->type == DMAR_SCOPE_ENDPOINT || x->type == DMAR_SCOPE_BRIDGE;
}

// ---- form ----

// Reserved memory and SoC devices are of PCI or ACPI devices, ATSR's are root ports alone.
static bool may_be_in(enum dmar_type of, uint8_t type)
{
    switch (of) {
    case DMAR_DRHD:
        return true;
    case DMAR_ATSR:
        return type == DMAR_SCOPE_BRIDGE;
    default:
        return type != DMAR_SCOPE_IOAPIC && type != DMAR_SCOPE_HPET;
    }
}

static bool is_path(const struct checked_scope *x)
{
    for (unsigned i = 0; i < x->hops; i++)
        if (x->path[2 * i] > 31 || x->path[2 * i + 1] > 7)
            return false;
    return x->hops > 0;
}

static void add(struct check_state *s, const struct checked_scope *x)
{
    if (x->type < DMAR_SCOPE_ENDPOINT || x->type > DMAR_SCOPE_ACPI) {
        checks_add(s->out, CHECK_SCOPE_TYPE, "type %u on bus %02x", x->type, x->bus);
        return;
    }
    if (!may_be_in(x->of, x->type))
        checks_add(s->out, CHECK_SCOPE_PLACE, "type %u in a structure of type %u", x->type, x->of);
    if (!is_path(x)) {
        checks_add(s->out, CHECK_SCOPE_PATH, "type %u on bus %02x, %u pairs", x->type, x->bus,
                   x->hops);
        return;
    }
    if (s->scopes_count < CHECK_SCOPES_MAX)
        s->scopes[s->scopes_count++] = *x;
    else
        checks_add(s->out, CHECK_LARGE, "more than %u device scopes", CHECK_SCOPES_MAX);
}

size_t check_scopes_read(struct check_state *s, const struct checked_structure *x, size_t offset,
                         uint16_t segment)
{
    size_t count = 0;
    while (offset < x->length) {
        size_t left = x->length - offset;
        const uint8_t *at = x->bytes + offset;
        struct dmar_scope_entry e = { 0 };
        memcpy(&e, at, MIN(left, sizeof(e)));
        if (e.length < sizeof(e) || e.length > left || e.length % 2) {
            checks_add(s->out, CHECK_SCOPE_LENGTH,
                       "a scope in structure %zu (type %u) has %u bytes, %zu are left", x->place,
                       x->type, e.length, left);
            return count;
        }
        const struct checked_scope scope = {
            .of = x->type,
            .owner = x->place,
            .segment = segment,
            .type = e.type,
            .id = e.id,
            .bus = e.start_bus,
            .hops = (uint8_t)((e.length - sizeof(e)) / 2),
            .path = at + sizeof(e),
        };
        add(s, &scope);
        offset += e.length;
        count++;
    }
    return count;
}

// ---- against the machine ----

static const struct check_function *find(const struct check_state *s, uint16_t segment,
                                         uint16_t bdf)
{
    for (size_t i = 0; i < s->in->functions_count; i++)
        if (s->in->functions[i].segment == segment && s->in->functions[i].bdf == bdf)
            return &s->in->functions[i];
    return NULL;
}

// The header of type 1 alone has a secondary bus.
static bool is_bridge(const struct check_function *f)
{
    return f->header == 1;
}

static bool fits(const struct checked_scope *x, const struct check_function *f)
{
    if (x->type == DMAR_SCOPE_ENDPOINT)
        return !is_bridge(f);
    return is_bridge(f) || f->class_code >> 8 == CLASS_BRIDGE_OTHER;
}

static void check_device(struct check_state *s, const struct checked_scope *x)
{
    unsigned bus = x->bus;
    for (unsigned i = 0; i < x->hops; i++) {
        uint16_t bdf = PCI_BDF(bus, x->path[2 * i], x->path[2 * i + 1]);
        const struct check_function *f = find(s, x->segment, bdf);
        bool last = i + 1u == x->hops;
        if (!f)
            checks_add(s->out, CHECK_SCOPE_ABSENT, "%04x:%02x:%02x.%x", x->segment, bus,
                       PCI_DEV(bdf), PCI_FN(bdf));
        else if (last && !fits(x, f))
            checks_add(s->out, CHECK_SCOPE_HEADER,
                       "%04x:%02x:%02x.%x is named as type %u, its header is of type %u",
                       x->segment, bus, PCI_DEV(bdf), PCI_FN(bdf), x->type, f->header);
        else if (!last && !is_bridge(f))
            checks_add(s->out, CHECK_SCOPE_WALK, "%04x:%02x:%02x.%x is no bridge", x->segment, bus,
                       PCI_DEV(bdf), PCI_FN(bdf));
        if (!f || last || !is_bridge(f))
            return;
        bus = f->secondary;
    }
}

// ---- against one another ----

// An HPET's timers may have ids of their own, so it may be named by several paths (VT-d 8.3.1.2).
static bool is_same(const struct checked_scope *a, const struct checked_scope *b)
{
    if (a->type != b->type || a->of != b->of || a->id != b->id)
        return false;
    if (a->type == DMAR_SCOPE_IOAPIC || a->type == DMAR_SCOPE_ACPI)
        return true;
    return a->segment == b->segment && a->bus == b->bus && a->hops == b->hops &&
           !memcmp(a->path, b->path, 2u * a->hops);
}

static void check_pair(struct check_state *s, const struct checked_scope *a,
                       const struct checked_scope *b)
{
    if (!is_same(a, b))
        return;
    if (a->of == DMAR_DRHD && a->type == DMAR_SCOPE_IOAPIC)
        checks_add(s->out, CHECK_IOAPIC_TWICE, "IOAPIC %u", a->id);
    else if (a->of == DMAR_DRHD && a->type == DMAR_SCOPE_HPET)
        checks_add(s->out, CHECK_HPET_TWICE, "HPET %u", a->id);
    else if (a->owner == b->owner)
        checks_add(s->out, CHECK_SCOPE_TWICE, "type %u, bus %02x, device %02x.%x in structure %zu",
                   a->type, a->bus, a->path[0], a->path[1], a->owner);
    else if (a->of == DMAR_DRHD)
        checks_add(s->out, CHECK_SCOPE_SHARED,
                   "type %u, bus %02x, device %02x.%x in structures %zu and %zu", a->type, a->bus,
                   a->path[0], a->path[1], a->owner, b->owner);
}

static void check_one(struct check_state *s, const struct checked_scope *x)
{
    if (x->type == DMAR_SCOPE_IOAPIC && !check_has_ioapic(s, x->id))
        checks_add(s->out, CHECK_IOAPIC_UNKNOWN, "IOAPIC %u isn't in the MADT", x->id);
    if (x->type == DMAR_SCOPE_HPET && !check_has_hpet(s, x->id))
        checks_add(s->out, CHECK_HPET_UNKNOWN, "HPET %u isn't in the HPET table", x->id);
    if (x->type == DMAR_SCOPE_ACPI && !s->acpi_numbers[x->id])
        checks_add(s->out, CHECK_ACPI_UNKNOWN, "device %u", x->id);
    if (is_pci(x) && s->in->functions)
        check_device(s, x);
}

void check_scopes_compare(struct check_state *s)
{
    for (size_t i = 0; i < s->scopes_count; i++) {
        check_one(s, &s->scopes[i]);
        for (size_t j = 0; j < i; j++)
            check_pair(s, &s->scopes[j], &s->scopes[i]);
    }
    check_missing(s);
}
