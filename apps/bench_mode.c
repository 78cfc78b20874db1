// SPDX-License-Identifier: BSD-2-Clause
// Which modes the bench compares, and how it goes from one to another.
#include "apps/bench.h"
#include "kernel/run/loop.h"

// The first one is what the others are compared with.
unsigned bench_modes(enum irq_mode modes[BENCH_MODES])
{
    static const enum irq_mode all[BENCH_MODES] = { IRQ_MSI, IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE,
                                                    IRQ_POLL };
    struct problem p;
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (irq_mode_is_possible(all[i], &p))
            modes[count++] = all[i];
    return count;
}

static bool changed;

static void has_changed(struct irq_mode_change *change)
{
    changed = true;
}

bool bench_set_mode(enum irq_mode mode, unsigned loops, uint64_t budget, struct problem *p)
{
    struct irq_mode_change change = { .mode = mode, .loops = loops, .done = has_changed };
    const struct irq_config *config = irq_get_config();
    irq_set_rate(budget);
    if (mode == config->mode && loops == config->loops)
        return true;
    changed = false;
    irq_set_mode(&change);
    cpu_run_until(&changed);
    if (!change.ok)
        *p = change.problem;
    return change.ok;
}
