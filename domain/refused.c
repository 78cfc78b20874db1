// SPDX-License-Identifier: BSD-2-Clause
// What is the kernel's alone, and an app may ask for: each is refused by a sentence.

#include "domain/refused.h"

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/irq/irq.h"
#include "kernel/run/hotplug.h"

static bool refuse(struct problem *p, const char *what)
{
    return problem_set(p, "domain-refused",
                       "%s: not in a domain, whose kernel alone does that: run the app without "
                       "domain=, as the kernel's own",
                       what);
}

noreturn static void end(const char *what)
{
    struct problem p;
    refuse(&p, what);
    fail_problem(&p);
}

// ---- devices ----

struct pci_dev *pci_get(size_t index)
{
    return NULL; // none is to be seen
}

noreturn void refused_pci(void)
{
    end("a PCI function is to be reached");
}

noreturn void refused_map(void)
{
    end("registers, or firmware's tables, are to be mapped");
}

// ---- irqs ----

noreturn void refused_irq(void)
{
    end("an irq is to be changed");
}

struct irq *irq_alloc(struct pci_dev *dev, unsigned index, unsigned cpu, irq_handler handler,
                      void *arg, const char *name, struct problem *p)
{
    refuse(p, "an irq is to be allocated");
    return NULL;
}

unsigned irq_vectors_left(unsigned cpu)
{
    return 0;
}

bool irq_set_posted(struct irq *irq, bool posted, struct problem *p)
{
    return refuse(p, "an irq's delivery is to change");
}

bool irq_set_urgent(struct irq *irq, bool urgent, struct problem *p)
{
    return refuse(p, "an irq is to be urgent");
}

bool irq_mode_is_possible(enum irq_mode mode, struct problem *p)
{
    return refuse(p, "the mode of all irqs is to change");
}

static void mode_refused(struct cpu_msg *msg)
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    change->done(change);
}

void irq_set_mode(struct irq_mode_change *change)
{
    change->ok = irq_mode_is_possible(change->mode, &change->problem);
    change->msg.fn = mode_refused;
    cpu_post(0, &change->msg);
}

static void move_refused(struct cpu_msg *msg)
{
    struct irq_move *move = container_of(msg, struct irq_move, msg);
    move->done(move);
}

void irq_set_affinity(struct irq_move *move)
{
    move->from_cpu = cpu_index();
    move->ok = refuse(&move->problem, "an irq is to move");
    move->msg.fn = move_refused;
    cpu_post(move->from_cpu, &move->msg);
}

// ---- CPUs ----

static void change_refused(struct cpu_msg *msg)
{
    struct cpu_change *change = container_of(msg, struct cpu_change, msg);
    change->done(change);
}

void cpu_offline(struct cpu_change *change)
{
    change->ok = refuse(&change->problem, "a CPU is to leave or to return");
    change->msg.fn = change_refused;
    cpu_post(0, &change->msg);
}

void cpu_online(struct cpu_change *change)
{
    cpu_offline(change);
}
