// SPDX-License-Identifier: BSD-2-Clause
// What the burn-in tells: how far it is and when it will be over, and what came of each disk.
#include "apps/burnin.h"
#include "apps/health.h"
#include "apps/human.h"
#include "apps/latency.h"
#include "apps/table.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/muldiv.h"

uint64_t burnin_blocks_to_do(const struct burnin_disk *d)
{
    uint64_t blocks = 0, first;
    for (unsigned i = 0; i < d->plan.count; i++) {
        uint64_t places = burnin_step_places(d, d->plan.steps[i], &first);
        blocks +=
            places ? MIN((first + places) * d->io_blocks, d->region) - first * d->io_blocks : 0;
    }
    return blocks * d->burnin->passes;
}

static uint64_t rate(const struct burnin_way *way) // bytes a second
{
    return mul_div(way->bytes, NS_PER_S, latency_ns(way->tsc));
}

static uint64_t errors_of(const struct burnin_disk *d)
{
    uint64_t sum = 0;
    for (enum burnin_step step = 0; step < BURNIN_STEPS; step++)
        sum += d->ways[step].errors;
    return sum;
}

static uint64_t bad_blocks(const struct burnin_disk *d)
{
    uint64_t sum = 0;
    for (unsigned v = 0; v < PATTERN_VERDICTS; v++)
        sum += v == PATTERN_GOOD ? 0 : d->verdicts[v];
    return sum;
}

uint64_t burnin_errors(const struct burnin_disk *d)
{
    return errors_of(d) + bad_blocks(d);
}

// Every block was found right, each time that it was read.
static bool is_good(const struct burnin_disk *d)
{
    return !errors_of(d) && !bad_blocks(d) &&
           d->verdicts[PATTERN_GOOD] ==
               d->region * d->burnin->passes * burnin_plan_counts(&d->plan, BURNIN_READ);
}

// "write:read"
static const char *steps_text(const struct burnin_plan *plan, char *to, size_t bytes)
{
    size_t used = 0;
    to[0] = 0;
    for (unsigned i = 0; i < plan->count && used < bytes; i++)
        if (plan->steps[i] != BURNIN_FLUSH)
            used += (size_t)format_text(to + used, bytes - used, "%s%s", used ? ":" : "",
                                        burnin_steps[plan->steps[i]].name);
    return to;
}

// ---- while it runs ----

void burnin_describe(const struct burnin *b)
{
    char size[HUMAN_BYTES], steps[BURNIN_STEPS_MOST * 8];
    uint64_t bytes = 0;
    for (size_t i = 0; i < b->disks.count; i++)
        bytes += b->list[i]->region * b->list[i]->dev->block_size;
    info("burnin: overwrites %zu disk%s, %lu MB in all, %u pass%s of %s, bs %s, iodepth %u, seed "
         "0x%lx",
         b->disks.count, b->disks.count == 1 ? "" : "s", bytes / 1000000, b->passes,
         b->passes == 1 ? "" : "es", steps_text(&b->plan, steps, sizeof(steps)),
         human_size(size, b->bs), b->iodepth, b->seed);
}

// By the disk that will take longest, at the rate that it had so far.
uint64_t burnin_seconds_left(const struct burnin *b, uint64_t elapsed_ns)
{
    uint64_t most = 0;
    for (size_t i = 0; i < b->disks.count; i++) {
        const struct burnin_disk *d = b->list[i];
        uint64_t done = __atomic_load_n(&d->done, __ATOMIC_RELAXED);
        uint64_t left = mul_div(elapsed_ns, burnin_blocks_to_do(d) - done, MAX(done, 1ull));
        most = MAX(most, left);
    }
    return DIV_UP(most, NS_PER_S);
}

void burnin_show_progress(const struct burnin *b)
{
    char left[HUMAN_BYTES], percent[HUMAN_BYTES], bandwidth[HUMAN_BYTES], time[HUMAN_BYTES];
    uint64_t elapsed = time_ns() - b->began_ns, done = 0, to_do = 0;
    for (size_t i = 0; i < b->disks.count; i++) {
        const struct burnin_disk *d = b->list[i];
        done += __atomic_load_n(&d->done, __ATOMIC_RELAXED) * d->dev->block_size;
        to_do += burnin_blocks_to_do(d) * d->dev->block_size;
    }
    info("burnin: %s%% after %s, %s MB/s, %s left", human_ratio(percent, done * 100, to_do, 1),
         human_duration(time, elapsed / NS_PER_S),
         human_tenths(bandwidth, mul_div(done, NS_PER_S / 100000, elapsed)),
         done ? human_duration(left, burnin_seconds_left(b, elapsed)) : "unknown time");
}

// ---- JSON ----

static void json_way(struct json *j, const char *name, const struct burnin_way *way)
{
    json_open(j, name);
    json_u64(j, "total_ios", way->ios);
    json_u64(j, "io_bytes", way->bytes);
    json_u64(j, "errors", way->errors);
    json_u64(j, "runtime", latency_ns(way->tsc) / NS_PER_MS);
    json_u64(j, "bw_bytes", rate(way));
    latency_json(j, "clat_ns", &way->latency);
    json_close(j);
}

static void send_disk(const struct burnin_disk *d)
{
    const struct burnin *b = d->burnin;
    static char buffer[8192]; // too large for a stack
    char steps[BURNIN_STEPS_MOST * 8];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "burnin");
    json_text(&j, "filename", d->dev->name);
    json_text(&j, "serial", d->dev->serial);
    json_bool(&j, "ok", is_good(d));
    json_u64(&j, "size", d->region * d->dev->block_size);
    json_u64(&j, "bs", b->bs);
    json_u64(&j, "iodepth", b->iodepth);
    json_u64(&j, "passes", b->passes);
    json_u64(&j, "seed", b->seed);
    json_text(&j, "steps", steps_text(&d->plan, steps, sizeof(steps)));
    json_way(&j, "write", &d->ways[BURNIN_WRITE]);
    json_way(&j, "sync", &d->ways[BURNIN_FLUSH]);
    json_way(&j, "read", &d->ways[BURNIN_READ]);
    for (enum burnin_step step = BURNIN_COMPARE; step < BURNIN_FLUSH; step++)
        if (burnin_plan_counts(&d->plan, step))
            json_way(&j, burnin_steps[step].name, &d->ways[step]);
    json_u64(&j, "errors", errors_of(d));
    json_u64(&j, "verify_errors", bad_blocks(d));
    json_open(&j, "blocks");
    for (unsigned v = 0; v < PATTERN_VERDICTS; v++)
        json_u64(&j, pattern_verdict_name(v), d->verdicts[v]);
    json_close(&j);
    report_json(&j);
}

// ---- for people ----

#define COLUMNS 10

static void add_latency(struct table *t, const struct histogram *h)
{
    char text[HUMAN_BYTES];
    table_cell(t, "%s", human_tenths(text, latency_ns(histogram_percentile(h, 99900)) / 100));
    table_cell(t, "%s", human_tenths(text, latency_ns(h->max) / 100));
}

static void add_row(struct table *t, const struct burnin_disk *d)
{
    const struct burnin_way *write = &d->ways[BURNIN_WRITE], *read = &d->ways[BURNIN_READ];
    char text[HUMAN_BYTES];
    table_cell(t, "%s", d->dev->name);
    table_cell(t, "%s", human_tenths(text, rate(write) / 100000));
    add_latency(t, &write->latency);
    table_cell(t, "%s", human_tenths(text, rate(read) / 100000));
    add_latency(t, &read->latency);
    table_cell(t, "%lu", errors_of(d));
    table_cell(t, "%lu", bad_blocks(d));
    table_cell(t, "%s", is_good(d) ? "ok" : "failed");
}

static void print_table(const struct burnin *b)
{
    static const char *const heads[COLUMNS] = {
        "disk",     "write MB/s", "p99.9 us", "max us",     "read MB/s",
        "p99.9 us", "max us",     "errors",   "bad blocks", "result",
    };
    size_t cells = (b->disks.count + 1) * COLUMNS;
    struct table table;
    table_init(&table, COLUMNS, 1, mem_alloc(cells * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY),
               cells);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, "%s", heads[i]);
    for (size_t i = 0; i < b->disks.count; i++)
        add_row(&table, b->list[i]);
    table_print(&table);
}

// What the table has no columns for.
static void print_steps(const struct burnin_disk *d)
{
    char text[HUMAN_BYTES];
    for (enum burnin_step step = BURNIN_COMPARE; step < BURNIN_FLUSH; step++)
        if (burnin_plan_counts(&d->plan, step))
            info("burnin: %s: %s: %s MB/s, %lu errors", d->dev->name, burnin_steps[step].name,
                 human_tenths(text, rate(&d->ways[step]) / 100000), d->ways[step].errors);
}

// What was wrong with a disk's blocks, e.g. " 2 stale, 1 torn".
static const char *kinds_of(const struct burnin_disk *d, char *to, size_t bytes)
{
    size_t used = 0;
    to[0] = 0;
    for (unsigned v = 0; v < PATTERN_VERDICTS && used < bytes; v++)
        if (v != PATTERN_GOOD && d->verdicts[v])
            used += (size_t)format_text(to + used, bytes - used, "%s %lu %s", used ? "," : "",
                                        d->verdicts[v], pattern_verdict_name(v));
    return to;
}

static void print_verdict(const struct burnin *b)
{
    char time[HUMAN_BYTES], kinds[160];
    size_t failed = 0;
    for (size_t i = 0; i < b->disks.count; i++) {
        const struct burnin_disk *d = b->list[i];
        if (is_good(d))
            continue;
        failed++;
        info("burnin: %s (%s, serial \"%s\") failed: %lu errors, %lu bad blocks%s%s", d->dev->name,
             d->dev->model, d->dev->serial, errors_of(d), bad_blocks(d),
             bad_blocks(d) ? ":"
             : d->given_up ? ", given up"
                           : "",
             kinds_of(d, kinds, sizeof(kinds)));
    }
    result_say("%zu of %zu disk%s good", b->disks.count - failed, b->disks.count,
               b->disks.count == 1 ? "" : "s");
    info("burnin: %s: %zu of %zu disk%s good after %s", failed ? "failed" : "ok",
         b->disks.count - failed, b->disks.count, b->disks.count == 1 ? "" : "s",
         human_duration(time, (time_ns() - b->began_ns) / NS_PER_S));
}

void burnin_report(const struct burnin *b)
{
    info("%s", "");
    print_table(b);
    for (size_t i = 0; i < b->disks.count; i++)
        print_steps(b->list[i]);
    info("%s", "");
    health_report(b->health);
    for (size_t i = 0; i < b->disks.count; i++)
        send_disk(b->list[i]);
    print_verdict(b);
}
