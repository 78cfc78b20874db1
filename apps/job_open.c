// SPDX-License-Identifier: BSD-2-Clause
// The job's set-up: its workers, and the memory that they need.
#include "apps/arena.h"
#include "apps/job_mix.h"
#include "kernel/base/cpus.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "lib/stamp.h"

static void list_irqs(struct job *job)
{
    size_t i = 0;
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        job->irqs_count++;
    job->irqs =
        arena_alloc(job->arena, job->irqs_count * sizeof(*job->irqs) + 1, CACHE_LINE, NODE_ANY);
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        job->irqs[i++] = irq;
}

static void make_cpus(struct job *job)
{
    list_irqs(job);
    job->cpus_count = cpu_count();
    job->cpus = arena_alloc(job->arena, job->cpus_count * sizeof(*job->cpus), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < job->cpus_count; i++) {
        struct job_cpu *cpu = &job->cpus[i];
        *cpu = (struct job_cpu){ .job = job, .cpu = i, .running = 1 };
        cpu->before.irqs = arena_alloc(job->arena, job->irqs_count * sizeof(uint64_t) + 1,
                                       CACHE_LINE, cpu_node(i));
        cpu->after.irqs = arena_alloc(job->arena, job->irqs_count * sizeof(uint64_t) + 1,
                                      CACHE_LINE, cpu_node(i));
    }
}

static void make_worker(struct job *job, size_t disk, unsigned index, unsigned *told)
{
    const struct job_config *config = &job->config;
    struct job_cpu *cpu = &job->cpus[job_cpu_of(config, disk, index, job->cpus_count)];
    struct job_worker *w = arena_alloc(job->arena, sizeof(*w), CACHE_LINE, cpu_node(cpu->cpu));
    struct block_dev *dev = job->disks.list[disk];
    job->workers[disk * config->numjobs + index] = w;
    w->dev = dev;
    w->told = told;
    w->cpu = cpu;
    w->is_random = config->random;
    w->verify = config->verify;
    w->urgent_percent = (uint8_t)config->urgent;
    if (config->urgent)
        w->urgent = arena_alloc(job->arena, sizeof(*w->urgent), CACHE_LINE, cpu_node(cpu->cpu));
    if (config->slat)
        w->slat = arena_alloc(job->arena, sizeof(*w->slat), CACHE_LINE, cpu_node(cpu->cpu));
    w->rate = job_rate(config, disk * config->numjobs + index, job->workers_count);
    w->iodepth = config->iodepth;
    w->io_blocks = config->bs / dev->block_size;
    w->region = job_region(config, dev);
    job_share(w->region, index, config->numjobs, &w->first, &w->end);
    w->next = w->first;
    w->quota = config->runtime_us && (config->random || w->first < w->end) ? UINT64_MAX
                                                                           : w->end - w->first;
    w->left = w->quota;
    w->tag = stamp_tag(dev->serial, dev->nsid);
    w->random = w->tag + index + config->seed; // the same in each run, another for each worker
    if (job_is_mixed(config))
        job_mix_make(w, job);
    else
        job_io_make(w, job);
    w->next_on_cpu = cpu->workers;
    cpu->workers = w;
    cpu->running++;
}

// What the workers need, against what is there: mem_alloc() would end the run without advice.
static bool check_memory(const struct job *job, struct problem *p)
{
    const struct job_config *config = &job->config;
    uint64_t io_bytes = sizeof(struct job_io) + config->bs;
    uint64_t worker_bytes = sizeof(struct job_worker) + config->iodepth * io_bytes + 4 * PAGE_BYTES;
    worker_bytes += (!!config->urgent + config->slat) * sizeof(struct histogram);
    uint64_t bytes = job->workers_count * worker_bytes;
    for (size_t i = 0; i < job->disks.count && job_is_mixed(config); i++)
        bytes += config->numjobs * job_mix_bytes(config, job->disks.list[i]);
    if (job->arena)
        bytes += cpu_count() * ARENA_CHUNK_BYTES; // as many nodes, at most
    if (bytes <= mem_free_bytes())
        return true;
    return problem_set(
        p, "job-memory",
        "%lu workers with iodepth=%u and bs=%u need %llu MiB, and %llu MiB are free; lower one "
        "of these, numjobs=, or the number of disks%s",
        job->workers_count, config->iodepth, config->bs, DIV_UP(bytes, MIB), mem_free_bytes() / MIB,
        config->verify && job_writes(config) ? "; or size=, with what is kept of each place" : "");
}

bool job_open(struct job *job, struct problem *p)
{
    const struct job_config *config = &job->config;
    for (size_t i = 0; i < job->disks.count; i++)
        if (!job_check_disk(config, job->disks.list[i], p))
            return false;
    job->workers_count = job->disks.count * config->numjobs;
    if (!job->again && !check_memory(job, p))
        return false;
    make_cpus(job);
    job->data_seed = config->seed ? config->seed : rdtsc();
    job->workers =
        arena_alloc(job->arena, job->workers_count * sizeof(*job->workers), CACHE_LINE, NODE_ANY);
    for (size_t disk = 0; disk < job->disks.count; disk++) {
        unsigned *told = arena_alloc(job->arena, sizeof(*told), CACHE_LINE, NODE_ANY);
        *told = job->quiet ? JOB_ERRORS_TOLD : 0;
        for (unsigned index = 0; index < config->numjobs; index++)
            make_worker(job, disk, index, told);
    }
    return true;
}
