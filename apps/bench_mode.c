// SPDX-License-Identifier: BSD-2-Clause
// Which modes the bench compares.
#include "apps/bench.h"

unsigned bench_modes(enum irq_mode modes[BENCH_MODES])
{
    modes[0] = irq_get_mode();
    return 1;
}

bool bench_set_mode(enum irq_mode mode, unsigned loops, struct problem *p)
{
    const struct irq_config *config = irq_get_config();
    if (mode == config->mode && loops == config->loops)
        return true;
    return problem_set(p, "bench-mode", "irq=%s with posted.loops=%u needs a boot of its own",
                       irq_mode_name(mode), loops);
}
