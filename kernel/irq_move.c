// SPDX-License-Identifier: BSD-2-Clause
// Affinity: an irq moves to another CPU under load, and nothing is lost. All of a move happens on the
// CPU that has the irq, in its loop, so that neither its vector nor its queue is in use meanwhile.

#include "kernel/irq_move.h"

#include "kernel/apic.h"
#include "kernel/irq_entry.h"
#include "kernel/percpu.h"
#include "kernel/time.h"
#include "lib/string.h"

#define DRAIN_WAIT_NS (10 * NS_PER_MS) // an interrupt in IRR is taken at once, interrupts being on

struct place {
    unsigned cpu;
    uint8_t vector;
};

void irq_on_move(struct irq *irq, irq_moved moved)
{
    irq->moved = moved;
}

static void set_place(struct irq *irq, struct place place)
{
    irq->vector = place.vector;
    __atomic_store_n(&irq->cpu, place.cpu, __ATOMIC_RELEASE);
}

// A plain MSI's message names CPU and vector, so it changes; it may only do so while masked (PCIe 6.0,
// 6.1.4.2). A remapped one's doesn't.
static void rewrite_message(struct irq *irq)
{
    if (irq->chip != &irq_chip_msi)
        return;
    struct msi_msg msg;
    irq->chip->compose(irq, &msg);
    msix_mask(irq->dev, irq->index, true);
    msix_write(irq->dev, irq->index, &msg);
    msix_mask(irq->dev, irq->index, !irq->enabled);
}

// From when the chip's route() has returned, no further MSI takes the old route; what took it before
// is in our PIR, or in our local APIC and taken as soon as it allows.
static bool drain(struct place old, struct problem *p)
{
    if (!poll_until(!apic_is_requested(old.vector), DRAIN_WAIT_NS))
        return problem_set(
            p, "irq-not-drained",
            "vector 0x%x of CPU %u stayed requested for %llu ms though interrupts are "
            "on: a bug; run with fixed CPUs",
            old.vector, old.cpu, DRAIN_WAIT_NS / NS_PER_MS);
    return true;
}

static bool route_to(struct irq *irq, struct place to, struct problem *p)
{
    struct place old = { irq->cpu, irq->vector };
    set_place(irq, to);
    if (!irq->chip->route(irq, p)) {
        set_place(irq, old);
        return false;
    }
    rewrite_message(irq);
    return true;
}

static bool can_move(const struct irq *irq, unsigned to, struct problem *p)
{
    if (!irq->moved)
        return problem_set(p, "irq-fixed", "%s: its driver can't move it", irq->name);
    if (to >= cpu_count() || !cpu_is_online(to))
        return problem_set(p, "irq-affinity", "%s: CPU %u is not in use", irq->name, to);
    return true;
}

bool irq_move_here(struct irq *irq, unsigned to, struct problem *p)
{
    struct place old = { irq->cpu, irq->vector }, new = { .cpu = to };
    if (old.cpu == to)
        return true;
    if (!can_move(irq, to, p) || !irq_take_vector(irq, to, &new.vector, p))
        return false;
    if (!route_to(irq, new, p)) {
        irq_give_vector(to, new.vector);
        return false;
    }
    bool drained = drain(old, p);
    bool pending = irq_drain_ready(old.vector);
    irq_give_vector(old.cpu, old.vector);
    irq->moved(irq->arg, to);
    if (pending)
        irq_raise(irq);
    return drained;
}

static void moved(struct cpu_msg *msg) // on the CPU that asked
{
    struct irq_move *move = container_of(msg, struct irq_move, msg);
    move->done(move);
}

static void forward(struct irq_move *move);

static void move_here(struct cpu_msg *msg)
{
    struct irq_move *move = container_of(msg, struct irq_move, msg);
    if (__atomic_load_n(&move->irq->cpu, __ATOMIC_ACQUIRE) != cpu_index())
        return forward(move); // it has moved meanwhile
    move->ok = irq_move_here(move->irq, move->to, &move->problem);
    msg->fn = moved;
    cpu_post(move->from_cpu, msg);
}

static void forward(struct irq_move *move)
{
    move->msg.fn = move_here;
    cpu_post(__atomic_load_n(&move->irq->cpu, __ATOMIC_ACQUIRE), &move->msg);
}

void irq_set_affinity(struct irq_move *move)
{
    move->from_cpu = cpu_index();
    forward(move);
}
