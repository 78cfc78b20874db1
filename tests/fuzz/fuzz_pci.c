// SPDX-License-Identifier: BSD-2-Clause
// The PCI scan over functions made of the fuzzer's bytes. Whatever they say, the scan has to end,
// to touch nothing that it didn't map, and to leave a tree behind.

#include <stdarg.h>

#include "kernel/pci/msi.h"
#include "tests/fuzz/input.h"
#include "tests/host/pci_fixture.h"

#define FUNCTIONS_MAX 100

// One segment in two parts and another one. Few buses: most of the time goes into empty ones.
static void build_segments(struct input *in)
{
    uint8_t last = (uint8_t)take(in, 1) & 0x3f, more = 1 + (take(in, 1) & 0x1f);
    model_segment(0, 0xb0000000, 0, last);
    model_segment(0, 0xb0000000, last + 1, last + more);
    model_segment((uint16_t)(take(in, 1) | 1), 0x4000000000, 3, 3 + (take(in, 1) & 0xf));
}

// Off, with registers that can be written to, and a reset.
static void make_plausible(struct model_fn *f, uint8_t count)
{
    model_set(f, 0x108, 0, 2);
    model_writable(f, 0x108, 0x19, 2);
    model_set(f, 0x10c, count, 2);
    model_set(f, 0x10e, count, 2);
    model_writable(f, 0x110, 0xffff, 2);
    model_set(f, 0x47, 0x10, 1);
}

// Virtual functions, the next function of an ARI device, or both, one leading to the other.
static void build_extended(struct model_fn *f, struct input *in)
{
    uint8_t kind = (uint8_t)take(in, 1);
    if (kind & 1) {
        model_set(f, 0x100, 0x0010 | (uint32_t)take(in, 2) << 16, 4);
        model_set(f, 0x108, (uint32_t)take(in, 2), 2);
        for (unsigned at = 0x10c; at < 0x11c; at += 2)
            model_set(f, at, (uint32_t)take(in, 2), 2);
        model_writable(f, 0x110, (uint32_t)take(in, 2), 2);
        model_writable(f, 0x108, (uint32_t)take(in, 2), 2);
        model_writable(f, 0x124, (uint32_t)take(in, 4), 4);
        if (kind & 8)
            make_plausible(f, kind >> 5);
    }
    if (kind & 2) {
        model_set(f, kind & 1 ? 0x200 : 0x100, 0x0001000e, 4);
        model_set(f, kind & 1 ? 0x205 : 0x105, (uint32_t)take(in, 1), 1);
    }
    if (kind & 4) {
        model_cap(f, 0x50, 0x01);
        model_set(f, 0x54, (uint32_t)take(in, 2), 2);
        model_writable(f, 0x54, (uint32_t)take(in, 2), 2);
    }
}

// Some bytes of the space, with some of their bits writable; the rest is a plain device or bridge.
static void build_function(struct input *in)
{
    uint16_t segment = model.mcfg.segments[take(in, 1) % model.mcfg.count].segment;
    uint16_t bdf = (uint16_t)take(in, 2) & 0x7fff;
    uint8_t kind = (uint8_t)take(in, 1);
    if (model_find(segment, bdf))
        return;
    struct model_fn *f;
    if (kind & 1)
        f = model_bridge(segment, bdf, (uint8_t)take(in, 1), (uint8_t)take(in, 1));
    else
        f = model_add(segment, bdf, 0x010802);
    if (kind & 2)
        model_express(f, kind >> 4);
    if (kind & 4)
        model_msix(f, 0x60, 1 + (unsigned)take(in, 2) % 2048, kind >> 5,
                   (uint32_t)take(in, 4) & ~7u);
    if (kind & 8)
        model_bar64(f, 0, take(in, 8) & ~0xfffull, 1ull << (4 + take(in, 1) % 60));
    build_extended(f, in);
    for (size_t i = take(in, 1) % 16; i > 0; i--) {
        uint8_t at = (uint8_t)take(in, 1);
        f->space[at] = (uint8_t)take(in, 1);
        f->writable[at] = (uint8_t)take(in, 1);
    }
}

static void no_delay(uint64_t ns)
{
}

static void use_power(struct pci_dev *dev)
{
    struct problem p;
    bool woken;
    pci_power_on(dev, no_delay, &woken, &p);
}

static void use_bars(struct pci_dev *dev)
{
    struct problem p;
    volatile void *window;
    for (unsigned bar = 0; bar < 7; bar++)
        pci_map_bar(dev, bar, 0x1000, &window, &p);
}

static void use_msix(struct pci_dev *dev)
{
    const struct msi_msg msg = { 0xfee00000, 1 };
    struct problem p;
    if (msix_enable(dev, &p)) {
        msix_write(dev, dev->msix.vectors - 1u, &msg);
        msix_mask(dev, 0, false);
    }
    msix_disable(dev);
}

// Turned on, found, and off again, where nobody looks; a reset as well.
static void use_virtual(struct pci_dev *dev)
{
    struct problem p;
    unsigned most = pci_virtual_most(dev);
    if (pci_get(FUNCTIONS_MAX))
        return;
    if (most && pci_virtual_start(dev, MIN(most, 8u), &p) && pci_virtual_find(dev))
        pci_virtual_stop(dev);
    require(!dev->virtual.count || !most);
    (void)pci_reset(dev, no_delay, &p);
}

static void check(const struct pci_dev *dev, const struct pci_dev *before)
{
    require(dev->parent == NULL ||
            (dev->parent->segment == dev->segment && dev->parent->secondary <= PCI_BUS(dev->bdf) &&
             PCI_BUS(dev->parent->bdf) < PCI_BUS(dev->bdf)));
    require(dev->physical == NULL || (dev->physical->segment == dev->segment &&
                                      dev->virtual_index < dev->physical->virtual.count &&
                                      dev->parent == dev->physical->parent));
    require(dev->parent == NULL || dev->physical || dev->parent->secondary == PCI_BUS(dev->bdf));
    require(!before || before->segment < dev->segment ||
            (before->segment == dev->segment && PCI_BUS(before->bdf) <= PCI_BUS(dev->bdf)));
    require(pci_find_cap(dev, 0x42) < 0x100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, data + size };
    struct problem p;
    model_reset();
    build_segments(&in);
    while (in.at < in.end && model.fns_count < FUNCTIONS_MAX)
        build_function(&in);
    if (!pci_init(&p))
        return 0;
    pci_stop_masters();
    for (size_t i = 0; pci_get(i); i++) {
        size_t mapped = model.mapped_count;
        check(pci_get(i), i ? pci_get(i - 1) : NULL);
        use_power(pci_get(i));
        use_bars(pci_get(i));
        use_msix(pci_get(i));
        (void)pci_enable(pci_get(i), &p);
        pci_stop_bus_master(pci_get(i));
        model.mapped_count = mapped;
    }
    for (size_t i = 0; pci_get(i); i++) {
        size_t mapped = model.mapped_count;
        use_virtual(pci_get(i));
        model.mapped_count = mapped;
    }
    return 0;
}
