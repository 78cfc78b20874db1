// SPDX-License-Identifier: BSD-2-Clause
// The mode changes while devices send: a message goes round the CPUs, and each takes the new mode over
// in its loop; then one goes from irq to irq, and each is routed anew by the CPU that has it.
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

// ---- irqs, one after the other ----

static void tell(struct cpu_msg *msg) // boot CPU
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    change->done(change);
}

static void change_irq(struct cpu_msg *msg);

static void go_to_irq(struct irq_mode_change *change, struct irq *irq)
{
    change->irq = irq;
    change->msg.fn = irq ? change_irq : tell;
    cpu_post(irq ? __atomic_load_n(&irq->cpu, __ATOMIC_ACQUIRE) : 0, &change->msg);
}

// One that can't be changed works as it did; the others are changed all the same.
static void change_irq(struct cpu_msg *msg)
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    struct irq *irq = change->irq;
    struct problem p;
    if (!irq_is_here(irq)) // it has moved meanwhile
        return go_to_irq(change, irq);
    if (!irq_set_posted(irq, irq_mode_posts(change->mode), &p) && change->ok) {
        change->ok = false;
        change->problem = p;
    }
    go_to_irq(change, irq->next);
}

// ---- CPUs, one after the other ----

// For one that is away the boot CPU takes the message, and has nothing to do: it takes the mode over when
// it returns.
static void go_to_cpu(struct irq_mode_change *change)
{
    if (change->cpu < cpu_count())
        cpu_post(change->cpu, &change->msg);
    else
        go_to_irq(change, irq_first());
}

static void change_cpu(struct cpu_msg *msg)
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    irq_follow_mode();
    change->cpu++;
    go_to_cpu(change);
}

// What is refused is answered as any other: later, from the loop.
void irq_set_mode(struct irq_mode_change *change)
{
    change->cpu = 0;
    change->ok = irq_mode_is_possible(change->mode, &change->problem);
    if (!change->ok)
        return go_to_irq(change, NULL);
    irq_change_config(change->mode, change->loops ? change->loops : irq_get_config()->loops);
    change->msg.fn = change_cpu;
    go_to_cpu(change);
}
