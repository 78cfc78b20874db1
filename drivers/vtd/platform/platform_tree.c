// SPDX-License-Identifier: BSD-2-Clause
// Which devices each remapping unit really covers.

#include "drivers/vtd/platform/platform.h"
#include "drivers/vtd/scope.h"
#include "kernel/base/report.h"
#include "lib/format.h"

#define DEPTH_MOST 16 // shown; ends a loop in a damaged tree

static unsigned depth_of(const struct pci_dev *dev)
{
    unsigned depth = 0;
    while (dev->parent && depth < DEPTH_MOST) {
        dev = dev->parent;
        depth++;
    }
    return depth;
}

static void print_scope(const struct dmar_scope *s)
{
    char path[64];
    size_t used = 0;
    path[0] = 0;
    for (unsigned i = 0; i < s->hops && used < sizeof(path) - 8; i++)
        used += (size_t)format_text(path + used, sizeof(path) - used, " %02x.%x", s->path[2 * i],
                                    s->path[2 * i + 1]);
    info("  names %s on bus %02x:%s", s->type == DMAR_SCOPE_BRIDGE ? "a bridge" : "a device",
         s->start_bus, path);
}

static void print_device(const struct pci_dev *dev)
{
    unsigned depth = depth_of(dev);
    info("  %*s%s%s %04x:%04x, class %06x%s%s", 2 * (int)depth, "", depth ? "`-" : "", dev->name,
         dev->vendor, dev->device, dev->class_code, dev->header == 1 ? ", bridge" : "",
         !dev->granted ? ""
         : dev->space  ? ", reaches a domain's memory"
                       : ", reaches the DMA arena");
}

// Those that firmware reserved memory for.
static void print_reserved(const struct dmar *d, const struct pci_dev *dev)
{
    const struct dmar_reserved *r;
    size_t scope = 0;
    while (scope_next_reserved(d, dev, &scope, &r))
        info("  %s has reserved memory: 0x%llx to 0x%llx", dev->name, (unsigned long long)r->base,
             (unsigned long long)r->end - 1);
}

static void print_unit(size_t index)
{
    const struct dmar *d = vtd_units_table();
    const struct dmar_unit *u = &d->units[index];
    struct problem ignored;
    size_t unit;
    info("unit 0x%llx%s", (unsigned long long)u->base,
         u->include_pci_all ? ", and what no other one of its segment names" : "");
    for (size_t i = 0; i < d->scopes_count; i++)
        if (!d->scopes[i].reserves && d->scopes[i].index == index)
            print_scope(&d->scopes[i]);
    for_each_pci_dev (dev)
        if (scope_find(d, dev, &unit, &ignored) && unit == index)
            print_device(dev);
}

static void print_all_reserved(const struct dmar *d)
{
    const struct pci_dev *dev;
    for (size_t i = 0; d->reserved_count && (dev = pci_get(i)); i++)
        print_reserved(d, dev);
}

void platform_print_tree(void)
{
    const struct dmar *d = vtd_units_table();
    const struct pci_dev *dev;
    struct problem p;
    size_t unit;
    for (size_t i = 0; i < d->units_count; i++)
        print_unit(i);
    print_all_reserved(d);
    for (size_t i = 0; d->units_count && (dev = pci_get(i)); i++)
        if (!scope_find(d, dev, &unit, &p))
            info("behind none: %s", dev->name);
}
