// SPDX-License-Identifier: BSD-2-Clause
// Which functions may be given to a domain, whose program has them do anything that they can do: those whose
// requests all pass a remapping unit, by an id that is nobody else's.

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_fence.h"
#include "kernel/pci/pci_regs.h"

struct given {
    struct pci_dev *const *devs;
    size_t count;
};

static bool has(const struct given *g, const struct pci_dev *dev)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->devs[i] == dev)
            return true;
    return false;
}

// Bridges send nothing of their own, and have no registers that a request reaches.
static bool is_bystander(const struct pci_dev *dev, const struct given *g)
{
    return dev->header == PCI_HEADER_NORMAL && !dev->removed && !has(g, dev);
}

// ---- ids ----

static bool hidden(const struct pci_dev *dev, struct problem *p)
{
    return problem_set(p, "domain-alias",
                       "%s sends by the requester id of %s, which hides it, as all that is hidden "
                       "there does: turn VMD off in the firmware's set-up, or give other devices "
                       "to domains",
                       dev->name, dev->domain->host->name);
}

// Even of one domain's: one would go on by what the other has been granted.
static bool has_own_id(const struct pci_dev *dev, struct problem *p)
{
    if (dev->domain)
        return hidden(dev, p);
    for_each_pci_dev (other)
        if (other != dev && other->header == PCI_HEADER_NORMAL && !other->removed &&
            (pci_bears(other, dev->segment, dev->requester) ||
             pci_bears(other, dev->segment, dev->bdf)))
            return problem_set(p, "domain-alias",
                               "%s and %s send by one requester id, so that remapping units can't "
                               "tell them apart: give other devices to domains",
                               dev->name, other->name);
    return true;
}

// ---- virtual functions ----

// What is done to the physical one is done to them.
static bool has_its_virtual(const struct pci_dev *dev, const struct given *g, struct problem *p)
{
    unsigned virtual = 0;
    for (size_t i = 0; i < g->count; i++)
        virtual += g->devs[i]->physical == dev;
    return virtual == dev->virtual.count ||
           problem_set(
               p, "domain-virtual",
               "%s has %u virtual functions, of which the domain would have %u: give it all "
               "of them, or some of them without %s",
               dev->name, dev->virtual.count, virtual, dev->name);
}

// ---- ways past the remapping units ----

// What a function that has ACS doesn't offer, it has no need of (6.12.1). Virtual functions are younger than
// the rule that those which reach their siblings have it, so that one without reaches none.
static bool keeps_apart(const struct pci_dev *dev)
{
    uint32_t asked = PCI_ACS_REQUEST_REDIRECT | PCI_ACS_COMPLETION_REDIRECT;
    unsigned cap = pci_find_ext_cap(dev, PCI_EXT_CAP_ACS);
    if (!cap)
        return dev->physical;
    if (pci_is_port(dev))
        asked |= PCI_ACS_SOURCE_VALIDATION | PCI_ACS_UPSTREAM_FORWARDING;
    return !(asked & pci_read16(dev, cap + PCI_ACS_CAP) &
             ~(uint32_t)pci_read16(dev, cap + PCI_ACS_CONTROL));
}

// Of one device, or of one switch, or on one conventional bus: on a root bus alone devices have nothing in
// common.
static bool is_beside(const struct pci_dev *dev, const struct pci_dev *other)
{
    return dev->segment == other->segment && PCI_BUS(dev->bdf) == PCI_BUS(other->bdf) &&
           (dev->parent || PCI_DEV(dev->bdf) == PCI_DEV(other->bdf));
}

// A port turns back to what is below it, an upstream one has its downstream ones do so.
static bool is_near(const struct pci_dev *dev, const struct pci_dev *other)
{
    for (; other && (other != dev || pci_is_port(dev)); other = other->parent)
        if (is_beside(dev, other))
            return true;
    return false;
}

static bool reached(const struct pci_dev *dev, const struct pci_dev *other,
                    const struct pci_dev *at, struct problem *p)
{
    return problem_set(p, "domain-acs",
                       "%s could reach %s past the remapping unit, since %s doesn't keep them "
                       "apart (PCIe ACS): give both to one domain, or put it into another slot",
                       dev->name, other->name, at->name);
}

// At each place on the way up, what a request could turn aside to.
static bool is_walled(const struct pci_dev *dev, const struct given *g, struct problem *p)
{
    const struct pci_dev *other;
    for (const struct pci_dev *at = dev; at; at = at->parent)
        for (size_t i = 0; !keeps_apart(at) && (other = pci_get(i)); i++)
            if (is_bystander(other, g) && is_near(at, other))
                return reached(dev, other, at, p);
    return true;
}

bool pci_is_out_of_reach(const struct pci_dev *dev, struct problem *p)
{
    for_each_pci_dev (given)
        for (const struct pci_dev *at = given; given->space && at; at = at->parent)
            if (given != dev && is_near(at, dev) && !keeps_apart(at))
                return reached(given, dev, at, p);
    return true;
}

bool pci_may_give(struct pci_dev *const *given, size_t count, struct problem *p)
{
    const struct given g = { given, count };
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = has_own_id(given[i], p) && has_its_virtual(given[i], &g, p) &&
             is_walled(given[i], &g, p);
    return ok;
}

// ---- error messages ----

bool pci_is_muted(const struct pci_dev *lowest)
{
    for_each_pci_dev (dev)
        if (dev->given_to && pci_lowest(dev) == lowest)
            return true;
    return false;
}

// Returns which of the bits were set.
static uint16_t change(const struct pci_dev *dev, unsigned at, uint32_t clear, uint32_t set)
{
    uint16_t before = pci_read16(dev, at);
    if (before == UINT16_MAX)
        return 0; // it isn't there
    uint16_t after = (uint16_t)((before & ~clear) | set);
    if (after != before)
        pci_write16(dev, at, after);
    return (uint16_t)(before & clear);
}

// Either register has it send those of uncorrectable errors (6.2.6).
static void mute(struct pci_dev *dev)
{
    unsigned express = pci_find_cap(dev, PCI_CAP_EXP);
    dev->reports = change(dev, PCI_COMMAND, PCI_COMMAND_SERR, 0);
    if (express)
        dev->reports |=
            change(dev, express + PCI_EXP_DEVICE_CONTROL, PCI_EXP_DEVICE_CONTROL_REPORTS, 0);
}

static void unmute(const struct pci_dev *dev)
{
    unsigned express = pci_find_cap(dev, PCI_CAP_EXP);
    if (express)
        change(dev, express + PCI_EXP_DEVICE_CONTROL, 0,
               dev->reports & PCI_EXP_DEVICE_CONTROL_REPORTS);
    change(dev, PCI_COMMAND, 0, dev->reports & PCI_COMMAND_SERR);
}

void pci_give(struct pci_dev *dev, const char *to, uint64_t now_ns)
{
    struct pci_dev *lowest = pci_lowest(dev);
    bool before = pci_is_muted(lowest);
    if (dev->given_to == to)
        return;
    pci_errors_end(dev, now_ns);
    dev->given_to = to;
    if (!before && pci_is_muted(lowest))
        mute(lowest);
    else if (before && !pci_is_muted(lowest))
        unmute(lowest);
}
