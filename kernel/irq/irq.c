// SPDX-License-Identifier: BSD-2-Clause
// The IRQ core: who owns which vector on which CPU, and how MSIs get there. What happens when one
// comes is in irq_take.c.

#include "kernel/irq/irq.h"

#include "kernel/base/percpu.h"
#include "kernel/cpu/msg.h"
#include "kernel/irq/irq_config.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/irq_rate.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/vectors.h"
#include "lib/format.h"
#include "lib/spinlock.h"

static struct {
    struct irq *first, **last;
    struct cpu_msg *begin; // one for each CPU
} irqs = { .last = &irqs.first };

static void begin(struct cpu_msg *msg)
{
    irq_follow_mode();
}

// SN is set from the start where the loop harvests. Each CPU begins by itself; one that sleeps from
// before is woken by the message, and falls asleep anew by this mode's rules.
void irq_init(const struct irq_config *config)
{
    for (unsigned i = 0; i < cpu_total(); i++) // before any CPU touches its own
        pi_init(&cpu_get(i)->pi, cpu_apic_id(i), VECTOR_NOTIFY, irq_loop_harvests(config->mode));
    irq_set_config(config);
    irqs.begin = mem_alloc(cpu_total() * sizeof(*irqs.begin), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < cpu_total(); i++) {
        irqs.begin[i].fn = begin;
        if (i != cpu_index())
            cpu_post(i, &irqs.begin[i]);
    }
    begin(NULL);
    irq_set_rate(config->rate);
}

struct irq *irq_first(void)
{
    return irqs.first;
}

struct pi_desc *irq_pi_desc(unsigned cpu)
{
    return irq_get_config()->chip_post ? &cpu_get(cpu)->pi : NULL;
}

// ---- allocation ----

// A CPU's vector table is read by that CPU at any time, and written by whoever moves an irq there.
static struct spinlock vectors_lock;

// The bit of a vector in one of a CPU's sets.
static void mark(uint64_t *set, unsigned vector, bool in)
{
    if (in)
        __atomic_fetch_or(&set[vector / 64], BIT64(vector % 64), __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&set[vector / 64], ~BIT64(vector % 64), __ATOMIC_RELAXED);
}

static void mark_immediate(struct cpu *cpu, unsigned vector)
{
    mark(cpu->immediate, vector, true);
    __atomic_store_n(&cpu->has_immediate, true, __ATOMIC_RELEASE);
}

static void mark_urgent(struct cpu *cpu, unsigned vector)
{
    mark(cpu->urgent, vector, true);
    __atomic_store_n(&cpu->has_urgent, true, __ATOMIC_RELEASE);
}

static bool take_free_vector(struct irq *irq, struct cpu *cpu, uint8_t *vector)
{
    for (unsigned v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (!cpu->vectors[v]) {
            __atomic_store_n(&cpu->vectors[v], irq, __ATOMIC_RELEASE);
            __atomic_store_n(&cpu->words, MAX(cpu->words, v / 64 + 1), __ATOMIC_RELEASE);
            if (irq->immediate)
                mark_immediate(cpu, v);
            if (irq->urgent)
                mark_urgent(cpu, v);
            *vector = (uint8_t)v;
            return true;
        }
    return false;
}

bool irq_take_vector(struct irq *irq, unsigned cpu, uint8_t *vector, struct problem *p)
{
    spinlock_lock(&vectors_lock);
    bool taken = take_free_vector(irq, cpu_get(cpu), vector);
    spinlock_unlock(&vectors_lock);
    if (taken)
        return true;
    return problem_set(
        p, "irq-no-vector",
        "%s: CPU %u has all its %d device vectors in use: run on more CPUs (cpus=), or "
        "with fewer queues (nvme.queues=)",
        irq->name, cpu, VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1);
}

unsigned irq_vectors_left(unsigned cpu)
{
    unsigned left = 0;
    for (unsigned v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        left += !__atomic_load_n(&cpu_get(cpu)->vectors[v], __ATOMIC_RELAXED);
    return left;
}

void irq_give_vector(unsigned index, uint8_t vector)
{
    struct cpu *cpu = cpu_get(index);
    spinlock_lock(&vectors_lock);
    mark(cpu->immediate, vector, false);
    mark(cpu->urgent, vector, false);
    __atomic_store_n(&cpu->vectors[vector], NULL, __ATOMIC_RELEASE);
    spinlock_unlock(&vectors_lock);
}

static struct irq_place irq_place(const struct irq *irq)
{
    return (struct irq_place){ irq->cpu, irq->vector };
}

static void write_message(const struct irq *irq)
{
    struct msi_msg msg;
    irq->chip->compose(irq, irq_place(irq), &msg);
    msix_write(irq->dev, irq->index, &msg);
}

// Vector table first, route second: an MSI that comes at once finds its irq.
static bool connect(struct irq *irq, struct problem *p)
{
    if (!irq->chip->alloc(irq, p))
        return false;
    if (irq_take_vector(irq, irq->cpu, &irq->vector, p)) {
        if (irq->chip->route(irq, irq_place(irq), p)) {
            write_message(irq);
            return true;
        }
        irq_give_vector(irq->cpu, irq->vector);
    }
    irq->chip->free(irq);
    return false;
}

static const struct irq_chip *chip_of(const struct pci_dev *dev, bool posted)
{
    if (dev->domain && dev->domain->chip)
        return dev->domain->chip;
    return posted ? irq_get_config()->chip_post : irq_get_config()->chip;
}

struct irq *irq_alloc(struct pci_dev *dev, unsigned index, unsigned cpu, irq_handler handler,
                      void *arg, const char *name, struct problem *p)
{
    struct irq *irq = mem_alloc(sizeof(*irq), CACHE_LINE, cpu_node(cpu));
    irq->counts = mem_alloc(cpu_total() * sizeof(*irq->counts), CACHE_LINE, cpu_node(cpu));
    format_text(irq->name, sizeof(irq->name), "%s", name);
    irq->dev = dev;
    irq->index = index;
    irq->cpu = irq->home = cpu;
    irq->handler = handler;
    irq->arg = arg;
    irq->chip = chip_of(dev, irq_mode_posts(irq_get_mode()));
    if (!connect(irq, p))
        return NULL;
    *irqs.last = irq;
    irqs.last = &irq->next;
    return irq;
}

void irq_enable(struct irq *irq)
{
    __atomic_store_n(&irq->enabled, true, __ATOMIC_RELAXED);
    msix_mask(irq->dev, irq->index, false);
}

void irq_disable(struct irq *irq)
{
    __atomic_store_n(&irq->enabled, false, __ATOMIC_RELAXED);
    msix_mask(irq->dev, irq->index, true);
}

void irq_rewrite(struct irq *irq)
{
    msix_mask(irq->dev, irq->index, true);
    write_message(irq);
    msix_mask(irq->dev, irq->index, !irq->enabled);
}

void irq_free(struct irq *irq)
{
    irq_disable(irq);
    irq->chip->free(irq);
    irq_give_vector(irq->cpu, irq->vector);
    for (struct irq **link = &irqs.first; *link; link = &(*link)->next)
        if (*link == irq) {
            *link = irq->next;
            if (irqs.last == &irq->next)
                irqs.last = link;
            return;
        }
}

// ---- changes at run time ----
//
// The vector stays, the chips share the entry, and the message is the same: an MSI on its way by the
// old route ends in the same ready bit as one by the new route. So there is nothing to drain.

static bool reroute(struct irq *irq, struct problem *p)
{
    return irq->chip->route(irq, irq_place(irq), p);
}

bool irq_set_shut(struct irq *irq, bool shut, struct problem *p)
{
    bool old = irq->shut;
    irq->shut = shut;
    if (!reroute(irq, p))
        irq->shut = old;
    return irq->shut == shut;
}

bool irq_set_posted(struct irq *irq, bool posted, struct problem *p)
{
    if (posted && !irq_mode_posts(irq_get_mode()))
        return problem_set(p, "irq-delivery", "%s: irq=%s has no way to post one MSI", irq->name,
                           irq_mode_name(irq_get_mode()));
    const struct irq_chip *old = irq->chip, *chip = chip_of(irq->dev, posted);
    irq->chip = chip;
    if (old == chip || reroute(irq, p))
        return true;
    irq->chip = old;
    return false;
}

bool irq_set_urgent(struct irq *irq, bool urgent, struct problem *p)
{
    bool old = irq->urgent;
    if (irq->chip->through)
        return !urgent ||
               problem_set(p, "irq-urgent",
                           "%s: its MSIs come through %s, whose vectors are shared: it can't be "
                           "urgent, so run without nvme.urgent=1",
                           irq->name, pci_visible(irq->dev)->name);
    irq->urgent = urgent;
    if (!reroute(irq, p)) {
        irq->urgent = old;
        return false;
    }
    if (urgent)
        mark_urgent(cpu_get(irq->cpu), irq->vector);
    else
        mark(cpu_get(irq->cpu)->urgent, irq->vector, false);
    return true;
}

void irq_set_immediate(struct irq *irq)
{
    irq->immediate = true;
    mark_immediate(cpu_get(irq->cpu), irq->vector);
}

bool irq_is_here(const struct irq *irq)
{
    return __atomic_load_n(&irq->cpu, __ATOMIC_ACQUIRE) == cpu_index();
}

// No unit and no interrupt ever bring it here: it is counted and made ready as they would.
static void raise_through(struct irq *irq)
{
    local_add(&irq->counts[irq->cpu], 1);
    irq_again(irq);
}

// As a unit would post it; a real vector sent by IPI is taken and ended like the device's own.
void irq_raise(struct irq *irq)
{
    struct cpu *cpu = cpu_get(irq->cpu);
    if (irq->chip->through)
        raise_through(irq);
    else if (irq->chip != irq_get_config()->chip_post)
        apic_send(cpu->apic_id, irq->vector);
    else if (pi_post(&cpu->pi, irq->vector, irq->urgent))
        apic_send(cpu->apic_id, VECTOR_NOTIFY);
}

// ---- the chip without remapping hardware ----

static bool msi_alloc(struct irq *irq, struct problem *p)
{
    return true;
}

static void msi_free(struct irq *irq)
{
}

static bool msi_route(struct irq *irq, struct irq_place to, struct problem *p)
{
    uint32_t id = cpu_apic_id(to.cpu);
    if (id <= 254)
        return true;
    return problem_set(
        p, "msi-apic-id",
        "%s: without interrupt remapping an MSI can't reach the APIC id %u of CPU %u: "
        "turn VT-d on, or use fewer CPUs (cpus=)",
        irq->name, id, to.cpu);
}

// SDM vol. 3, 11.11: physical destination, fixed, edge.
static void msi_compose(const struct irq *irq, struct irq_place to, struct msi_msg *msg)
{
    *msg = (struct msi_msg){ .address = 0xfee00000 | field_put(BITS64(19, 12), cpu_apic_id(to.cpu)),
                             .data = to.vector };
}

const struct irq_chip irq_chip_msi = {
    .name = "MSI",
    .in_message = true,
    .alloc = msi_alloc,
    .free = msi_free,
    .route = msi_route,
    .compose = msi_compose,
};
