// SPDX-License-Identifier: BSD-2-Clause
// Functions that nobody drives, and that go on without us, displays and those that firmware uses: behind the
// fence they are blocked in silence, or keep the memory that firmware reserved for them (dma=rmrr).

#include "drivers/vtd/unit.h"

#include "drivers/vtd/scope.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"

#define RESERVED_MOST GIB // for one device

static bool is_driven(vtd_is_driven driven, const struct pci_dev *dev)
{
    return driven && driven(dev);
}

// The first range; NULL: there is none.
static const struct dmar_reserved *reserved_for(const struct pci_dev *dev)
{
    for_each_reserved (dev, range)
        return range;
    return NULL;
}

// What firmware or a display goes on doing without us, and is no news.
static bool is_quiet(const struct pci_dev *dev)
{
    return pci_is_display(dev) || reserved_for(dev);
}

static void tell_quiet(const struct pci_dev *dev)
{
    const struct dmar_reserved *range = reserved_for(dev);
    if (range)
        info("dma: %s is kept from the memory that firmware reserved for it (0x%llx to 0x%llx): "
             "dma=rmrr lets it in there",
             dev->name, (unsigned long long)range->base, (unsigned long long)range->end - 1);
    else
        info("dma: %s, a display, is kept from all memory", dev->name);
}

// What is no reserved memory, whatever the table says: RAM, where the kernel is, or more than a device
// could want.
static bool is_sane(const struct pci_dev *dev, const struct dmar_reserved *range)
{
    uint64_t bytes = range->end - range->base;
    if (bytes <= RESERVED_MOST && !mem_has_ram(range->base, bytes))
        return true;
    warn("dma-reserved",
         "firmware says that it reserved 0x%llx to 0x%llx for %s, which %s: kept from it; update "
         "the firmware",
         (unsigned long long)range->base, (unsigned long long)range->end - 1, dev->name,
         bytes > RESERVED_MOST ? "is too much" : "is RAM of everybody's");
    return false;
}

static bool map_reserved(const struct vtd_unit *u, const struct pci_dev *dev, struct pci_space *s,
                         struct problem *p)
{
    for_each_reserved (dev, range) {
        if (!is_sane(dev, range))
            continue;
        if (range->end > u->limit)
            return problem_set(p, "dma-reserved",
                               "firmware reserved memory up to 0x%llx for %s, which VT-d unit "
                               "0x%llx can't translate: run with dma=fence",
                               (unsigned long long)range->end, dev->name,
                               (unsigned long long)u->base);
        (void)tables_map(&s->tables, range->base, range->base, range->end - range->base,
                         PAGE_R | PAGE_W);
        info("dma: %s reaches what firmware reserved for it (0x%llx to 0x%llx)", dev->name,
             (unsigned long long)range->base, (unsigned long long)range->end - 1);
    }
    return true;
}

static bool let_in(struct vtd_unit *u, const struct pci_dev *dev, struct pci_space *s,
                   struct problem *p)
{
    bool ok = map_reserved(u, dev, s, p);
    for_each_source (dev, source)
        ok = ok && vtd_context_grant(u, source, s, p);
    return ok;
}

static bool share_an_id(const struct pci_dev *one, const struct pci_dev *other)
{
    one = pci_visible(one);
    other = pci_visible(other);
    return one->segment == other->segment && one->requester == other->requester;
}

// A space with the reserved ranges alone, of the device and of those that bear the same id, since whoever sends
// by that reaches what each of them does: it may stand already.
static bool keep_reserved(struct vtd_unit *u, const struct pci_dev *dev, vtd_is_driven driven,
                          struct problem *p)
{
    if (vtd_context_domain(u, pci_visible(dev)->requester))
        return true;
    struct pci_space *s = vtd_space_create(p);
    if (!s)
        return false;
    if (s->id >= vtd_domains(u))
        return problem_set(p, "dma-domains",
                           "VT-d unit 0x%llx has fewer domains (CAP.ND %llu) than devices with "
                           "memory that firmware reserved: run with dma=fence",
                           (unsigned long long)u->base,
                           (unsigned long long)field_get(VTD_CAP_ND, u->cap));
    for_each_pci_dev (peer)
        if (share_an_id(peer, dev) && reserved_for(peer) && !is_driven(driven, peer) &&
            !let_in(u, peer, s, p))
            return false;
    return true;
}

// By each of its ids, but one by which another device reaches something.
static bool silence(struct vtd_unit *u, const struct pci_dev *dev, struct problem *p)
{
    tell_quiet(dev);
    for_each_source (dev, source)
        if (!vtd_context_domain(u, source) && !vtd_context_silence(u, source, p))
            return false;
    return true;
}

bool vtd_undriven_settle(struct vtd_unit *u, bool rmrr, vtd_is_driven driven, struct problem *p)
{
    for_each_pci_dev (dev) {
        if (!is_quiet(dev) || is_driven(driven, dev) || vtd_unit_of(dev, NULL) != u)
            continue;
        if (!(rmrr && reserved_for(dev) ? keep_reserved(u, dev, driven, p) : silence(u, dev, p)))
            return false;
    }
    return true;
}
