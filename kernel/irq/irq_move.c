// SPDX-License-Identifier: BSD-2-Clause
// Affinity: an irq moves to another CPU under load, and nothing is lost. All of a move happens on the
// CPU that has the irq, in its loop, so that neither its vector nor its queue is in use meanwhile.

#include "kernel/irq/irq_move.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define DRAIN_WAIT_NS (10 * NS_PER_MS) // an interrupt in IRR is taken at once, interrupts being on

void irq_on_move(struct irq *irq, irq_moved moved)
{
    irq->moved = moved;
}

// A plain MSI's message names CPU and vector, so it changes; a remapped one's doesn't. The write is
// masked and read back, and the answer to a read pushes all messages sent before it ahead (PCIe 6.0,
// 2.4.1): none by the old route is under way any more.
static void rewrite_message(const struct irq *irq, struct irq_place to)
{
    if (!irq->chip->in_message)
        return;
    struct msi_msg msg;
    irq->chip->compose(irq, to, &msg);
    msix_write(irq->dev, irq->index, &msg);
}

// From when the chip's route() has returned, no further MSI takes the old route; what took it before
// is in our PIR, or in our local APIC and taken as soon as it allows.
static void drain(const struct irq *irq, struct irq_place old)
{
    if (!poll_until(!apic_is_requested(old.vector), DRAIN_WAIT_NS))
        error(
            "irq-not-drained",
            "%s: its old vector 0x%x on CPU %u stayed requested for %llu ms though interrupts are "
            "on: an interrupt may be lost; please report this",
            irq->name, old.vector, old.cpu, DRAIN_WAIT_NS / NS_PER_MS);
}

// What was pending is raised by the new CPU itself, since only that one may, or by the next.
static void raise_here(struct cpu_msg *msg)
{
    struct irq *irq = container_of(msg, struct irq, raise);
    if (!irq_is_here(irq)) {
        cpu_post(__atomic_load_n(&irq->cpu, __ATOMIC_ACQUIRE), msg);
        return;
    }
    __atomic_store_n(&irq->raising, false, __ATOMIC_RELEASE);
    irq_raise(irq);
}

static void raise_there(struct irq *irq, unsigned cpu)
{
    if (__atomic_exchange_n(&irq->raising, true, __ATOMIC_ACQ_REL))
        return; // one is on its way
    irq->raise.fn = raise_here;
    cpu_post(cpu, &irq->raise);
}

void irq_pass_on(struct irq *irq)
{
    if (!__atomic_load_n(&irq->enabled, __ATOMIC_RELAXED))
        return; // it sends none: the MSI is another's
    if (irq_is_here(irq))
        irq_raise(irq);
    else
        raise_there(irq, __atomic_load_n(&irq->cpu, __ATOMIC_ACQUIRE));
}

static bool can_move(const struct irq *irq, unsigned to, struct problem *p)
{
    if (!irq->moved)
        return problem_set(p, "irq-fixed", "%s: its driver can't move it", irq->name);
    if (to >= cpu_count() || !cpu_is_online(to))
        return problem_set(p, "irq-affinity", "%s: CPU %u is not in use", irq->name, to);
    return true;
}

// An MSI that comes through another irq may still be under way there, as that one's: so such a move always
// raises.
//
// The CPU is published last: from then on the irq is the new one's, to be moved on or changed there.
// The vector is needed by a handler that runs there as soon as it is the owner of what it handles.
bool irq_move_here(struct irq *irq, unsigned to, struct problem *p)
{
    struct irq_place old = { irq->cpu, irq->vector }, new = { .cpu = to };
    if (old.cpu == to)
        return true;
    if (!can_move(irq, to, p) || !irq_take_vector(irq, to, &new.vector, p))
        return false;
    if (!irq->chip->route(irq, new, p)) {
        irq_give_vector(to, new.vector);
        irq_raise(irq); // an MSI may have taken the new route before it was withdrawn
        return false;
    }
    rewrite_message(irq, new);
    drain(irq, old);
    bool pending = irq_drain_ready(old.vector) || irq->chip->through;
    irq_give_vector(old.cpu, old.vector);
    irq->vector = new.vector;
    irq->moved(irq->arg, to);
    __atomic_store_n(&irq->cpu, to, __ATOMIC_RELEASE);
    if (pending)
        raise_there(irq, to);
    return true;
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
    if (!irq_is_here(move->irq))
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
