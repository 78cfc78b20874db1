// SPDX-License-Identifier: BSD-2-Clause
// The job's run: workers, their I/O, start and end.
#include "apps/job.h"

#include "apps/arena.h"
#include "apps/health.h"
#include "apps/job_mix.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trace.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/mark.h"
#include "lib/muldiv.h"
#include "lib/string.h"

#define NEVER UINT64_MAX

// ---- start and end: each CPU reads its own counters ----

// All of one moment: no interrupt counts in between.
static void count(const struct job *job, unsigned cpu, struct job_counters *out)
{
    interrupts_off();
    out->stats = *cpu_stats(cpu);
    for (size_t i = 0; i < job->irqs_count; i++)
        out->irqs[i] = job->irqs[i]->counts[cpu];
    out->tsc = rdtsc();
    interrupts_on();
    out->has_energy = energy_read(&out->energy);
}

static uint64_t tsc_of(uint64_t us)
{
    return mul_div(us, time_tsc_hz(), 1000000);
}

static void start_worker(struct job_worker *w, const struct job_config *config)
{
    w->began_tsc = rdtsc();
    w->end_tsc =
        config->runtime_us ? w->began_tsc + tsc_of(config->ramp_us + config->runtime_us) : NEVER;
    (w->mix ? job_mix_start : job_io_start)(w);
}

// ramp_time= is over: what follows is measured.
static void measure(struct cpu_timer *timer)
{
    struct job_cpu *cpu = container_of(timer, struct job_cpu, ramp);
    count(cpu->job, cpu->cpu, &cpu->before);
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu) {
        w->began_tsc = rdtsc();
        w->ramped = w->completed;
        memset(&w->latency, 0, sizeof(w->latency));
        if (w->urgent)
            memset(w->urgent, 0, sizeof(*w->urgent));
        if (w->slat)
            memset(w->slat, 0, sizeof(*w->slat));
        if (w->mix)
            job_mix_measure(w);
    }
}

static void begin(struct cpu_msg *msg)
{
    struct job_cpu *cpu = container_of(msg, struct job_cpu, msg);
    const struct job_config *config = &cpu->job->config;
    count(cpu->job, cpu->cpu, &cpu->before);
    cpu->ramp.fn = measure;
    if (config->ramp_us)
        cpu_timer_start(&cpu->ramp, time_ns() + config->ramp_us * NS_PER_US);
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu)
        start_worker(w, config);
    job_end_one(cpu);
}

static void counted(struct cpu_msg *msg) // boot CPU
{
    struct job *job = container_of(msg, struct job_cpu, msg)->job;
    job->stop = --job->waiting == 0;
}

static void finish(struct cpu_msg *msg)
{
    struct job_cpu *cpu = container_of(msg, struct job_cpu, msg);
    cpu_timer_stop(&cpu->ramp);
    count(cpu->job, cpu->cpu, &cpu->after);
    msg->fn = counted;
    cpu_post(0, msg);
}

static void all_ended(struct cpu_msg *msg) // boot CPU: the workers of one CPU
{
    struct job *job = container_of(msg, struct job_cpu, msg)->job;
    if (--job->waiting)
        return;
    if (job->reads_back) {
        job->stop = true;
        return;
    }
    job->waiting = job->cpus_count;
    for (unsigned i = 0; i < job->cpus_count; i++) {
        job->cpus[i].msg.fn = finish;
        cpu_post(i, &job->cpus[i].msg);
    }
}

// Each worker sees it at its next I/O. One that another CPU is about to start is told the next time.
static void stop_early(struct job *job)
{
    for (size_t i = 0; i < job->workers_count && !job->reads_back; i++)
        __atomic_store_n(&job->workers[i]->end_tsc, 0, __ATOMIC_RELAXED);
}

static void progress(struct cpu_timer *timer)
{
    struct job *job = container_of(timer, struct job, progress);
    MARK_BEGIN("progress");
    job->show(job);
    health_sample(job->health);
    if (app_is_asked_to_stop())
        stop_early(job);
    MARK_END("progress");
    cpu_timer_start(timer, timer->due_ns + NS_PER_S);
}

// Until each CPU has begun, and all its workers have ended.
static void run(struct job *job, void (*begin_on_cpu)(struct cpu_msg *msg))
{
    job->stop = false;
    job->waiting = job->cpus_count;
    job->began_ns = job->shown_ns = time_ns();
    job->progress.fn = progress;
    if (job->show)
        cpu_timer_start(&job->progress, job->began_ns + NS_PER_S);
    for (unsigned i = 0; i < job->cpus_count; i++) {
        job->cpus[i].all_ended = all_ended;
        job->cpus[i].msg.fn = begin_on_cpu;
        cpu_post(i, &job->cpus[i].msg);
    }
    cpu_run_until(&job->stop);
    cpu_timer_stop(&job->progress);
}

static void begin_read_back(struct cpu_msg *msg)
{
    struct job_cpu *cpu = container_of(msg, struct job_cpu, msg);
    cpu->running = 1;
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu)
        cpu->running++;
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu)
        job_mix_read_back(w);
    job_end_one(cpu);
}

// All that the job has written: not measured, but checked.
static void read_back(struct job *job)
{
    if (!job->config.verify || !job_writes(&job->config))
        return;
    info("job: reads back what it has written");
    job->reads_back = true;
    run(job, begin_read_back);
}

void job_execute(struct job *job)
{
    run(job, begin);
}

static void show(struct job *job)
{
    job_show_progress(job);
    job_live_show(job);
}

static bool prepare(struct job *job, const struct cmdline *c, struct problem *p)
{
    return job_configure(c, cpu_count(), &job->config, p) && disks_select(c, &job->disks, p) &&
           job_open(job, p);
}

// It may still write to its buffers.
static bool lost_a_disk(const struct job *job)
{
    for (size_t i = 0; i < job->workers_count; i++)
        if (job->workers[i]->given_up)
            return true;
    return false;
}

static void job_run(const struct cmdline *c)
{
    struct job job = { .show = show, .arena = arena_of_run() };
    struct problem p;
    if (!prepare(&job, c, &p)) {
        error_problem(&p);
        return;
    }
    job_crc_open(&job);
    job_describe(&job);
    job.health = health_begin(&job.disks);
    job_live_begin(&job);
    job_execute(&job);
    trace_stop(); // what follows is no work
    read_back(&job);
    job_report(&job);
    if (job.arena && lost_a_disk(&job))
        arena_abandon(job.arena);
}

APP(app_job) = {
    .name = "job",
    .help = "reads and writes disks as fio does, and measures",
    .options = job_options,
    .bare = { "rw" },
    .is_load = true,
    .run = job_run,
};
