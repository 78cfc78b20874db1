// SPDX-License-Identifier: BSD-2-Clause
// What the job tells: a line each second, and at the end its tables, its JSON and its verdict.
#include "apps/arena.h"
#include "apps/bins.h"
#include "apps/health.h"
#include "apps/human.h"
#include "apps/job_sum.h"
#include "apps/latency.h"
#include "apps/table.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/muldiv.h"
#include "lib/string.h"

// What the job does, and where, in the words of its last line.
static const char *noun_of(const struct job_config *config)
{
    return config->is_mixed     ? "I/O"
           : config->trims      ? "trim"
           : job_writes(config) ? "write"
                                : "read";
}

static const char *preposition_of(const struct job_config *config)
{
    return config->is_mixed ? "on" : job_changes(config) ? "to" : "from";
}

void job_describe(const struct job *job)
{
    const struct job_config *config = &job->config;
    char size[HUMAN_BYTES];
    info("job: %s of %s, iodepth %u, on %zu disk%s, %u CPU%s each, %s%s", job_rw_name(config),
         human_size(size, config->bs), config->iodepth, job->disks.count,
         job->disks.count == 1 ? "" : "s", config->numjobs, config->numjobs == 1 ? "" : "s",
         irq_mode_name(irq_get_mode()), config->verify ? ", verified" : "");
}

// ---- the line each second ----

uint64_t job_completed(const struct job *job)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < job->workers_count; i++)
        sum += __atomic_load_n(&job->workers[i]->completed, __ATOMIC_RELAXED);
    return sum;
}

uint64_t job_quota(const struct job *job)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < job->workers_count; i++)
        sum += job->workers[i]->end - job->workers[i]->first;
    return sum;
}

static void show_read_back(const struct job *job)
{
    char text[HUMAN_BYTES];
    uint64_t done = 0;
    for (size_t i = 0; i < job->workers_count; i++)
        done += __atomic_load_n(&job->workers[i]->mix->read_back, __ATOMIC_RELAXED);
    info("job: %s places read back", human_count(text, done));
}

// Which writes have survived if power fails now: ckdisk can tell by it whether they did.
static void send_durable(const struct job *job)
{
    for (size_t i = 0; i < job->workers_count && job->config.fsync && job->config.verify; i++) {
        const struct job_worker *w = job->workers[i];
        char buffer[256];
        struct json j;
        json_begin(&j, buffer, sizeof(buffer), "durable");
        json_text(&j, "filename", w->dev->name);
        json_u64(&j, "seed", job->data_seed);
        json_u64(&j, "bs", job->config.bs);
        json_bool(&j, "random", w->is_random);
        json_u64(&j, "first", w->first);
        json_u64(&j, "places", w->end - w->first);
        json_u64(&j, "writes", __atomic_load_n(&w->mix->durable, __ATOMIC_RELAXED));
        report_json(&j);
    }
}

void job_show_progress(struct job *job)
{
    if (job->reads_back)
        return show_read_back(job);
    send_durable(job);
    char iops[HUMAN_BYTES], bandwidth[HUMAN_BYTES], of[3 * HUMAN_BYTES];
    char seconds[HUMAN_BYTES], limit[HUMAN_BYTES];
    uint64_t now = time_ns(), done = job_completed(job);
    uint64_t ios = mul_div(done - job->shown_ios, NS_PER_S, now - job->shown_ns);
    uint64_t elapsed = now - job->began_ns;
    if (job->config.runtime_us)
        format_text(of, sizeof(of), "%s of %s", human_ratio(seconds, elapsed, NS_PER_S, 1),
                    human_time(limit, (job->config.ramp_us + job->config.runtime_us) * 1000));
    else
        format_text(of, sizeof(of), "%s s, %lu%% done", human_ratio(seconds, elapsed, NS_PER_S, 1),
                    mul_div(done, 100, job_quota(job)));
    info("job: %s: %s IOPS, %s MB/s", of, human_count(iops, ios),
         human_tenths(bandwidth, mul_div(ios, job->config.bs, 100000)));
    job->shown_ns = now;
    job->shown_ios = done;
}

// ---- JSON ----

static const char *const way_names[JOB_WAYS] = {
    [JOB_READ] = "read",
    [JOB_WRITE] = "write",
    [JOB_TRIM] = "trim",
    [JOB_SYNC] = "sync",
};

// fio's objects for each kind of I/O.
static void json_ways(struct json *j, const struct job_config *config, const struct job_sum *r)
{
    for (unsigned way = JOB_READ; way <= JOB_SYNC; way++) {
        const struct job_counts *c = &r->ways[way];
        uint64_t bytes = way == JOB_SYNC ? 0 : (c->ios - c->errors) * config->bs;
        json_open(j, way_names[way]);
        json_u64(j, "total_ios", c->ios);
        json_u64(j, "io_bytes", bytes);
        json_u64(j, "errors", c->errors);
        json_u64(j, "runtime", latency_ns(r->tsc) / NS_PER_MS);
        json_milli(j, "iops", mul_div(c->ios - c->errors, NS_PER_S * 1000, latency_ns(r->tsc)));
        json_u64(j, "bw_bytes", mul_div(bytes, NS_PER_S, latency_ns(r->tsc)));
        latency_json(j, way == JOB_SYNC ? "lat_ns" : "clat_ns", &c->latency);
        json_close(j);
    }
    json_u64(j, "read_back", r->ways[JOB_READ_BACK].ios);
}

static void send_result(const struct job_config *config, const struct job_sum *r,
                        const struct job_totals *t, uint64_t cycles_per_io)
{
    static char buffer[4096]; // the boot CPU's
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "job");
    json_text(&j, "filename", r->filename);
    json_text(&j, "irq", irq_mode_name(irq_get_mode()));
    json_text(&j, "rw", job_rw_name(config));
    json_u64(&j, "bs", config->bs);
    json_u64(&j, "iodepth", config->iodepth);
    json_text(&j, "clat", config->batch ? "batch" : "exact");
    json_u64(&j, "streams", r->streams);
    json_text(&j, "verify", config->verify ? "crc32c" : "none");
    json_u64(&j, "cpus", r->cpus);
    json_u64(&j, "disks", r->disks);
    json_u64(&j, "total_ios", r->completed);
    json_u64(&j, "submitted", r->submitted);
    json_u64(&j, "errors", r->errors);
    json_u64(&j, "verify_errors", r->verify_errors);
    json_u64(&j, "runtime", latency_ns(r->tsc) / NS_PER_MS);
    json_milli(&j, "iops", job_sum_rate(r, 1, 1000));
    json_u64(&j, "bw_bytes", job_sum_rate(r, config->bs, 1));
    json_u64(&j, "msis", t->msis); // these three are of the whole run, in each object
    json_u64(&j, "notifications", t->notifications);
    json_u64(&j, "cycles_per_io", cycles_per_io);
    latency_json(&j, "clat_ns", &r->latency);
    if (config->urgent)
        latency_json(&j, "urgent_clat_ns", &r->urgent);
    if (config->slat)
        latency_json(&j, "slat_ns", &r->slat);
    if (r->ways)
        json_ways(&j, config, r);
    report_json(&j);
}

static void name_bins(struct json *j, const void *arg)
{
    json_text(j, "filename", arg);
}

static void send_bins(const struct job_config *config, const struct job_sum *r)
{
    bins_send(&r->latency, "clat_ns", name_bins, r->filename);
    if (config->slat)
        bins_send(&r->slat, "slat_ns", name_bins, r->filename);
}

// ---- for people ----

#define COLUMNS 10

// The urgent reads of `all` as a result of their own.
static const struct job_sum *urgent_of(const struct job_sum *all, struct job_sum *to)
{
    to->filename = "urgent";
    to->completed = histogram_count(&all->urgent);
    to->tsc = all->tsc;
    to->bs = all->bs;
    to->latency = all->urgent;
    to->is_part = true;
    return to;
}

static void add_row(struct table *t, const struct job_config *config, const struct job_sum *r)
{
    static const unsigned percentiles[] = { 50000, 99000, 99900 };
    const struct histogram *h = &r->latency;
    char text[HUMAN_BYTES];
    table_cell(t, "%s", r->filename);
    table_cell(t, "%s", human_count(text, job_sum_rate(r, 1, 1)));
    table_cell(t, "%s", human_tenths(text, job_sum_rate(r, r->bs, 1) / 100000));
    table_cell(t, "%s", human_tenths(text, latency_ns(histogram_mean(h)) / 100));
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        table_cell(t, "%s",
                   human_tenths(text, latency_ns(histogram_percentile(h, percentiles[i])) / 100));
    table_cell(t, "%s", human_tenths(text, latency_ns(h->max) / 100));
    if (r->is_part)
        table_cell(t, "-");
    else
        table_cell(t, "%lu", r->errors);
    if (config->verify && !r->is_part)
        table_cell(t, "%lu", r->verify_errors);
    else
        table_cell(t, "-");
}

// Reads, writes and flushes of all disks apart, where there is more than one kind.
static void add_ways(struct table *t, const struct job_config *config, const struct job_sum *all,
                     struct job_sum *way_result)
{
    unsigned kinds = 0;
    for (unsigned way = JOB_READ; way <= JOB_SYNC; way++)
        kinds += all->ways[way].ios != 0;
    for (unsigned way = JOB_READ; way <= JOB_SYNC && kinds > 1; way++) {
        if (!all->ways[way].ios)
            continue;
        way_result->filename = way_names[way];
        way_result->tsc = all->tsc;
        way_result->bs = way == JOB_SYNC ? 0 : all->bs;
        way_result->latency = all->ways[way].latency;
        way_result->is_part = true;
        add_row(t, config, way_result);
    }
}

// `all` has room for one more behind it.
static void print_results(const struct job *job, const struct job_sum *disks, struct job_sum *all)
{
    static const char *const heads[COLUMNS] = {
        "disk",   "IOPS",     "MB/s",   "mean us", "p50 us",
        "p99 us", "p99.9 us", "max us", "errors",  "verify"
    };
    size_t cells = (job->disks.count + 3 + JOB_WAYS) * COLUMNS;
    struct table table;
    table_init(&table, COLUMNS, 1,
               arena_alloc(job->arena, cells * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY), cells);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, "%s", heads[i]);
    for (size_t d = 0; d < job->disks.count; d++)
        add_row(&table, &job->config, &disks[d]);
    add_row(&table, &job->config, all);
    if (job->config.urgent)
        add_row(&table, &job->config, urgent_of(all, all + 1));
    if (all->ways)
        add_ways(&table, &job->config, all, all + 1);
    table_print(&table);
}

// What went wrong: nothing, or e.g. " 2 read errors, 1 verify error;".
static const char *trouble_of(const struct job_config *config, const struct job_sum *r, char *to,
                              size_t bytes)
{
    const struct {
        const char *first, *second;
        uint64_t count;
    } kinds[] = {
        { noun_of(config), "error", r->errors },
        { "verify", "error", r->verify_errors },
        { "lost", noun_of(config), r->submitted - r->completed },
    };
    size_t used = 0;
    to[0] = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && used < bytes; i++)
        if (kinds[i].count)
            used += (size_t)format_text(to + used, bytes - used, "%s %lu %s %s%s", used ? "," : "",
                                        kinds[i].count, kinds[i].first, kinds[i].second,
                                        kinds[i].count == 1 ? "" : "s");
    if (used && used < bytes)
        format_text(to + used, bytes - used, ";");
    return to;
}

// For who sees the screen alone.
static void say_result(const struct job_config *config, const struct job_sum *all)
{
    char iops[HUMAN_BYTES], size[HUMAN_BYTES], p99[HUMAN_BYTES];
    result_say("%s of %s, %u disk%s, %s: %s IOPS, p99 %s us, %lu errors", job_rw_name(config),
               human_size(size, config->bs), all->disks, all->disks == 1 ? "" : "s",
               irq_mode_name(irq_get_mode()), human_count(iops, job_sum_rate(all, 1, 1)),
               human_tenths(p99, latency_ns(histogram_percentile(&all->latency, 99000)) / 100),
               all->errors + all->verify_errors);
}

static void print_verdict(const struct job_config *config, const struct job_sum *all,
                          const struct job_totals *t)
{
    char ios[HUMAN_BYTES], size[HUMAN_BYTES], time[HUMAN_BYTES], per_msi[HUMAN_BYTES];
    char trouble[120];
    trouble_of(config, all, trouble, sizeof(trouble));
    const char *checked = !config->verify      ? "data not verified"
                          : all->verify_errors ? "bad data"
                          : all->errors        ? "what was read is verified"
                                               : "all data verified";
    info("job: %s:%s %s %ss of %s %s %u disk%s in %s, %s: %s notifications per MSI, %s",
         trouble[0] ? "failed" : "ok", trouble, human_count(ios, all->completed), noun_of(config),
         human_size(size, config->bs), preposition_of(config), all->disks,
         all->disks == 1 ? "" : "s", human_time(time, latency_ns(all->tsc)),
         irq_mode_name(irq_get_mode()), human_ratio(per_msi, t->notifications, t->msis, 2),
         checked);
}

static void print_totals(const struct job_config *config, const struct job_sum *all,
                         const struct job_totals *t, uint64_t cycles_per_io)
{
    char msis[HUMAN_BYTES], notifications[HUMAN_BYTES], per_msi[HUMAN_BYTES], per_io[HUMAN_BYTES];
    char cycles[HUMAN_BYTES];
    if (all->streams)
        info("%u of %u workers %s by streams: reap, record and resubmit in one go", all->streams,
             all->workers, noun_of(config));
    info("MSIs %s, notifications %s, %s notifications per MSI, %s per I/O, cycles per I/O %s",
         human_count(msis, t->msis), human_count(notifications, t->notifications),
         human_ratio(per_msi, t->notifications, t->msis, 3),
         human_ratio(per_io, t->notifications, all->completed, 3),
         human_count(cycles, cycles_per_io));
}

void job_report(const struct job *job)
{
    size_t count = job->disks.count;
    struct job_sum *disks =
        arena_alloc(job->arena, (count + 2) * sizeof(*disks), CACHE_LINE, NODE_ANY);
    struct job_sum *all = &disks[count];
    struct job_totals totals = { 0 };
    for (size_t i = 0; i <= count; i++)
        job_sum_prepare(job, &disks[i]);
    job_sum_up(job, disks, all);
    job_sum_cpus(job, &totals);
    uint64_t cycles_per_io = all->completed ? totals.busy_tsc / all->completed : 0;

    info("%s", "");
    print_results(job, disks, all);
    info("%s", "");
    job_report_irqs(job);
    info("%s", "");
    job_report_delivery(job);
    info("%s", "");
    health_report(job->health);
    print_totals(&job->config, all, &totals, cycles_per_io);
    send_durable(job);
    for (size_t i = 0; i <= count; i++) {
        send_result(&job->config, &disks[i], &totals, cycles_per_io);
        if (job->config.bins)
            send_bins(&job->config, &disks[i]);
    }
    if (all->submitted != all->completed)
        error("job-lost", "%lu %ss were submitted and %lu completed", all->submitted,
              noun_of(&job->config), all->completed);
    print_verdict(&job->config, all, &totals);
    say_result(&job->config, all);
}
