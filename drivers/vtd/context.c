// SPDX-License-Identifier: BSD-2-Clause
// A unit's root and context tables: which pages each function reaches (VT-d 3.4, 9.1, 9.3). A bus has a
// context table once one of its functions has an entry.

#include "drivers/vtd/unit.h"

#include "kernel/mem/mem.h"

// Tables of the same mode change by one command, while the unit translates (VT-d 6.6).
bool vtd_turn_translation_on(struct vtd_unit *u, struct problem *p)
{
    if (!vtd_leave_other_mode(u, p))
        return false;
    vtd_write64(u, VTD_RTADDR, mem_phys(u->root) | field_put(VTD_RTADDR_TTM, VTD_TTM_LEGACY));
    u->fenced = vtd_flush_write_buffer(u, p) && vtd_gcmd(u, VTD_GCMD_SRTP, true, p) &&
                vtd_invalidate_translations(u, p) && vtd_gcmd(u, VTD_GCMD_TE, true, p);
    return u->fenced && vtd_end_protection(u, p);
}

bool vtd_source_of(const struct pci_dev *dev, size_t index, uint16_t *source)
{
    dev = pci_visible(dev);
    *source = index ? dev->requester : dev->bdf;
    return index == 0 || (index == 1 && dev->requester != dev->bdf);
}

// NULL: its bus has no table.
static struct vtd_entry *find(const struct vtd_unit *u, uint16_t source)
{
    uint64_t root = u->root[PCI_BUS(source)].low;
    struct vtd_entry *table = mem_at(root & ROOT_LOW_CTP);
    return root & ROOT_LOW_P ? &table[source & 0xff] : NULL;
}

struct vtd_entry *vtd_context_prepare(struct vtd_unit *u, uint16_t source)
{
    uint64_t *root = &u->root[PCI_BUS(source)].low;
    if (!*root)
        table_set(root, mem_phys(table_new(vtd_snoops(u), u->node)) | ROOT_LOW_P, vtd_snoops(u));
    return find(u, source);
}

// From absent to present: the unit has nothing to forget, unless it keeps absent entries as well (CAP.CM;
// VT-d 6.1).
static bool added(struct vtd_unit *u, struct problem *p)
{
    return u->cap & VTD_CAP_CM ? vtd_invalidate_translations(u, p) : vtd_flush_write_buffer(u, p);
}

// P is set last, by a store of its own.
bool vtd_context_grant(struct vtd_unit *u, uint16_t source, const struct pci_space *s,
                       struct problem *p)
{
    uint16_t before = vtd_context_domain(u, source);
    if (before == s->id)
        return true;
    if (before && !vtd_context_revoke(u, source, p))
        return false;
    struct vtd_entry *e = vtd_context_prepare(u, source);
    uint64_t high = field_put(CONTEXT_HIGH_AW, u->levels - 2) | field_put(CONTEXT_HIGH_DID, s->id);
    table_set(&e->high, high, vtd_snoops(u));
    table_set(&e->low, mem_phys(s->roots[u->levels]) | CONTEXT_LOW_P, vtd_snoops(u));
    return added(u, p);
}

// Then no DMA of the function's is under way any more: the invalidation of its domain drains what had been
// translated before (VT-d 6.5.2.3, 6.5.4). Asked again, it is done again: the first time may have failed.
// An absent entry goes on saying which domain it was.
bool vtd_context_revoke(struct vtd_unit *u, uint16_t source, struct problem *p)
{
    struct vtd_entry *e = find(u, source);
    uint16_t domain = e ? (uint16_t)field_get(CONTEXT_HIGH_DID, e->high) : 0;
    if (!domain)
        return true; // it never had anything
    table_set(&e->low, 0, vtd_snoops(u));
    return vtd_flush_write_buffer(u, p) && vtd_invalidate_source(u, source, domain, p);
}

uint16_t vtd_context_domain(const struct vtd_unit *u, uint16_t source)
{
    const struct vtd_entry *e = u->root ? find(u, source) : NULL;
    return e && e->low & CONTEXT_LOW_P ? (uint16_t)field_get(CONTEXT_HIGH_DID, e->high) : 0;
}

bool vtd_context_silence(struct vtd_unit *u, uint16_t source, struct problem *p)
{
    table_set(&vtd_context_prepare(u, source)->low, CONTEXT_LOW_FPD, vtd_snoops(u));
    return added(u, p);
}
