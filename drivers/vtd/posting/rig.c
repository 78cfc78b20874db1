// SPDX-License-Identifier: BSD-2-Clause
// Setting the rig up, aiming it and sending.

#include "drivers/vtd/posting/rig.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"
#include "lib/string.h"

#define OTHER_ENTRIES 4096u

static void taken(void *arg)
{
}

// ---- setting up ----

static bool take_irqs(struct rig *r, struct problem *p)
{
    unsigned count = cpu_count() + RIG_SPARE;
    r->irqs = mem_alloc(count * sizeof(struct irq *), CACHE_LINE, NODE_ANY);
    r->before = mem_alloc(count * sizeof(*r->before), CACHE_LINE, NODE_ANY);
    while (r->irqs_count < count) {
        char name[sizeof(r->irqs[0]->name)];
        unsigned cpu = r->irqs_count < cpu_count() ? r->irqs_count : r->target;
        format_text(name, sizeof(name), "posting%u", r->irqs_count);
        struct irq *irq =
            irq_alloc(r->generator->dev, r->generator->index, cpu, taken, NULL, name, p);
        if (!irq)
            return false;
        r->irqs[r->irqs_count++] = irq;
    }
    return true;
}

static bool owns(const struct rig *r, uint32_t entry)
{
    for (unsigned i = 0; i < r->irqs_count; i++)
        if (r->irqs[i]->chip_handle == entry)
            return true;
    return false;
}

// Two neighbours that one invalidation with IM=1 covers.
static void choose_entries(struct rig *r)
{
    r->entry = (uint16_t)r->irqs[0]->chip_handle;
    for (unsigned i = 0; i < r->irqs_count && !r->has_neighbour; i++) {
        uint32_t at = r->irqs[i]->chip_handle;
        if (at % 2 || !owns(r, at + 1))
            continue;
        r->entry = (uint16_t)at;
        r->has_neighbour = true;
    }
    r->neighbour = (uint16_t)(r->entry + 1);
}

static void take_memory(struct rig *r)
{
    r->other_count = MIN(OTHER_ENTRIES, r->unit->table.count / 2);
    size_t bytes = r->other_count * sizeof(struct irte);
    r->descriptor = mem_alloc(sizeof(*r->descriptor), sizeof(*r->descriptor), r->unit->node);
    r->other_table = mem_alloc(bytes, MAX(bytes, (size_t)PAGE_BYTES), r->unit->node);
    r->page = mem_alloc(PAGE_BYTES, PAGE_BYTES, NODE_ANY);
}

bool rig_up(struct rig *r, struct irq_generator *generator, struct problem *p)
{
    *r = (struct rig){ .generator = generator, .target = cpu_count() - 1 };
    struct pci_dev *dev = generator->dev;
    if (dev->domain)
        return problem_set(p, "posting-hidden", "%s is hidden by %s, whose requests it would send",
                           generator->name, pci_visible(dev)->name);
    r->unit = vtd_unit_of(dev, p);
    if (!r->unit || !take_irqs(r, p))
        return false;
    r->from = irte_source_of(dev);
    choose_entries(r);
    take_memory(r);
    rig_descriptor(r, r->target, 0);
    rig_message(r, irte_message(r->entry));
    msix_mask(dev, generator->index, false);
    return true;
}

// ---- giving back ----

static struct irq *owner_of(const struct irq_generator *g)
{
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq->dev == g->dev && irq->index == g->index)
            return irq;
    return NULL;
}

// Freeing masks the entry; whose it was before gets its message and its mask back.
void rig_down(struct rig *r)
{
    while (r->irqs_count)
        irq_free(r->irqs[--r->irqs_count]);
    for (struct irq_generator *g = rig_next(r, NULL); g; g = rig_next(r, g)) {
        struct irq *irq = owner_of(g);
        if (irq)
            irq_rewrite(irq);
    }
}

struct irq_generator *rig_next(const struct rig *r, const struct irq_generator *after)
{
    struct problem ignored;
    struct irq_generator *g = after ? after->next : irq_generator_first();
    while (g && (!r->unit || g->dev->domain || vtd_unit_of(g->dev, &ignored) != r->unit))
        g = g->next;
    return g;
}

// ---- what came ----

static uint64_t taken_by(const struct rig *r, unsigned irq)
{
    const struct irq *i = r->irqs[irq];
    return __atomic_load_n(&i->counts[i->cpu], __ATOMIC_ACQUIRE);
}

void rig_mark(struct rig *r)
{
    for (unsigned i = 0; i < r->irqs_count; i++)
        r->before[i] = taken_by(r, i);
}

uint64_t rig_arrived(const struct rig *r, unsigned irq)
{
    return taken_by(r, irq) - r->before[irq];
}

// ---- entries and messages ----

bool rig_write(struct rig *r, uint16_t index, struct irte entry, struct verdict *v)
{
    struct problem p;
    return vtd_table_write(r->unit, index, entry, &p) || verdict_fail(v, "%s", p.message);
}

bool rig_aim(struct rig *r, uint8_t vector, bool urgent, struct verdict *v)
{
    return rig_write(r, r->entry, irte_posted(mem_phys(r->descriptor), vector, urgent, r->from), v);
}

void rig_message(const struct rig *r, struct msi_msg msg)
{
    msix_write(r->generator->dev, r->generator->index, &msg);
}

bool rig_send(struct rig *r, struct verdict *v)
{
    struct problem p;
    rig_mark(r);
    return r->generator->send(r->generator, &p) || verdict_fail(v, "%s", p.message);
}

bool rig_post(struct rig *r, uint8_t vector, bool urgent, struct verdict *v)
{
    return rig_aim(r, vector, urgent, v) && rig_send(r, v);
}

// ---- the descriptor ----

void rig_descriptor(struct rig *r, unsigned cpu, uint64_t control)
{
    pi_init(r->descriptor, cpu_apic_id(cpu), r->irqs[cpu]->vector, false);
    memset(r->descriptor->reserved, 0, sizeof(r->descriptor->reserved));
    rig_set_control(r, 0, control);
}

uint64_t rig_control(const struct rig *r)
{
    return atomic_load_explicit(&r->descriptor->control, memory_order_seq_cst);
}

void rig_set_control(struct rig *r, uint64_t clear, uint64_t set)
{
    atomic_fetch_and_explicit(&r->descriptor->control, ~clear, memory_order_seq_cst);
    atomic_fetch_or_explicit(&r->descriptor->control, set, memory_order_seq_cst);
}

// ---- the table ----

static uint64_t irta_of(const struct irte *table, uint32_t count)
{
    return mem_phys(table) | VTD_IRTA_EIME |
           field_put(VTD_IRTA_S, (uint64_t)__builtin_ctz(count) - 1);
}

uint64_t rig_irta(const struct rig *r)
{
    return irta_of(r->unit->table.entries, r->unit->table.count);
}

uint64_t rig_other_irta(const struct rig *r)
{
    return irta_of(r->other_table, r->other_count);
}

bool rig_switch(struct rig *r, uint64_t irta, bool global, struct verdict *v)
{
    struct vtd_unit *u = r->unit;
    struct problem p;
    spinlock_lock(&u->lock);
    bool ok = vtd_flush_write_buffer(u, &p);
    if (ok)
        vtd_write64(u, VTD_IRTA, irta);
    ok = ok && vtd_gcmd(u, VTD_GCMD_SIRTP, true, &p) && (!global || vtd_invalidate_all(u, &p));
    spinlock_unlock(&u->lock);
    return ok || verdict_fail(v, "%s", p.message);
}

// The same entries as in the runtime's table, as far as they are used.
bool rig_fill_other(struct rig *r, struct verdict *v)
{
    const struct vtd_table *t = &r->unit->table;
    size_t bytes = r->other_count * sizeof(struct irte);
    for (uint32_t i = r->other_count; i < t->count; i++)
        if (t->owners[i])
            return verdict_skip(v, "entry %u is in use, and a smaller table has %u", i,
                                r->other_count);
    memcpy(r->other_table, t->entries, bytes);
    vtd_flush(r->unit, r->other_table, bytes);
    return true;
}
