// SPDX-License-Identifier: BSD-2-Clause
// Changes of the mode at random, each looked at when it has ended.

#include "apps/mode_changes.h"

#include "kernel/x86/time.h"
#include "lib/random.h"
#include "lib/string.h"

#define PAUSE_NS_MAX (2 * NS_PER_MS)
#define LOOPS_MAX 8

static const enum irq_mode modes[] = { IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE, IRQ_POLL };

bool mode_changes_are_possible(struct problem *p)
{
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
        if (!irq_mode_is_possible(modes[i], p))
            return false;
    return true;
}

static bool check_irq(const struct irq *irq, struct problem *p)
{
    const char *wanted = irq_mode_posts(irq_get_mode()) ? "VTD-POST" : "VTD-REMAP";
    return irq->chip->through || !strcmp(irq->chip->name, wanted) ||
           problem_set(p, "selftest-chip", "%s: irq=%s, and it is %s, not %s", irq->name,
                       irq_mode_name(irq_get_mode()), irq->chip->name, wanted);
}

static bool check(const struct irq_mode_change *change, struct problem *p)
{
    if (irq_get_mode() != change->mode || irq_get_config()->loops != change->loops)
        return problem_set(p, "selftest-mode",
                           "irq=%s with posted.loops=%u was asked for, and it is %s with %u",
                           irq_mode_name(change->mode), change->loops,
                           irq_mode_name(irq_get_mode()), irq_get_config()->loops);
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        if (!check_irq(irq, p))
            return false;
    return true;
}

static void changed(struct irq_mode_change *change)
{
    struct mode_changes *m = container_of(change, struct mode_changes, change);
    struct problem p;
    if (change->ok)
        m->changed(check(change, &p), &p);
    else
        m->changed(false, &change->problem);
}

static void change_now(struct cpu_timer *timer)
{
    struct mode_changes *m = container_of(timer, struct mode_changes, pause);
    m->change = (struct irq_mode_change){
        .mode = modes[random_below(&m->random, ARRAY_SIZE(modes))],
        .loops = 1 + (unsigned)random_below(&m->random, LOOPS_MAX),
        .done = changed,
    };
    irq_set_mode(&m->change);
}

void mode_changes_next(struct mode_changes *m)
{
    m->pause.fn = change_now;
    cpu_timer_start(&m->pause, time_ns() + random_below(&m->random, PAUSE_NS_MAX));
}
