// SPDX-License-Identifier: BSD-2-Clause
// The tables' rows. What is varied, and in which steps, is the Linux patch set's for posted MSIs, where it
// has such a table.
#include "apps/bench_plan.h"

#define FEW_DISKS 4 // where a table varies something else, as in the patch set

// What a table varies; a quick bench takes the values that are marked.
struct step {
    uint64_t value;
    bool quick;
};

#define ALL_DISKS UINT32_MAX

static const struct step disk_steps[] = {
    { 1, true }, { 2, false }, { 4, true }, { 8, true }, { ALL_DISKS, true },
};
static const struct step bs_steps[] = {
    { 4 * KIB, true },   { 8 * KIB, false },  { 16 * KIB, true },
    { 32 * KIB, false }, { 64 * KIB, false }, { 128 * KIB, true },
};
static const struct step depth_steps[] = {
    { 1, true },   { 2, false },  { 4, false },  { 8, true },    { 16, false },
    { 32, false }, { 64, false }, { 128, true }, { 256, false },
};
static const struct step loop_steps[] = {
    { 1, true },  { 2, false }, { 3, true },  { 4, false },
    { 5, false }, { 6, false }, { 7, false }, { 8, true },
};
static const struct step latency_steps[] = {
    { 1000, true },
    { 10000, true },
    { 100000, true },
    { 0, false },
};
static const struct step rate_steps[] = {
    { 1000, true },
    { 10000, true },
    { 0, true },
};
static const struct step background_steps[] = {
    { 1000, false },
    { 10000, true },
    { 100000, false },
};

// One disk and all of them, one read at a time and 32, and by streams.
#define COST_ALL BIT32(16)
#define COST_BATCH BIT32(17)
#define COST_DEPTH BITS32(15, 0)
#define COST_READS 5000 // and 1000 for each in flight
static const struct step cost_steps[] = {
    { 1, true },
    { 32, true },
    { COST_ALL | 1, true },
    { COST_ALL | 32, true },
    { COST_ALL | COST_BATCH | 32, true },
};

static const struct {
    const char *name;
    const struct step *steps;
    size_t count;
} tables[BENCH_TABLES] = {
    [BENCH_DISKS] = { "disks", disk_steps, ARRAY_SIZE(disk_steps) },
    [BENCH_BS] = { "bs", bs_steps, ARRAY_SIZE(bs_steps) },
    [BENCH_DEPTH] = { "depth", depth_steps, ARRAY_SIZE(depth_steps) },
    [BENCH_LOOPS] = { "loops", loop_steps, ARRAY_SIZE(loop_steps) },
    [BENCH_LATENCY] = { "latency", latency_steps, ARRAY_SIZE(latency_steps) },
    [BENCH_BACKGROUND] = { "background", background_steps, ARRAY_SIZE(background_steps) },
    [BENCH_RATE] = { "rate", rate_steps, ARRAY_SIZE(rate_steps) },
    [BENCH_COST] = { "cost", cost_steps, ARRAY_SIZE(cost_steps) },
};

const char *bench_table_name(enum bench_table table)
{
    return tables[table].name;
}

static void add_row(struct bench_plan *plan, const struct bench_row *row, enum irq_mode mode)
{
    if (plan->count == BENCH_ROWS_MAX)
        return;
    plan->rows[plan->count] = *row;
    plan->rows[plan->count++].mode = mode;
}

// A row like that for each mode, which take turns.
static void add_modes(const struct bench_settings *s, struct bench_plan *plan,
                      const struct bench_row *row)
{
    for (unsigned i = 0; i < s->modes_count; i++)
        add_row(plan, row, s->modes[i]);
    plan->groups++;
}

// Where notifications are many and where they are few, each without a budget and with it.
static void add_budgets(const struct bench_settings *s, struct bench_plan *plan,
                        struct bench_row *row)
{
    for (unsigned i = 0; i < s->modes_count; i++) {
        if (s->modes[i] != IRQ_POSTED && s->modes[i] != IRQ_ADAPTIVE)
            continue;
        row->budget = 0;
        add_row(plan, row, s->modes[i]);
        row->budget = s->budget;
        add_row(plan, row, s->modes[i]);
    }
    plan->groups++;
}

// As many disks as the step says; "all" is a row of its own where it isn't one of the others.
static unsigned disks_of(const struct bench_settings *s, uint64_t value)
{
    if (value != ALL_DISKS)
        return value <= s->disks ? (unsigned)value : 0;
    bool is_step = s->disks <= 8 && !(s->disks & (s->disks - 1)) && (s->full || s->disks != 2);
    return is_step ? 0 : s->disks;
}

static bool posts_by_notification(const struct bench_settings *s)
{
    for (unsigned i = 0; i < s->modes_count; i++)
        if (s->modes[i] == IRQ_POSTED)
            return true;
    return false;
}

static void add_step(const struct bench_settings *s, struct bench_plan *plan,
                     enum bench_table table, uint64_t value)
{
    struct bench_row row = {
        .table = table,
        .group = plan->groups,
        .disks = MIN(s->disks, (unsigned)FEW_DISKS),
        .bs = s->bs,
        .iodepth = s->iodepth,
        .loops = s->loops,
        .batch = s->batch,
        .budget = s->budget,
    };
    switch (table) {
    case BENCH_DISKS:
        row.disks = disks_of(s, value);
        break;
    case BENCH_BS:
        row.bs = (uint32_t)value;
        break;
    case BENCH_DEPTH:
        row.iodepth = (unsigned)value;
        break;
    case BENCH_LOOPS:
        row.loops = (unsigned)value;
        add_row(plan, &row, IRQ_POSTED);
        return; // all of them are one group
    case BENCH_COST:
        row.disks = !(value & COST_ALL) ? 1 : s->disks > 1 ? s->disks : 0;
        row.batch |= (value & COST_BATCH) != 0;
        row.iodepth = value & COST_DEPTH;
        row.reads = COST_READS + 1000 * row.iodepth;
        break;
    case BENCH_RATE:
        row.rate_iops = value;
        add_budgets(s, plan, &row);
        return;
    default:
        row.disks = s->disks;
        row.rate_iops = value;
    }
    if (row.disks)
        add_modes(s, plan, &row);
}

static bool has_rows(const struct bench_settings *s, unsigned table)
{
    if (table == BENCH_RATE && !s->budget)
        return false;
    return (table != BENCH_LOOPS && table != BENCH_RATE) || posts_by_notification(s);
}

void bench_make_plan(const struct bench_settings *s, struct bench_plan *plan)
{
    plan->count = plan->groups = 0;
    for (unsigned table = 0; table < BENCH_TABLES; table++) {
        if (!(s->tables & BIT32(table)) || !has_rows(s, table))
            continue;
        for (size_t i = 0; i < tables[table].count; i++)
            if (s->full || tables[table].steps[i].quick)
                add_step(s, plan, table, tables[table].steps[i].value);
        plan->groups += table == BENCH_LOOPS;
    }
}

void bench_group(const struct bench_plan *plan, unsigned group, unsigned *first, unsigned *end)
{
    for (*first = 0; *first < plan->count && plan->rows[*first].group != group; ++*first)
        ;
    for (*end = *first; *end < plan->count && plan->rows[*end].group == group; ++*end)
        ;
}

unsigned bench_base(const struct bench_plan *plan, unsigned row)
{
    unsigned first, end;
    bench_group(plan, plan->rows[row].group, &first, &end);
    if (plan->rows[row].table != BENCH_RATE)
        return first;
    return plan->rows[row].budget ? row - 1 : row;
}

struct bench_run bench_turn(const struct bench_plan *plan, unsigned group, unsigned number)
{
    unsigned first, end;
    bench_group(plan, group, &first, &end);
    return (struct bench_run){ first + number % (end - first), number / (end - first) };
}

unsigned bench_numjobs(const struct bench_row *row, unsigned cpus)
{
    if (!row->rate_iops)
        return cpus;
    return (unsigned)MAX(MIN((uint64_t)cpus, row->rate_iops / row->disks), 1ull);
}
