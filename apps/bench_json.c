// SPDX-License-Identifier: BSD-2-Clause
// The bench's JSON: its plan, then each row with all of its latencies.
#include "apps/bench.h"
#include "apps/bins.h"
#include "apps/human.h"
#include "apps/latency.h"
#include "kernel/base/report.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/muldiv.h"

static const char *const figure_names[BENCH_FIGURES] = {
    [BENCH_IOPS] = "iops",
    [BENCH_CYCLES_PER_IO] = "cycles_per_io",
    [BENCH_BUSY] = "busy",
    [BENCH_COUNTED] = "counted_per_s",
    [BENCH_NJ_PER_IO] = "energy_uj_per_io",
};

void bench_send_plan(const struct bench *b, const struct cmdline *c, uint64_t estimate_s)
{
    char text[512];
    const struct cmdline_value *name = cmdline_get(c, "bench");
    struct json j;
    char bench[HUMAN_BYTES];
    format_text(bench, sizeof(bench), "%.*s", (int)name->length, name->text);
    json_begin(&j, text, sizeof(text), "bench_plan");
    json_text(&j, "bench", bench);
    json_open_array(&j, "tables");
    for (unsigned table = 0; table < BENCH_TABLES; table++)
        if (b->settings.tables & BIT32(table))
            json_text(&j, NULL, bench_table_name(table));
    json_close_array(&j);
    json_u64(&j, "rows", b->plan.count);
    json_u64(&j, "repeats", b->repeats);
    json_u64(&j, "runtime_each", b->runtime_us / 1000);
    json_u64(&j, "estimate_s", estimate_s);
    report_json(&j);
}

static void send_stat(struct json *j, const struct bench_result *r, enum bench_figure figure)
{
    const struct bench_stat *stat = &r->figures[figure];
    void (*number)(struct json *, const char *, uint64_t) =
        figure == BENCH_NJ_PER_IO ? json_milli : json_u64; // told in microjoules
    json_open(j, figure_names[figure]);
    number(j, "median", stat->median);
    number(j, "min", stat->min);
    number(j, "max", stat->max);
    json_close(j);
}

static void send_words(struct json *j, const struct bench *b, const struct bench_row *row)
{
    json_text(j, "irq", irq_mode_name(row->mode));
    json_u64(j, "disks", row->disks);
    json_u64(j, "bs", row->bs);
    json_u64(j, "iodepth", row->iodepth);
    json_u64(j, "loops", row->loops);
    json_u64(j, "rate_iops", row->rate_iops);
    json_text(j, "clat", row->batch ? "batch" : "exact");
    json_u64(j, "posted_rate", row->budget);
    json_u64(j, "cpus", cpu_count());
    json_u64(j, "repeats", b->repeats);
    json_u64(j, "runtime", row->reads ? 0 : b->runtime_us / 1000);
}

static void send_interrupts(struct json *j, const struct bench_result *r)
{
    json_u64(j, "msis", r->msis);
    json_u64(j, "notifications", r->notifications);
    json_u64(j, "moderated", r->moderated);
    json_milli(j, "notifications_per_msi", mul_div(r->notifications, 1000, r->msis));
    json_u64(j, "notifications_per_s", mul_div(r->notifications, NS_PER_S, r->ns));
}

static void name_row(struct json *j, const struct bench_row *row, unsigned number)
{
    json_text(j, "table", bench_table_name(row->table));
    json_u64(j, "row", number);
}

static void send_row(const struct bench *b, unsigned number, const struct bench_row_sum *sum)
{
    static char text[2048]; // the boot CPU's
    const struct bench_row *row = &b->plan.rows[number];
    const struct bench_result *r = &b->results[number];
    struct json j;
    json_begin(&j, text, sizeof(text), "bench");
    name_row(&j, row, number);
    send_words(&j, b, row);
    json_u64(&j, "total_ios", r->ios);
    json_u64(&j, "errors", 0); // rows that had any aren't here
    send_stat(&j, r, BENCH_IOPS);
    json_u64(&j, "bw_bytes", r->figures[BENCH_IOPS].median * row->bs);
    send_stat(&j, r, BENCH_CYCLES_PER_IO);
    send_stat(&j, r, BENCH_BUSY);
    send_interrupts(&j, r);
    if (histogram_count(&sum->slat))
        latency_json(&j, "slat_ns", &sum->slat);
    latency_json(&j, "clat_ns", &sum->clat);
    if (row->table == BENCH_BACKGROUND) {
        json_open(&j, "background");
        send_stat(&j, r, BENCH_COUNTED);
        json_close(&j);
    }
    if (r->has_energy)
        send_stat(&j, r, BENCH_NJ_PER_IO);
    report_json(&j);
}

struct whose {
    const struct bench_row *row;
    unsigned number;
};

static void name_bins(struct json *j, const void *arg)
{
    const struct whose *whose = arg;
    name_row(j, whose->row, whose->number);
}

void bench_report_row(struct bench *b, unsigned number, struct bench_row_sum *sum)
{
    struct bench_result *r = &b->results[number];
    struct whose whose = { &b->plan.rows[number], number };
    *r = (struct bench_result){
        .there = true,
        .has_energy = sum->has_energy,
        .ios = sum->ios,
        .msis = sum->msis,
        .notifications = sum->notifications,
        .moderated = sum->moderated,
        .ns = sum->ns,
        .slat_ns = latency_ns(histogram_mean(&sum->slat)),
        .clat_ns = latency_ns(histogram_mean(&sum->clat)),
        .p50_ns = latency_ns(histogram_percentile(&sum->clat, 50000)),
        .p95_ns = latency_ns(histogram_percentile(&sum->clat, 95000)),
        .p99_ns = latency_ns(histogram_percentile(&sum->clat, 99000)),
        .p999_ns = latency_ns(histogram_percentile(&sum->clat, 99900)),
    };
    for (unsigned i = 0; i < BENCH_FIGURES; i++)
        r->figures[i] = bench_stat(sum->values[i], sum->repeats);
    send_row(b, number, sum);
    bins_send(&sum->slat, "slat_ns", name_bins, &whose);
    bins_send(&sum->clat, "clat_ns", name_bins, &whose);
}
