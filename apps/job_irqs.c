// SPDX-License-Identifier: BSD-2-Clause
// The job's interrupts in the manner of /proc/interrupts: what each CPU took during the run.
#include "apps/job.h"

#include "apps/arena.h"
#include "apps/table.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"

// The CPU's own vectors, as /proc/interrupts names them.
static const struct {
    const char *name, *help;
    size_t offset;
} own[] = {
    { "PMN", "posted MSI notifications", offsetof(struct cpu_stats, notifications) },
    { "LOC", "local timer", offsetof(struct cpu_stats, timers) },
    { "IPI", "wake-ups by other CPUs", offsetof(struct cpu_stats, ipis) },
    { "FLT", "VT-d faults", offsetof(struct cpu_stats, faults) },
    { "SPU", "spurious", offsetof(struct cpu_stats, spurious) },
};

uint64_t job_irq_delta(const struct job *job, unsigned cpu, size_t irq)
{
    return job->cpus[cpu].after.irqs[irq] - job->cpus[cpu].before.irqs[irq];
}

uint64_t job_stat_delta(const struct job *job, unsigned cpu, size_t offset)
{
    const struct job_cpu *c = &job->cpus[cpu];
    const char *after = (const char *)&c->after.stats, *before = (const char *)&c->before.stats;
    return *(const uint64_t *)(const void *)(after + offset) -
           *(const uint64_t *)(const void *)(before + offset);
}

// Rows below irqs_count are MSIs, those from there on the CPU's own.
static uint64_t delta(const struct job *job, unsigned cpu, size_t row)
{
    return row < job->irqs_count ? job_irq_delta(job, cpu, row)
                                 : job_stat_delta(job, cpu, own[row - job->irqs_count].offset);
}

static const struct irq *irq_of(const struct job *job, size_t row)
{
    return row < job->irqs_count ? job->irqs[row] : NULL;
}

static bool all_zero(const struct job *job, unsigned first, unsigned end, size_t row)
{
    for (unsigned cpu = first; cpu < end; cpu++)
        if (delta(job, cpu, row))
            return false;
    return true;
}

static void add_row(struct table *t, const struct job *job, unsigned first, unsigned end,
                    size_t row, const struct irq *irq)
{
    table_cell(t, "%s:", irq ? irq->name : own[row - job->irqs_count].name);
    for (unsigned cpu = first; cpu < end; cpu++)
        table_cell(t, "%lu", delta(job, cpu, row));
    table_cell(t, "%s", irq ? irq->chip->name : own[row - job->irqs_count].help);
}

static void print_abreast(const struct job *job, unsigned first, unsigned end,
                          char (*cells)[TABLE_CELL_BYTES], size_t cells_max)
{
    struct table table;
    table_init(&table, end - first + 2, 1 | 1u << (end - first + 1), cells, cells_max);
    table_cell(&table, "%s", "");
    for (unsigned cpu = first; cpu < end; cpu++)
        table_cell(&table, "CPU%u", cpu);
    table_cell(&table, "%s", "");
    for (size_t row = 0; row < job->irqs_count + ARRAY_SIZE(own); row++)
        if (job->cpus_count <= JOB_CPUS_ABREAST || !all_zero(job, first, end, row))
            add_row(&table, job, first, end, row, irq_of(job, row));
    table_print(&table);
}

static void print_table(const struct job *job)
{
    size_t cells_max = (job->irqs_count + ARRAY_SIZE(own) + 1) * (JOB_CPUS_ABREAST + 2);
    void *cells = arena_alloc(job->arena, cells_max * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY);
    for (unsigned first = 0; first < job->cpus_count; first += JOB_CPUS_ABREAST)
        print_abreast(job, first, MIN(first + JOB_CPUS_ABREAST, job->cpus_count), cells, cells_max);
}

static void send_row(const struct job *job, size_t row, const struct irq *irq, char *buffer,
                     size_t bytes)
{
    uint64_t sum = 0;
    struct json j;
    json_begin(&j, buffer, bytes, "irq");
    json_text(&j, "name", irq ? irq->name : own[row - job->irqs_count].name);
    if (irq) {
        json_text(&j, "chip", irq->chip->name);
        json_u64(&j, "cpu", irq->cpu);
        json_u64(&j, "vector", irq->vector);
        mem_report_nodes(&j, (const volatile void *const[]){ irq, irq->counts }, 2);
    }
    for (unsigned cpu = 0; cpu < job->cpus_count; cpu++)
        sum += delta(job, cpu, row);
    json_u64(&j, "count", sum);
    json_open_array(&j, "counts");
    for (unsigned cpu = 0; cpu < job->cpus_count; cpu++)
        json_u64(&j, NULL, delta(job, cpu, row));
    json_close_array(&j);
    report_json(&j);
}

static void send_rows(const struct job *job)
{
    size_t bytes = 256 + job->cpus_count * 21ull; // a comma and up to 20 digits for each CPU
    char *buffer = arena_alloc(job->arena, bytes, CACHE_LINE, NODE_ANY);
    for (size_t row = 0; row < job->irqs_count + ARRAY_SIZE(own); row++)
        send_row(job, row, irq_of(job, row), buffer, bytes);
}

void job_report_irqs(const struct job *job)
{
    print_table(job);
    send_rows(job);
}
