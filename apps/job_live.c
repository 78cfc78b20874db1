// SPDX-License-Identifier: BSD-2-Clause
// The job's figures for the screen's panel. What workers count is read while they count it: each
// number by itself is whole, and that is all that a bar needs.
#include "apps/health.h"
#include "apps/human.h"
#include "apps/job_mix.h"
#include "apps/live.h"
#include "kernel/x86/time.h"

static uint64_t look(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add_mix(struct live_disk *to, const struct job_mix *mix)
{
    for (unsigned way = 0; way < JOB_WAYS; way++) {
        to->latency_tsc += look(&mix->counts[way].latency.sum);
        to->timed += look(&mix->counts[way].ios);
    }
}

static void add_worker(struct live_disk *to, const struct job_worker *w, bool reads_back)
{
    uint64_t ios = reads_back ? look(&w->mix->read_back) : look(&w->completed);
    to->ios += ios;
    to->bytes += ios * w->io_blocks * w->dev->block_size;
    to->errors += look(&w->errors) + look(&w->verify_errors);
    if (w->mix) {
        add_mix(to, w->mix);
        return;
    }
    to->latency_tsc += look(&w->latency.sum);
    to->timed += ios;
}

static void count_disk(const struct job *job, size_t disk)
{
    struct live_disk *to = live_disk(disk);
    *to =
        (struct live_disk){ .kelvin = health_kelvin(job->health, disk), .permille = LIVE_UNKNOWN };
    for (size_t i = 0; i < job->workers_count; i++)
        if (job->workers[i]->dev == job->disks.list[disk])
            add_worker(to, job->workers[i], job->reads_back);
}

static struct live_state state_of(const struct job *job)
{
    const struct job_config *config = &job->config;
    uint64_t elapsed = time_ns() - job->began_ns;
    if (job->reads_back)
        return (struct live_state){ elapsed, LIVE_UNKNOWN, LIVE_UNKNOWN };
    if (config->runtime_us)
        return live_until(elapsed, (config->ramp_us + config->runtime_us) * NS_PER_US);
    return live_done(elapsed, job_completed(job), job_quota(job));
}

void job_live_begin(const struct job *job)
{
    char size[HUMAN_BYTES];
    live_begin("job", &job->disks, "%s of %s, iodepth %u, %s%s", job_rw_name(&job->config),
               human_size(size, job->config.bs), job->config.iodepth, irq_mode_name(irq_get_mode()),
               job->config.verify ? ", verified" : "");
    live_show(&(struct live_state){ 0, LIVE_UNKNOWN, LIVE_UNKNOWN });
}

void job_live_show(const struct job *job)
{
    if (!live_is_shown())
        return;
    for (size_t i = 0; i < job->disks.count; i++)
        count_disk(job, i);
    struct live_state state = state_of(job);
    live_show(&state);
}
