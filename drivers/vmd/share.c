// SPDX-License-Identifier: BSD-2-Clause
// Irqs from below a VMD, and the VMD's own that they come through. The VMD's has its place on a CPU as
// any device's; its handler passes the MSI on to all that share it, since nothing tells whose it was. An
// irq from below comes, where possible, through one on its own CPU, and no more of them share one than
// must.
//
// The tables of who shares what are read by the handlers on any CPU while an irq moves on another:
// a slot changes by one store, and a stale one leads to an irq that finds nothing to do.

#include "drivers/vmd/share.h"

#include "drivers/vmd/vmd_regs.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"

static struct vmd_share *share_of(const struct irq *irq)
{
    return container_of(irq->dev->domain, struct vmd_share, domain);
}

// ---- slots ----

static unsigned load_of(const struct vmd_vector *v)
{
    unsigned load = 0, used = __atomic_load_n(&v->used, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < used; i++)
        load += __atomic_load_n(&v->slots[i], __ATOMIC_RELAXED) != NULL;
    return load;
}

static void raise_used(struct vmd_vector *v, unsigned to)
{
    unsigned used = __atomic_load_n(&v->used, __ATOMIC_RELAXED);
    while (used < to && !__atomic_compare_exchange_n(&v->used, &used, to, false, __ATOMIC_RELEASE,
                                                     __ATOMIC_RELAXED))
        ;
}

static bool add(struct vmd_vector *v, struct irq *irq)
{
    for (unsigned i = 0; i < VMD_SHARE_MAX; i++) {
        struct irq *none = NULL;
        if (__atomic_compare_exchange_n(&v->slots[i], &none, irq, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
            raise_used(v, i + 1);
            return true;
        }
    }
    return false;
}

static void drop(struct vmd_vector *v, const struct irq *irq)
{
    for (unsigned i = 0; i < VMD_SHARE_MAX; i++)
        if (__atomic_load_n(&v->slots[i], __ATOMIC_RELAXED) == irq) {
            __atomic_store_n(&v->slots[i], NULL, __ATOMIC_RELEASE);
            return;
        }
}

// ---- the VMD's own irqs ----

static void pass_on(void *arg)
{
    struct vmd_vector *v = arg;
    unsigned used = __atomic_load_n(&v->used, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < used; i++) {
        struct irq *irq = __atomic_load_n(&v->slots[i], __ATOMIC_ACQUIRE);
        if (irq)
            irq_pass_on(irq);
    }
}

static void moved(void *arg, unsigned cpu)
{
    // What it passes MSIs on to finds its own CPU: nothing has to be handed over.
}

static bool is_on(const struct vmd_vector *v, unsigned cpu)
{
    return __atomic_load_n(&v->irq->cpu, __ATOMIC_ACQUIRE) == cpu;
}

static unsigned made(const struct vmd_share *s)
{
    return __atomic_load_n(&s->made, __ATOMIC_ACQUIRE);
}

// Boot CPU, where alone irqs are allocated; others that move some may look on.
static bool make_vector(struct vmd_share *s, unsigned cpu, struct problem *p)
{
    char name[24];
    unsigned entry = s->first + s->made;
    struct vmd_vector *v = mem_alloc(sizeof(*v), CACHE_LINE, cpu_node(cpu));
    format_text(name, sizeof(name), "%sv%u", s->name, entry);
    v->irq = irq_alloc(s->domain.host, entry, cpu, pass_on, v, name, p);
    if (!v->irq)
        return false;
    irq_on_move(v->irq, moved);
    s->vectors[s->made] = v;
    __atomic_store_n(&s->made, s->made + 1, __ATOMIC_RELEASE);
    irq_enable(v->irq);
    return true;
}

static bool has_vector(const struct vmd_share *s, unsigned cpu)
{
    for (unsigned i = 0; i < made(s); i++)
        if (is_on(s->vectors[i], cpu))
            return true;
    return false;
}

// A CPU may have several only if enough are left for those that have none.
static bool may_make(const struct vmd_share *s, unsigned cpu)
{
    unsigned left = s->count - s->made, without = 0;
    for (unsigned i = 0; i < cpu_count(); i++)
        without += !has_vector(s, i);
    return left && (left > without || !has_vector(s, cpu));
}

// The one that the fewest share, of the CPU's own where it has any; NULL: there is none.
static struct vmd_vector *best_for(const struct vmd_share *s, unsigned cpu, unsigned *index)
{
    struct vmd_vector *best = NULL;
    unsigned best_cost = UINT32_MAX;
    for (unsigned i = 0; i < made(s); i++) {
        struct vmd_vector *v = s->vectors[i];
        unsigned load = load_of(v);
        unsigned cost = load + (is_on(v, cpu) ? 0 : VMD_SHARE_MAX);
        if (load < VMD_SHARE_MAX && cost < best_cost) {
            best = v;
            best_cost = cost;
            *index = i;
        }
    }
    return best;
}

// ---- the chip ----

// A CPU whose vectors are all in use may still have its MSIs come by way of another's.
static bool chip_alloc(struct irq *irq, struct problem *p)
{
    struct vmd_share *s = share_of(irq);
    if (may_make(s, irq->cpu) && !make_vector(s, irq->cpu, p) && !s->made)
        return false;
    struct vmd_vector *v = best_for(s, irq->cpu, &irq->chip_handle);
    if (v && add(v, irq))
        return true;
    return problem_set(p, "vmd-shared",
                       "%s: each of the %u vectors of %s is shared by %u interrupts, which is all "
                       "that can be: run with fewer queues (nvme.queues=)",
                       irq->name, s->made, s->domain.host->name, VMD_SHARE_MAX);
}

static void chip_free(struct irq *irq)
{
    drop(share_of(irq)->vectors[irq->chip_handle], irq);
}

// Through one of the new CPU's, if it has any; else the old way still leads to it.
static bool chip_route(struct irq *irq, struct irq_place to, struct problem *p)
{
    struct vmd_share *s = share_of(irq);
    struct vmd_vector *old = s->vectors[irq->chip_handle];
    unsigned index;
    if (is_on(old, to.cpu))
        return true;
    struct vmd_vector *new = best_for(s, to.cpu, &index);
    if (!new || !is_on(new, to.cpu) || !add(new, irq))
        return true;
    irq->chip_handle = index;
    drop(old, irq);
    return true;
}

static void chip_compose(const struct irq *irq, struct irq_place to, struct msi_msg *msg)
{
    unsigned entry = share_of(irq)->first + irq->chip_handle;
    *msg = (struct msi_msg){ .address = VMD_MSI_ADDRESS | field_put(VMD_MSI_ADDRESS_ENTRY, entry) };
}

const struct irq_chip vmd_chip = {
    .name = "VMD",
    .alloc = chip_alloc,
    .free = chip_free,
    .route = chip_route,
    .compose = chip_compose,
    .in_message = true,
    .through = true,
};
