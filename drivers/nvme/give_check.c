// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/give_check.h"

#include "drivers/nvme/nvme_show_regs.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/quirks.h"
#include "kernel/domain/words.h"
#include "kernel/pci/msi.h"
#include "kernel/run/allow_write.h"
#include "lib/mmio.h"
#include "lib/string.h"

// What a domain names, and the problem to fill in.
struct asked {
    const struct domain_words *words;
    struct problem *p;
};

static bool is_named(const struct asked *a, const struct block_dev *dev)
{
    return domain_words_have(a->words, dev->name);
}

// ---- disks ----

// Whoever has a controller's queues may write to all that it reaches.
static bool may_be_written(const struct asked *a, const struct block_dev *dev)
{
    char word[ALLOW_WRITE_WORD];
    return dev->writable ||
           problem_set(
               a->p, "domain-write",
               "%s can't go to a domain: it would have its queues, and nobody could keep it "
               "from writing to it: add allow-write=%s",
               dev->name, allow_write_word(dev->serial, word));
}

static bool goes_along(const struct asked *a, const struct nvme_ns *ns)
{
    return is_named(a, &ns->dev) ||
           problem_set(a->p, "domain-namespaces",
                       "%s: a domain has all namespaces of a controller or none, and %s isn't in "
                       "its disks=: add it",
                       ns->ctrl->label, ns->dev.name);
}

static const struct block_dev *first_way(const struct block_dev *dev)
{
    return dev->same_as ? dev->same_as : dev;
}

// A disk by two controllers, of which somebody else has one.
static bool has_all_ways(const struct asked *a, const struct block_dev *dev)
{
    for (const struct block_dev *way = block_first(); way; way = way->next)
        if (way != dev && first_way(way) == first_way(dev) && !is_named(a, way))
            return problem_set(a->p, "domain-ways",
                               "%s is the same disk as %s: a domain has all ways to a disk or "
                               "none: add %s to its disks=, or detach the namespace from one",
                               dev->name, way->name, way->name);
    return true;
}

static bool may_have_disks(const struct asked *a, const struct nvme_ctrl *c)
{
    for (const struct nvme_ns *ns = c->namespaces; ns; ns = ns->next)
        if (!goes_along(a, ns) || !may_be_written(a, &ns->dev) || !has_all_ways(a, &ns->dev))
            return false;
    return true;
}

// ---- the function ----

static bool has_named_disk(const struct asked *a, const struct pci_dev *dev)
{
    for (const struct block_dev *disk = block_first(); disk; disk = disk->next) {
        const struct nvme_ns *ns = disk->driver;
        if (disk->prepare == nvme_prepare && ns->ctrl->dev == dev && is_named(a, disk))
            return true;
    }
    return false;
}

// A reset of the physical function is one of all its virtual ones (SR-IOV, PCIe Base 6.0, 9.2.2).
static bool has_virtual_functions(const struct asked *a, const struct nvme_ctrl *c)
{
    for_each_pci_dev (dev)
        if (dev->physical == c->dev && !has_named_disk(a, dev))
            return problem_set(a->p, "domain-virtual",
                               "%s has virtual functions, which are reset along with it: %s has to "
                               "go to the same domain: add a disk of its, or turn them off",
                               c->label, dev->name);
    return true;
}

// All requests of what a VMD hides have its id: no fence tells them apart.
static bool is_alone(const struct asked *a, const struct nvme_ctrl *c)
{
    return !c->dev->domain ||
           problem_set(a->p, "domain-vmd",
                       "%s is behind the VMD at %s, whose devices all have one requester id: turn "
                       "VMD off in the firmware's set-up",
                       c->label, pci_visible(c->dev)->name);
}

static bool is_in_use(const struct asked *a, const struct nvme_ctrl *c)
{
    if (c->running && !c->gone && !c->resetting)
        return true;
    return problem_set(a->p, "domain-disk", "%s can't go to a domain now: it %s", c->label,
                       c->gone ? "is gone" : "is being reset");
}

// ---- registers ----

uint64_t nvme_give_first_page(const struct nvme_ctrl *c)
{
    return ALIGN_DOWN(NVME_DOORBELLS + 2ull * c->limits.stride, NVME_PAGE);
}

uint64_t nvme_give_pages_bytes(const struct nvme_ctrl *c, unsigned queues)
{
    uint64_t end = NVME_DOORBELLS + 2ull * (queues + 1) * c->limits.stride;
    return ALIGN_UP(end, NVME_PAGE) - nvme_give_first_page(c);
}

unsigned nvme_give_queues(const struct nvme_ctrl *c, unsigned cpus)
{
    unsigned most = MIN(nvme_ctrl_queues_fit(c), (unsigned)c->dev->msix.vectors);
    most = MIN(most, c->quirks & NVME_QUIRK_ONE_COMMAND ? 1u : cpus);
    while (most > 1 && nvme_give_pages_bytes(c, most) > DOMAIN_DOORBELL_SPAN)
        most--;
    return most;
}

// A controller memory buffer that is there whether anybody wants it or not; where CMBMSC is, it is off.
static struct nvme_cmb_place fixed_buffer(const struct nvme_ctrl *c)
{
    struct problem ignored;
    struct nvme_cmb_place place = { 0 };
    if (c->limits.has_cmbmsc || c->version < NVME_VERSION(1, 2) ||
        !nvme_parse_cmb(mmio_read32(mmio_at(c->regs, NVME_CMBLOC)),
                        mmio_read32(mmio_at(c->regs, NVME_CMBSZ)), &place, &ignored))
        place.bytes = 0;
    return place;
}

static bool has_buffer_at(const struct nvme_ctrl *c, uint64_t at, uint64_t bytes)
{
    struct nvme_cmb_place place = fixed_buffer(c);
    return place.bytes && place.bar == 0 && place.offset < at + bytes &&
           at < place.offset + place.bytes;
}

static bool has_region(const struct nvme_ctrl *c)
{
    uint64_t cap = mmio_read64(mmio_at(c->regs, NVME_CAP));
    return cap & NVME_CAP_PMRS &&
           !field_get(NVME_PMRCAP_BIR, mmio_read32(mmio_at(c->regs, NVME_PMRCAP)));
}

// The page's other contents; NULL: nothing but doorbells, as far as the specification goes (3.1.1).
static const char *found_at(const struct nvme_ctrl *c, uint64_t at, uint64_t bytes)
{
    const struct pci_bar *bar = &c->dev->bars[0];
    if (bar->base % NVME_PAGE || at + bytes > bar->bytes)
        return "are no whole pages of BAR 0";
    if (msix_is_at(c->dev, 0, at, bytes))
        return "share a page with the MSI-X table or its pending bits";
    if (has_buffer_at(c, at, bytes))
        return "share a page with its controller memory buffer";
    return has_region(c) ? "are in one BAR with its persistent memory region" : NULL;
}

static bool has_doorbells(const struct asked *a, const struct nvme_ctrl *c)
{
    unsigned queues = nvme_give_queues(c, DOMAIN_CPUS_MAX);
    const char *found;
    if (!queues || nvme_give_pages_bytes(c, queues) > DOMAIN_DOORBELL_SPAN)
        return problem_set(a->p, "domain-queues",
                           "%s can't go to a domain: its doorbells, %u bytes apart, have no room "
                           "for one I/O queue",
                           c->label, c->limits.stride);
    found = found_at(c, nvme_give_first_page(c), nvme_give_pages_bytes(c, queues));
    return !found || problem_set(a->p, "domain-registers",
                                 "%s can't go to a domain: its doorbells %s, which no domain may "
                                 "touch",
                                 c->label, found);
}

// An address that the buffer answers to is not the memory's that the domain means by it.
static bool keeps_addresses(const struct asked *a, const struct nvme_ctrl *c)
{
    struct nvme_cmb_place place = fixed_buffer(c);
    if (!place.bytes)
        return true;
    uint64_t at = c->dev->bars[place.bar].base + place.offset;
    return at >= DOMAIN_END || at + place.bytes <= DOMAIN_MEMORY ||
           problem_set(a->p, "domain-registers",
                       "%s can't go to a domain: its controller memory buffer at 0x%llx, which "
                       "can't be turned off, has addresses that domains use for their memory",
                       c->label, (unsigned long long)at);
}

bool nvme_give_check(const struct nvme_ctrl *c, const struct domain_words *words, struct problem *p)
{
    struct asked a = { words, p };
    return is_in_use(&a, c) && is_alone(&a, c) && may_have_disks(&a, c) &&
           has_virtual_functions(&a, c) && has_doorbells(&a, c) && keeps_addresses(&a, c);
}
