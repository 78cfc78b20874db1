// SPDX-License-Identifier: BSD-2-Clause
// The bench's figures for the screen's panel: shown between two runs, so that none is measured with them.
// Its disks are one there, since how many take part differs from run to run.
#include "apps/bench.h"
#include "apps/job.h"
#include "apps/live.h"
#include "kernel/x86/time.h"

void bench_live_show(const struct bench *b, const struct bench_row *row, uint64_t left_s)
{
    char text[BENCH_ROW_BYTES];
    if (!live_is_shown())
        return;
    unsigned runs = b->plan.count * b->repeats;
    struct live_state state = live_done(time_ns() - b->began_ns, b->runs_done, runs);
    state.left_s = left_s;
    if (!b->runs_done)
        live_begin("bench", NULL, "%u runs", runs);
    live_say("%s: run %u of %u", bench_describe(row, text), b->runs_done + 1, runs);
    live_show(&state);
}

void bench_live_add(const struct job *job)
{
    if (!live_is_shown())
        return;
    struct live_disk *to = live_disk(0);
    for (size_t i = 0; i < job->workers_count; i++) {
        const struct job_worker *w = job->workers[i];
        to->ios += w->completed;
        to->bytes += w->completed * job->config.bs;
        to->errors += w->errors + w->verify_errors;
        to->latency_tsc += w->latency.sum;
        to->timed += w->completed;
    }
}
