// SPDX-License-Identifier: BSD-2-Clause
// How MSIs got to their handlers during the run: for each CPU how it harvested, waited and slept.
#include "apps/arena.h"
#include "apps/human.h"
#include "apps/job.h"
#include "apps/table.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"
#include "lib/json.h"

#define COUNTER(name) offsetof(struct cpu_stats, name)

// In the order of the table's rows.
static const struct {
    const char *label;
    const char *key; // in JSON; NULL: it's in one of the arrays there
    size_t offset;
} counters[] = {
    { "MSIs:", "msis", COUNTER(msis) },
    { "notifications:", "notifications", COUNTER(notifications) },
    { "spins:", "spins", COUNTER(spins) },
    { "sleeps:", "sleeps", COUNTER(sleeps) },
    { "wake-ups:", "wakes", COUNTER(wakes) },
    { "window harvests:", "windows", COUNTER(windows) },
    { "moderated harvests:", "moderated", COUNTER(moderated) },
    { "posts missed by MWAIT:", "mwait_misses", COUNTER(mwait_misses) },
    { "harvests of 1 vector:", NULL, COUNTER(per_harvest[0]) },
    { "harvests of 2 vectors:", NULL, COUNTER(per_harvest[1]) },
    { "harvests of 3-4 vectors:", NULL, COUNTER(per_harvest[2]) },
    { "harvests of 5-8 vectors:", NULL, COUNTER(per_harvest[3]) },
    { "harvests of 9-16 vectors:", NULL, COUNTER(per_harvest[4]) },
    { "harvests of 17-32 vectors:", NULL, COUNTER(per_harvest[5]) },
    { "harvests of 33-64 vectors:", NULL, COUNTER(per_harvest[6]) },
    { "harvests of 65-128 vectors:", NULL, COUNTER(per_harvest[7]) },
    { "harvests of 129-256 vectors:", NULL, COUNTER(per_harvest[8]) },
    { "notifications, 0 harvests:", NULL, COUNTER(loops[0]) },
    { "notifications, 1 harvest:", NULL, COUNTER(loops[1]) },
    { "notifications, 2 harvests:", NULL, COUNTER(loops[2]) },
    { "notifications, 3 harvests:", NULL, COUNTER(loops[3]) },
    { "notifications, 4 harvests:", NULL, COUNTER(loops[4]) },
    { "notifications, 5 harvests:", NULL, COUNTER(loops[5]) },
    { "notifications, 6 harvests:", NULL, COUNTER(loops[6]) },
    { "notifications, 7+ harvests:", NULL, COUNTER(loops[7]) },
};
static_assert(CPU_STATS_BUCKETS == 9 && CPU_STATS_LOOPS == 8, "a row for each");

static uint64_t cycles(const struct job *job, unsigned cpu)
{
    return job->cpus[cpu].after.tsc - job->cpus[cpu].before.tsc;
}

uint64_t job_busy_cycles(const struct job *job, unsigned cpu)
{
    uint64_t idle = job_stat_delta(job, cpu, COUNTER(idle_tsc));
    return cycles(job, cpu) - MIN(idle, cycles(job, cpu));
}

// ---- for people ----

static bool all_zero(const struct job *job, unsigned first, unsigned end, size_t offset)
{
    for (unsigned cpu = first; cpu < end; cpu++)
        if (job_stat_delta(job, cpu, offset))
            return false;
    return true;
}

static void add_busy(struct table *t, const struct job *job, unsigned first, unsigned end)
{
    char percent[HUMAN_BYTES];
    table_cell(t, "busy:");
    for (unsigned cpu = first; cpu < end; cpu++)
        table_cell(t, "%s%%",
                   human_ratio(percent, job_busy_cycles(job, cpu) * 100, cycles(job, cpu), 1));
}

static void print_abreast(const struct job *job, unsigned first, unsigned end,
                          char (*cells)[TABLE_CELL_BYTES], size_t cells_max)
{
    struct table table;
    table_init(&table, end - first + 1, 1, cells, cells_max);
    table_cell(&table, "delivery");
    for (unsigned cpu = first; cpu < end; cpu++)
        table_cell(&table, "CPU%u", cpu);
    add_busy(&table, job, first, end);
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        if (all_zero(job, first, end, counters[i].offset))
            continue;
        table_cell(&table, "%s", counters[i].label);
        for (unsigned cpu = first; cpu < end; cpu++)
            table_cell(&table, "%lu", job_stat_delta(job, cpu, counters[i].offset));
    }
    table_print(&table);
}

static void print_table(const struct job *job)
{
    size_t cells_max = (ARRAY_SIZE(counters) + 2) * (JOB_CPUS_ABREAST + 1);
    void *cells = arena_alloc(job->arena, cells_max * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY);
    for (unsigned first = 0; first < job->cpus_count; first += JOB_CPUS_ABREAST)
        print_abreast(job, first, MIN(first + JOB_CPUS_ABREAST, job->cpus_count), cells, cells_max);
}

// ---- JSON ----

static void send_array(struct json *j, const char *key, const struct job *job, unsigned cpu,
                       size_t offset, size_t length)
{
    json_open_array(j, key);
    for (size_t i = 0; i < length; i++)
        json_u64(j, NULL, job_stat_delta(job, cpu, offset + i * sizeof(uint64_t)));
    json_close_array(j);
}

static void send_cpu(const struct job *job, unsigned cpu)
{
    char buffer[1024];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "delivery");
    json_u64(&j, "cpu", cpu);
    json_u64(&j, "cycles", cycles(job, cpu));
    json_u64(&j, "busy_cycles", job_busy_cycles(job, cpu));
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        if (counters[i].key)
            json_u64(&j, counters[i].key, job_stat_delta(job, cpu, counters[i].offset));
    send_array(&j, "vectors_per_harvest", job, cpu, COUNTER(per_harvest), CPU_STATS_BUCKETS);
    send_array(&j, "harvests_per_notification", job, cpu, COUNTER(loops), CPU_STATS_LOOPS);
    report_json(&j);
}

void job_report_delivery(const struct job *job)
{
    print_table(job);
    for (unsigned cpu = 0; cpu < job->cpus_count; cpu++)
        send_cpu(job, cpu);
}
