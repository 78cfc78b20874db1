// SPDX-License-Identifier: BSD-2-Clause
// A VMD and what is behind it, all of it made of the fuzzer's bytes. Whatever the registers say, the
// driver ends, touches nothing that it didn't map, maps nothing outside of the VMD's memory for what is
// behind, and names no vector that the VMD doesn't have.

#include "kernel/base/percpu.h"
#include "tests/fuzz/input.h"
#include "tests/host/irq_world.h"
#include "tests/host/vmd_model.h"

#define FUNCTIONS_MAX 40

static unsigned pick_device(struct input *in)
{
    static const uint16_t ids[] = { 0x201d, 0x28c0, 0x9a0b };
    return ids[take(in, 1) % ARRAY_SIZE(ids)];
}

// As firmware leaves it, but for some of its bytes.
static struct vmd_fn *build_vmd(struct input *in)
{
    uint8_t kind = (uint8_t)take(in, 1), first = (uint8_t)take(in, 1);
    struct vmd_fn *v = vmd_new(pick_device(in), (unsigned)take(in, 2) % 2049, first);
    struct model_fn *f = v->fn;
    model_set(f, 0x40, (uint32_t)take(in, 2), 2);
    model_set(f, 0x44, (uint32_t)take(in, 2), 2);
    model_writable(f, 0x44, (uint32_t)take(in, 2), 2);
    model_set(f, 0x70, (uint32_t)take(in, 4), 4);
    for (unsigned bar = 0; bar < 3; bar++)
        if (kind & 1 << bar)
            model_bar64(f, 2 * bar, take(in, 8) & ~0xfffull, 1ull << (4 + take(in, 1) % 60));
    if (kind & 8)
        model.hidden[0].bytes = 1ull << (12 + take(in, 1) % 24);
    if (kind & 16) {
        model_cap(f, 0xc0, 9);
        model_set(f, 0xc4, 0x53484457, 4);
    }
    for (unsigned i = 0; i < 4; i++) {
        model_set(f, 0xc8 + 4 * i, (uint32_t)take(in, 4), 4);
        memcpy(v->memory + 0x2000 + 4 * i, f->space + 0xc8 + 4 * i, 4);
    }
    return v;
}

static void build_function(struct input *in)
{
    uint16_t bdf = (uint16_t)(take(in, 2) & 0x1fff) + (uint16_t)(model.hidden[0].first << 8);
    uint8_t kind = (uint8_t)take(in, 1);
    struct model_fn *f;
    if (model_find(VMD_SEGMENT(0), bdf))
        return;
    if (kind & 1)
        f = model_bridge(VMD_SEGMENT(0), bdf, (uint8_t)take(in, 1), (uint8_t)take(in, 1));
    else
        f = model_add(VMD_SEGMENT(0), bdf, 0x010802);
    if (kind & 2)
        model_express(f, kind >> 4);
    if (kind & 4)
        model_msix(f, 0x60, 1 + (unsigned)take(in, 1), 0, (uint32_t)take(in, 2) & ~7u);
    if (kind & 8)
        model_bar64(f, 0, (kind & 16 ? VMD_MEM1(0) : VMD_MEM2(0)) + (take(in, 2) << 12),
                    1ull << (4 + take(in, 1) % 28));
    for (size_t i = take(in, 1) % 8; i > 0; i--) {
        uint8_t at = (uint8_t)take(in, 1);
        f->space[at] = (uint8_t)take(in, 1);
        f->writable[at] = (uint8_t)take(in, 1);
    }
}

static bool is_in_membar(const struct pci_dev *host, const struct model_range *r)
{
    for (unsigned bar = 2; bar <= 4; bar += 2) {
        const struct pci_bar *b = &host->bars[bar];
        if (r->phys >= b->base && r->phys - b->base <= b->bytes &&
            r->bytes <= b->bytes - (r->phys - b->base))
            return true;
    }
    return false;
}

static void check_tree(const struct pci_dev *dev, const struct pci_dev *host)
{
    const struct pci_dev *above = dev;
    require(dev->segment == PCI_SEGMENT_HIDDEN && dev->requester == host->requester);
    require(pci_visible(dev) == host);
    for (unsigned i = 0; above != host; i++, above = above->parent)
        require(above && i < 256);
}

static void use_bars(struct pci_dev *dev, const struct pci_dev *host)
{
    struct problem p;
    volatile void *window;
    for (unsigned bar = 0; bar < 7; bar++)
        if (pci_map_bar(dev, bar, 0x10, &window, &p))
            require(is_in_membar(host, &model.mapped[model.mapped_count - 1]));
}

static void nobody(void *arg)
{
}

static void use_irqs(struct pci_dev *dev, const struct pci_dev *host)
{
    struct problem p;
    struct irq *irq;
    struct msi_msg msg;
    if (!msix_enable(dev, &p))
        return;
    require(is_in_membar(host, &model.mapped[model.mapped_count - 1]));
    irq = irq_alloc(dev, dev->msix.vectors - 1u, dev->bdf % 2, nobody, NULL, "fuzz", &p);
    if (!irq)
        return;
    irq_enable(irq);
    if (!irq->chip->through)
        return;
    irq->chip->compose(irq, (struct irq_place){ irq->cpu, irq->vector }, &msg);
    require(msg.address >> 20 == 0xfee && !(msg.address & 0xfff) && !msg.data);
    require((msg.address >> 12 & 0xff) < host->msix.vectors);
}

static void use(struct pci_dev *dev)
{
    struct pci_dev *host = dev->domain->host;
    struct problem p;
    check_tree(dev, host);
    (void)pci_enable(dev, &p);
    use_bars(dev, host);
    use_irqs(dev, host);
    pci_stop_bus_master(dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, data + size };
    struct problem p;
    start(take(&in, 1) & 1 ? IRQ_ADAPTIVE : IRQ_REMAPPED);
    vmd_machine();
    build_vmd(&in);
    while (in.at < in.end && model.fns_count < FUNCTIONS_MAX)
        build_function(&in);
    if (!pci_init(&p))
        return 0;
    vmd_init();
    pci_stop_masters();
    for (size_t i = 0; pci_get(i); i++) {
        model.mapped_count = MIN(model.mapped_count, ARRAY_SIZE(model.mapped) / 2);
        if (pci_get(i)->domain)
            use(pci_get(i));
    }
    while (irq_first())
        irq_free(irq_first());
    return 0;
}
