// SPDX-License-Identifier: BSD-2-Clause
// Adds up what the job's workers and CPUs have counted.
#include "apps/job_sum.h"

#include "apps/arena.h"
#include "apps/latency.h"
#include "kernel/mem/mem.h"
#include "lib/muldiv.h"

uint64_t job_sum_good(const struct job_sum *sum)
{
    return histogram_count(&sum->latency);
}

uint64_t job_sum_rate(const struct job_sum *sum, uint64_t each, uint64_t scale)
{
    return mul_div(job_sum_good(sum) * each, NS_PER_S * scale, latency_ns(sum->tsc));
}

static void add_way(struct job_counts *to, const struct job_counts *from)
{
    to->ios += from->ios;
    to->errors += from->errors;
    histogram_merge(&to->latency, &from->latency);
}

static enum job_way way_of(const struct job_config *config)
{
    return config->trims ? JOB_TRIM : job_writes(config) ? JOB_WRITE : JOB_READ;
}

// A worker all of whose I/Os are alike.
static void add_all_of(struct job_counts *to, const struct job_worker *w)
{
    to->ios += w->completed - w->ramped;
    to->errors += w->completed - w->ramped - histogram_count(&w->latency);
    histogram_merge(&to->latency, &w->latency);
}

static void add_worker(struct job_sum *r, const struct job_config *config,
                       const struct job_worker *w)
{
    r->workers++;
    r->streams += w->streamed;
    r->submitted += job_submitted(w) - w->ramped;
    r->completed += w->completed - w->ramped;
    r->errors += w->errors;
    r->verify_errors += w->verify_errors;
    r->tsc = MAX(r->tsc, w->ended_tsc - w->began_tsc);
    histogram_merge(&r->latency, &w->latency);
    if (w->urgent)
        histogram_merge(&r->urgent, w->urgent);
    if (w->slat)
        histogram_merge(&r->slat, w->slat);
    for (unsigned way = 0; w->mix && way <= JOB_TRIM; way++)
        histogram_merge(&r->latency, &w->mix->counts[way].latency);
    for (unsigned way = 0; r->ways && w->mix && way < JOB_WAYS; way++)
        add_way(&r->ways[way], &w->mix->counts[way]);
    if (r->ways && !w->mix)
        add_all_of(&r->ways[way_of(config)], w);
}

void job_sum_prepare(const struct job *job, struct job_sum *r)
{
    r->bs = job->config.bs;
    if (job_changes(&job->config))
        r->ways = arena_alloc(job->arena, JOB_WAYS * sizeof(*r->ways), CACHE_LINE, NODE_ANY);
}

static unsigned cpus_with_work(const struct job *job)
{
    unsigned n = 0;
    for (unsigned i = 0; i < job->cpus_count; i++)
        n += job->cpus[i].workers != NULL;
    return n;
}

static void sum_up_disk(const struct job *job, size_t d, struct job_sum *sum)
{
    unsigned numjobs = job->config.numjobs;
    sum->filename = job->disks.list[d]->name;
    sum->cpus = numjobs;
    sum->disks = 1;
    for (unsigned i = 0; i < numjobs; i++)
        add_worker(sum, &job->config, job->workers[d * numjobs + i]);
}

void job_sum_up(const struct job *job, struct job_sum *disks, struct job_sum *all)
{
    unsigned numjobs = job->config.numjobs;
    all->filename = "all";
    all->cpus = cpus_with_work(job);
    all->disks = (unsigned)job->disks.count;
    for (size_t d = 0; d < job->disks.count; d++) {
        if (disks)
            sum_up_disk(job, d, &disks[d]);
        for (unsigned i = 0; i < numjobs; i++)
            add_worker(all, &job->config, job->workers[d * numjobs + i]);
    }
}

// The first CPU of each package tells, for all of it.
static void add_energy(const struct job *job, unsigned cpu, struct job_totals *t)
{
    const struct job_counters *before = &job->cpus[cpu].before, *after = &job->cpus[cpu].after;
    if (!before->has_energy || !after->has_energy)
        return;
    for (unsigned i = 0; i < cpu; i++)
        if (job->cpus[i].after.energy.package == after->energy.package)
            return;
    t->has_energy = true;
    t->energy_uj += energy_between(&before->energy, &after->energy);
}

// Busy cycles count on CPUs that have workers, or take MSIs of those that have.
void job_sum_cpus(const struct job *job, struct job_totals *t)
{
    for (unsigned i = 0; i < job->cpus_count; i++) {
        const struct job_cpu *cpu = &job->cpus[i];
        uint64_t msis = 0;
        for (size_t irq = 0; irq < job->irqs_count; irq++)
            msis += job_irq_delta(job, i, irq);
        t->msis += msis;
        add_energy(job, i, t);
        t->notifications += cpu->after.stats.notifications - cpu->before.stats.notifications;
        t->moderated += cpu->after.stats.moderated - cpu->before.stats.moderated;
        t->tsc += cpu->after.tsc - cpu->before.tsc;
        t->idle_tsc += cpu->after.tsc - cpu->before.tsc - job_busy_cycles(job, i);
        if (cpu->workers || msis)
            t->busy_tsc += job_busy_cycles(job, i);
    }
    // Where nothing is posted, each MSI is an interrupt of its own.
    if (irq_get_mode() == IRQ_REMAPPED || irq_get_mode() == IRQ_MSI)
        t->notifications = t->msis;
}
