// SPDX-License-Identifier: BSD-2-Clause
// The mode changes while devices send: a message goes round the CPUs, and each takes the new mode over in
// its loop, and routes the irqs that go to it anew. Then it goes to those that were on the move meanwhile.
//
// Nothing has to stand still meanwhile. Each CPU takes what comes by either route in any mode, since it
// works by its own copy of the mode: a posted MSI on a CPU whose mode posts none notifies and is
// harvested, one that is remapped is made ready where the loop harvests, too. Vector, entry and message
// stay, so nothing is left in an old place.

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_config.h"
#include "kernel/irq/irq_move.h"

bool irq_mode_is_possible(enum irq_mode mode, struct problem *p)
{
    const struct irq_config *config = irq_get_config();
    if ((mode == IRQ_MSI) != (irq_get_mode() == IRQ_MSI))
        return problem_set(
            p, "irq-mode",
            "the mode can't change from %s to %s: remapping is turned on or left off "
            "when the run begins (irq=)",
            irq_mode_name(irq_get_mode()), irq_mode_name(mode));
    if (irq_mode_posts(mode) && !config->chip_post)
        return problem_set(p, "irq-mode", "the mode can't change to %s: %s", irq_mode_name(mode),
                           config->no_post->message);
    return true;
}

// ---- irqs: by the CPU that each goes to ----

// One whose MSIs come through another's has nothing to change.
static bool is_changed(const struct irq_mode_change *change, const struct irq *irq)
{
    const struct irq_config *config = irq_get_config();
    return irq->chip->through ||
           irq->chip == (irq_mode_posts(change->mode) ? config->chip_post : config->chip);
}

static bool change_irq(const struct irq_mode_change *change, struct irq *irq, struct problem *p)
{
    return irq_set_posted(irq, irq_mode_posts(change->mode), p);
}

static void tell(struct cpu_msg *msg) // boot CPU
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    change->done(change);
}

static void change_left(struct cpu_msg *msg);

// To the next one, from change->irq on, that moved away from each CPU before its turn, or failed.
static void go_to_irq(struct irq_mode_change *change)
{
    while (change->irq && is_changed(change, change->irq))
        change->irq = change->irq->next;
    change->msg.fn = change->irq ? change_left : tell;
    cpu_post(change->irq ? __atomic_load_n(&change->irq->cpu, __ATOMIC_ACQUIRE) : 0, &change->msg);
}

// One that can't be changed works as it did; the others are changed all the same.
static void change_left(struct cpu_msg *msg)
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    struct problem p;
    if (irq_is_here(change->irq)) { // else it has moved on
        if (!change_irq(change, change->irq, &p) && change->ok) {
            change->ok = false;
            change->problem = p;
        }
        change->irq = change->irq->next;
    }
    go_to_irq(change);
}

// ---- CPUs, one after the other ----

// For one that is away the boot CPU takes the message: it takes the mode over when it returns.
static void go_to_cpu(struct irq_mode_change *change)
{
    if (change->cpu < cpu_total()) {
        cpu_post(change->cpu, &change->msg);
        return;
    }
    change->irq = irq_first();
    go_to_irq(change);
}

static void change_cpu(struct cpu_msg *msg)
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    struct problem p; // told of by change_left()
    irq_follow_mode();
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq_is_here(irq))
            (void)change_irq(change, irq, &p);
    change->cpu++;
    go_to_cpu(change);
}

// What is refused is answered as any other: later, from the loop.
void irq_set_mode(struct irq_mode_change *change)
{
    change->cpu = 0;
    change->irq = NULL;
    change->ok = irq_mode_is_possible(change->mode, &change->problem);
    if (!change->ok)
        return go_to_irq(change);
    irq_change_config(change->mode, change->loops ? change->loops : irq_get_config()->loops);
    change->msg.fn = change_cpu;
    go_to_cpu(change);
}
