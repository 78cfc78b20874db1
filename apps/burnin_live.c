// SPDX-License-Identifier: BSD-2-Clause
// The burn-in's figures for the screen's panel; as in job_live.c, they are read while they change.
#include "apps/burnin.h"
#include "apps/health.h"
#include "apps/live.h"
#include "kernel/x86/time.h"
#include "lib/muldiv.h"

static void count_disk(const struct burnin *b, size_t disk)
{
    const struct burnin_disk *d = b->list[disk];
    struct live_disk *to = live_disk(disk);
    *to = (struct live_disk){ .kelvin = health_kelvin(b->health, disk),
                              .errors = burnin_errors(d),
                              .permille = mul_div(__atomic_load_n(&d->done, __ATOMIC_RELAXED), 1000,
                                                  MAX(burnin_blocks_to_do(d), 1ull)) };
    for (enum burnin_step step = 0; step < BURNIN_STEPS; step++) {
        to->ios += d->ways[step].ios;
        to->bytes += d->ways[step].bytes;
        to->latency_tsc += d->ways[step].latency.sum;
        to->timed += d->ways[step].ios;
    }
}

void burnin_live_begin(const struct burnin *b)
{
    live_begin("burn-in", &b->disks, "%u pass%s, iodepth %u", b->passes, b->passes == 1 ? "" : "es",
               b->iodepth);
    burnin_live_show(b);
}

void burnin_live_show(const struct burnin *b)
{
    uint64_t elapsed = time_ns() - b->began_ns, done = 0, all = 0;
    if (!live_is_shown())
        return;
    for (size_t i = 0; i < b->disks.count; i++) {
        const struct burnin_disk *d = b->list[i];
        count_disk(b, i);
        done += __atomic_load_n(&d->done, __ATOMIC_RELAXED) * d->dev->block_size;
        all += burnin_blocks_to_do(d) * d->dev->block_size;
    }
    struct live_state state = live_done(elapsed, done, all);
    state.left_s = done ? burnin_seconds_left(b, elapsed) : LIVE_UNKNOWN; // by the slowest
    live_show(&state);
}
