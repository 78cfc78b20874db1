// SPDX-License-Identifier: BSD-2-Clause
// What the job tells: a line each second, and at the end its tables, its JSON and its verdict.
#include "apps/health.h"
#include "apps/human.h"
#include "apps/job.h"
#include "apps/table.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/muldiv.h"
#include "lib/string.h"

// The work of one disk, or of all.
struct result {
    const char *filename;
    unsigned cpus, disks;
    unsigned workers, streams; // workers, and those of them that read by streams
    uint64_t submitted, completed, errors, verify_errors;
    uint64_t tsc;             // of the worker that took longest
    struct histogram latency; // of all reads
    struct histogram urgent;  // of those
    bool is_urgent;           // these are the urgent reads alone: errors are not told apart
};

// What interrupts and CPUs did during the run; it can't be told apart by disk.
struct totals {
    uint64_t msis, notifications, cycles;
};

static uint64_t ns_of(uint64_t tsc)
{
    return mul_div(tsc, NS_PER_S, time_tsc_hz());
}

static uint64_t good(const struct result *r)
{
    return r->completed - r->errors;
}

// Per second, times `scale`: reads, or bytes where `each` is their size.
static uint64_t rate(const struct result *r, uint64_t each, uint64_t scale)
{
    return mul_div(good(r) * each, NS_PER_S * scale, ns_of(r->tsc));
}

// ---- the line each second ----

uint64_t job_completed(const struct job *job)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < job->workers_count; i++)
        sum += __atomic_load_n(&job->workers[i]->completed, __ATOMIC_RELAXED);
    return sum;
}

static uint64_t quota_of_all(const struct job *job)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < job->workers_count; i++)
        sum += job->workers[i]->end - job->workers[i]->first;
    return sum;
}

void job_show_progress(struct job *job)
{
    char iops[HUMAN_BYTES], bandwidth[HUMAN_BYTES], of[3 * HUMAN_BYTES];
    char seconds[HUMAN_BYTES], limit[HUMAN_BYTES];
    uint64_t now = time_ns(), done = job_completed(job);
    uint64_t ios = mul_div(done - job->shown_ios, NS_PER_S, now - job->shown_ns);
    uint64_t elapsed = now - job->began_ns;
    if (job->config.runtime_us)
        format_text(of, sizeof(of), "%s of %s", human_ratio(seconds, elapsed, NS_PER_S, 1),
                    human_time(limit, job->config.runtime_us * 1000));
    else
        format_text(of, sizeof(of), "%s s, %lu%% done", human_ratio(seconds, elapsed, NS_PER_S, 1),
                    mul_div(done, 100, quota_of_all(job)));
    info("job: %s: %s IOPS, %s MB/s", of, human_count(iops, ios),
         human_tenths(bandwidth, mul_div(ios, job->config.bs, 100000)));
    job->shown_ns = now;
    job->shown_ios = done;
}

// ---- sums ----

static void add_worker(struct result *r, const struct job_worker *w)
{
    r->workers++;
    r->streams += w->streamed;
    r->submitted += job_submitted(w);
    r->completed += w->completed;
    r->errors += w->errors;
    r->verify_errors += w->verify_errors;
    r->tsc = MAX(r->tsc, w->ended_tsc - w->began_tsc);
    histogram_merge(&r->latency, &w->latency);
    if (w->urgent)
        histogram_merge(&r->urgent, w->urgent);
}

static unsigned cpus_with_work(const struct job *job)
{
    unsigned n = 0;
    for (unsigned i = 0; i < job->cpus_count; i++)
        n += job->cpus[i].workers != NULL;
    return n;
}

static void sum_up(const struct job *job, struct result *disks, struct result *all)
{
    unsigned numjobs = job->config.numjobs;
    all->filename = "all";
    all->cpus = cpus_with_work(job);
    all->disks = (unsigned)job->disks.count;
    for (size_t d = 0; d < job->disks.count; d++) {
        disks[d].filename = job->disks.list[d]->name;
        disks[d].cpus = numjobs;
        disks[d].disks = 1;
        for (unsigned i = 0; i < numjobs; i++) {
            add_worker(&disks[d], job->workers[d * numjobs + i]);
            add_worker(all, job->workers[d * numjobs + i]);
        }
    }
}

// Busy cycles count on CPUs that have workers, or take MSIs of those that have.
static void sum_up_cpus(const struct job *job, struct totals *t)
{
    for (unsigned i = 0; i < job->cpus_count; i++) {
        const struct job_cpu *cpu = &job->cpus[i];
        uint64_t msis = 0;
        for (size_t irq = 0; irq < job->irqs_count; irq++)
            msis += job_irq_delta(job, i, irq);
        t->msis += msis;
        t->notifications += cpu->after.stats.notifications - cpu->before.stats.notifications;
        if (cpu->workers || msis)
            t->cycles += job_busy_cycles(job, i);
    }
    // Where nothing is posted, each MSI is an interrupt of its own.
    if (irq_get_mode() == IRQ_REMAPPED || irq_get_mode() == IRQ_MSI)
        t->notifications = t->msis;
}

// ---- JSON ----

static void json_latency(struct json *j, const char *name, const struct histogram *h)
{
    static const struct {
        const char *name;
        unsigned thousandths;
    } percentiles[] = {
        { "50.000000", 50000 }, { "90.000000", 90000 }, { "99.000000", 99000 },
        { "99.900000", 99900 }, { "99.990000", 99990 },
    };
    json_open(j, name);
    json_u64(j, "mean", ns_of(histogram_mean(h)));
    json_u64(j, "max", ns_of(h->max));
    json_u64(j, "N", histogram_count(h));
    json_open(j, "percentile");
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        json_u64(j, percentiles[i].name,
                 ns_of(histogram_percentile(h, percentiles[i].thousandths)));
    json_close(j);
    json_close(j);
}

static void send_result(const struct job_config *config, const struct result *r,
                        const struct totals *t, uint64_t cycles_per_io)
{
    char buffer[2048];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "job");
    json_text(&j, "filename", r->filename);
    json_text(&j, "irq", irq_mode_name(irq_get_mode()));
    json_text(&j, "rw", config->random ? "randread" : "read");
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
    json_u64(&j, "runtime", ns_of(r->tsc) / NS_PER_MS);
    json_milli(&j, "iops", rate(r, 1, 1000));
    json_u64(&j, "bw_bytes", rate(r, config->bs, 1));
    json_u64(&j, "msis", t->msis); // these three are of the whole run, in each object
    json_u64(&j, "notifications", t->notifications);
    json_u64(&j, "cycles_per_io", cycles_per_io);
    json_latency(&j, "clat_ns", &r->latency);
    if (config->urgent)
        json_latency(&j, "urgent_clat_ns", &r->urgent);
    report_json(&j);
}

// ---- for people ----

#define COLUMNS 10

// The urgent reads of `all` as a result of their own.
static const struct result *urgent_of(const struct result *all, struct result *to)
{
    to->filename = "urgent";
    to->completed = histogram_count(&all->urgent);
    to->tsc = all->tsc;
    to->latency = all->urgent;
    to->is_urgent = true;
    return to;
}

static void add_row(struct table *t, const struct job_config *config, const struct result *r)
{
    static const unsigned percentiles[] = { 50000, 99000, 99900 };
    const struct histogram *h = &r->latency;
    char text[HUMAN_BYTES];
    table_cell(t, "%s", r->filename);
    table_cell(t, "%s", human_count(text, rate(r, 1, 1)));
    table_cell(t, "%s", human_tenths(text, rate(r, config->bs, 1) / 100000));
    table_cell(t, "%s", human_tenths(text, ns_of(histogram_mean(h)) / 100));
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        table_cell(t, "%s",
                   human_tenths(text, ns_of(histogram_percentile(h, percentiles[i])) / 100));
    table_cell(t, "%s", human_tenths(text, ns_of(h->max) / 100));
    if (r->is_urgent)
        table_cell(t, "-");
    else
        table_cell(t, "%lu", r->errors);
    if (config->verify && !r->is_urgent)
        table_cell(t, "%lu", r->verify_errors);
    else
        table_cell(t, "-");
}

static void print_results(const struct job *job, const struct result *disks,
                          const struct result *all, const struct result *urgent)
{
    static const char *const heads[COLUMNS] = {
        "disk",   "IOPS",     "MB/s",   "mean us", "p50 us",
        "p99 us", "p99.9 us", "max us", "errors",  "verify"
    };
    size_t cells = (job->disks.count + 3) * COLUMNS;
    struct table table;
    table_init(&table, COLUMNS, 1, mem_alloc(cells * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY),
               cells);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, "%s", heads[i]);
    for (size_t d = 0; d < job->disks.count; d++)
        add_row(&table, &job->config, &disks[d]);
    add_row(&table, &job->config, all);
    if (urgent)
        add_row(&table, &job->config, urgent);
    table_print(&table);
}

// What went wrong: nothing, or e.g. " 2 read errors, 1 verify error;".
static const char *trouble_of(const struct result *r, char *to, size_t bytes)
{
    const struct {
        const char *what;
        uint64_t count;
    } kinds[] = {
        { "read error", r->errors },
        { "verify error", r->verify_errors },
        { "lost read", r->submitted - r->completed },
    };
    size_t used = 0;
    to[0] = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && used < bytes; i++)
        if (kinds[i].count)
            used +=
                (size_t)format_text(to + used, bytes - used, "%s %lu %s%s", used ? "," : "",
                                    kinds[i].count, kinds[i].what, kinds[i].count == 1 ? "" : "s");
    if (used && used < bytes)
        format_text(to + used, bytes - used, ";");
    return to;
}

static void print_verdict(const struct job_config *config, const struct result *all,
                          const struct totals *t)
{
    char reads[HUMAN_BYTES], size[HUMAN_BYTES], time[HUMAN_BYTES], per_msi[HUMAN_BYTES];
    char trouble[120];
    trouble_of(all, trouble, sizeof(trouble));
    const char *checked = !config->verify      ? "data not verified"
                          : all->verify_errors ? "bad data"
                          : all->errors        ? "what was read is verified"
                                               : "all data verified";
    info("job: %s:%s %s reads of %s from %u disk%s in %s, %s: %s notifications per MSI, %s",
         trouble[0] ? "failed" : "ok", trouble, human_count(reads, all->completed),
         human_size(size, config->bs), all->disks, all->disks == 1 ? "" : "s",
         human_time(time, ns_of(all->tsc)), irq_mode_name(irq_get_mode()),
         human_ratio(per_msi, t->notifications, t->msis, 2), checked);
}

static void print_totals(const struct result *all, const struct totals *t, uint64_t cycles_per_io)
{
    char msis[HUMAN_BYTES], notifications[HUMAN_BYTES], per_msi[HUMAN_BYTES], per_io[HUMAN_BYTES];
    char cycles[HUMAN_BYTES];
    if (all->streams)
        info("%u of %u workers read by streams: reap, record and resubmit in one go", all->streams,
             all->workers);
    info("MSIs %s, notifications %s, %s notifications per MSI, %s per I/O, cycles per I/O %s",
         human_count(msis, t->msis), human_count(notifications, t->notifications),
         human_ratio(per_msi, t->notifications, t->msis, 3),
         human_ratio(per_io, t->notifications, all->completed, 3),
         human_count(cycles, cycles_per_io));
}

void job_report(const struct job *job)
{
    size_t count = job->disks.count;
    struct result *disks = mem_alloc((count + 2) * sizeof(*disks), CACHE_LINE, NODE_ANY);
    struct result *all = &disks[count];
    struct totals totals = { 0 };
    sum_up(job, disks, all);
    sum_up_cpus(job, &totals);
    uint64_t cycles_per_io = all->completed ? totals.cycles / all->completed : 0;

    info("%s", "");
    print_results(job, disks, all, job->config.urgent ? urgent_of(all, all + 1) : NULL);
    info("%s", "");
    job_report_irqs(job);
    info("%s", "");
    job_report_delivery(job);
    info("%s", "");
    health_report(job->health);
    print_totals(all, &totals, cycles_per_io);
    for (size_t i = 0; i <= count; i++)
        send_result(&job->config, &disks[i], &totals, cycles_per_io);
    if (all->submitted != all->completed)
        error("job-lost", "%lu reads were submitted and %lu completed", all->submitted,
              all->completed);
    print_verdict(&job->config, all, &totals);
}
