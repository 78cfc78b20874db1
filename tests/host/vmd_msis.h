// SPDX-License-Identifier: BSD-2-Clause
// MSIs from behind a VMD on the IRQ core's world: drives' interrupts, signalled by a model of the
// registers on their way and delivered to modelled CPUs.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"
#include "tests/host/vmd_model.h"

static struct problem p;

// By irq: how often its handler was called, and on which CPU it last was.
static struct {
    unsigned calls, cpu;
} taken[300];

static void take(void *arg)
{
    taken[(uintptr_t)arg].calls++;
    taken[(uintptr_t)arg].cpu = world.current;
}

static int begin(void **state)
{
    memset(taken, 0, sizeof(taken));
    vmd_machine();
    return 0;
}

// While the model is there still, whose entries are masked.
static int finish(void **state)
{
    world.current = 0;
    while (irq_first())
        irq_free(irq_first());
    vmd_machine();
    return end(state);
}

static struct vmd_fn *boot(enum irq_mode mode, unsigned count, unsigned device, unsigned vectors,
                           unsigned drives)
{
    start_on(count, (struct irq_config){ .mode = mode });
    world.on_send = world_take;
    struct vmd_fn *v = vmd_new(device, vectors, 0);
    for (unsigned i = 0; i < drives; i++)
        vmd_add_drive(v);
    vmd_boot();
    if (model.warnings)
        fail_msg("%s", model.warning);
    for (unsigned i = 0; i < drives; i++) {
        struct pci_dev *dev = vmd_drive_dev(&v->drives[i]);
        assert_true(msix_enable(dev, &p));
        assert_true(pci_enable(dev, &p));
    }
    return v;
}

static void moved(void *arg, unsigned cpu)
{
}

static struct irq *new_queue(const struct vmd_drive *d, unsigned entry, unsigned cpu,
                             uintptr_t number)
{
    struct irq *irq = irq_alloc(vmd_drive_dev(d), entry, cpu, take, (void *)number, "queue", &p);
    if (!irq)
        fail_msg("%s", p.message);
    irq_on_move(irq, moved);
    irq_enable(irq);
    return irq;
}

// The remapping unit: an MSI goes where its entry says, if the VMD sends it. False: nothing was sent.
static inline bool signal_from(const struct vmd_drive *d, unsigned entry)
{
    struct vmd_msi msi;
    unsigned was = world.current;
    if (!vmd_signal(d, entry, &msi))
        return false;
    assert_int_equal(msi.requester, d->vmd->fn->bdf);
    const struct world_route *route = &world.routes[(msi.address - 0xfee00000) % 32];
    if (route->posted) {
        post(route->to.cpu, route->to.vector);
    } else {
        world.current = route->to.cpu;
        irq_take_device(route->to.vector);
    }
    world.current = was;
    return true;
}

static inline void run(unsigned cpu)
{
    unsigned was = world.current;
    world.current = cpu;
    do
        cpu_run_messages(this_cpu());
    while (irq_poll());
    world.current = was;
}

static void run_all(void)
{
    for (unsigned round = 0; round < 3; round++)
        for (unsigned cpu = 0; cpu < world.count; cpu++)
            run(cpu);
}

static inline unsigned own_irqs(const struct vmd_fn *v, unsigned cpu)
{
    unsigned count = 0;
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        count += irq->dev == vmd_dev(v) && (cpu == UINT32_MAX || irq->cpu == cpu);
    return count;
}

static inline void assert_reaches(const struct vmd_drive *d, const struct irq *irq)
{
    uintptr_t n = (uintptr_t)irq->arg;
    unsigned calls = taken[n].calls;
    uint64_t counted = irq->counts[irq->cpu];
    assert_true(signal_from(d, irq->index));
    run_all();
    assert_int_equal(taken[n].calls, calls + 1);
    assert_int_equal(taken[n].cpu, irq->cpu);
    assert_int_equal(irq->counts[irq->cpu], counted + 1);
}

static const enum irq_mode modes[] = { IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE, IRQ_POLL, IRQ_MSI };

#define for_each_mode(mode)                                                                        \
    for (size_t mode##_i = 0; mode##_i < ARRAY_SIZE(modes); mode##_i++, finish(NULL), begin(NULL)) \
        for (enum irq_mode mode = modes[mode##_i], *mode##_once = &mode; mode##_once;              \
             mode##_once = NULL)

#define test(f) cmocka_unit_test_setup_teardown(f, begin, finish)
