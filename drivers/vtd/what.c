// SPDX-License-Identifier: BSD-2-Clause
// What lies at an address that a unit blocked.

#include "drivers/vtd/scope.h"
#include "drivers/vtd/unit.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"

// What a blocked address is, as far as we know; NULL: mem_what() knows more.
static const char *table_at(const struct vtd_unit *u, uint64_t at)
{
    if (u->table.entries && at - mem_phys(u->table.entries) < u->table.count * sizeof(struct irte))
        return "an interrupt remapping table";
    if (u->queue.descriptors && at == mem_phys(u->queue.descriptors))
        return "an invalidation queue";
    return u->root && at == mem_phys(u->root) ? "a root table" : NULL;
}

const char *vtd_what_lies_at(uint64_t at)
{
    const char *what = NULL;
    for_each_unit (u)
        what = what ? what : table_at(u, at);
    for (unsigned cpu = 0; !what && cpu < cpu_total(); cpu++)
        if (irq_pi_desc(cpu) && mem_phys(irq_pi_desc(cpu)) / PAGE_BYTES == at / PAGE_BYTES)
            what = "a CPU's own data, its posted-interrupt descriptor among it";
    return what ? what : mem_what(at);
}

static bool has_reserved(const struct pci_dev *dev, uint64_t at)
{
    for_each_reserved (dev, range)
        if (at >= range->base && at < range->end)
            return true;
    return false;
}

bool vtd_is_reserved_at(const struct vtd_fault *f)
{
    for_each_pci_dev (dev)
        if (dev->segment == f->segment && (dev->requester == f->source || dev->bdf == f->source) &&
            has_reserved(dev, f->address))
            return true;
    return false;
}
