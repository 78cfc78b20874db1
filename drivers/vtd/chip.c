// SPDX-License-Identifier: BSD-2-Clause
// The two chips that the IRQ core sees: each irq has an entry in the table of its device's unit;
// the chips differ in what route() writes there.

#include "drivers/vtd/unit.h"
#include "drivers/vtd/vtd.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/mem.h"

static bool chip_alloc(struct irq *irq, struct problem *p)
{
    struct vtd_unit *u = vtd_unit_of(irq->dev, p);
    irq->chip_unit = u;
    return u && vtd_table_take(u, irq, &irq->chip_handle, p);
}

// A unit that can't post would take an entry that posts for one that remaps.
static bool chip_alloc_posted(struct irq *irq, struct problem *p)
{
    const struct vtd_unit *u = vtd_unit_of(irq->dev, p);
    return u && vtd_unit_can_post(u, p) && chip_alloc(irq, p);
}

static void chip_free(struct irq *irq)
{
    struct problem p;
    if (!vtd_table_release(irq->chip_unit, irq->chip_handle, &p))
        error_problem(&p);
}

static void chip_compose(const struct irq *irq, struct irq_place to, struct msi_msg *msg)
{
    *msg = irte_message((uint16_t)irq->chip_handle);
}

// Whatever changes meanwhile, one that is shut has no entry.
static bool write_entry(const struct irq *irq, struct irte entry, struct problem *p)
{
    return vtd_table_write(irq->chip_unit, irq->chip_handle, irq->shut ? (struct irte){ 0 } : entry,
                           p);
}

static bool route_remapped(struct irq *irq, struct irq_place to, struct problem *p)
{
    struct irte entry = irte_remapped(cpu_apic_id(to.cpu), to.vector, irte_source_of(irq->dev));
    return write_entry(irq, entry, p);
}

static bool route_posted(struct irq *irq, struct irq_place to, struct problem *p)
{
    const struct pi_desc *descriptor = irq_pi_desc(to.cpu);
    if (!descriptor)
        return problem_set(p, "vtd-no-descriptor",
                           "%s can't be posted to CPU %u, which has no posted-interrupt descriptor",
                           irq->name, to.cpu);
    uint64_t address = mem_phys(descriptor);
    if (address % sizeof(struct pi_desc))
        return problem_set(p, "vtd-descriptor-address",
                           "the posted-interrupt descriptor of CPU %u lies at 0x%llx, not on a "
                           "64-byte boundary",
                           to.cpu, (unsigned long long)address);
    struct irte entry = irte_posted(address, to.vector, irq->urgent, irte_source_of(irq->dev));
    return write_entry(irq, entry, p);
}

const struct irq_chip vtd_chip_remapped = {
    .name = "VTD-REMAP",
    .alloc = chip_alloc,
    .free = chip_free,
    .route = route_remapped,
    .compose = chip_compose,
};

const struct irq_chip vtd_chip_posted = {
    .name = "VTD-POST",
    .alloc = chip_alloc_posted,
    .free = chip_free,
    .route = route_posted,
    .compose = chip_compose,
};
