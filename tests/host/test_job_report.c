// SPDX-License-Identifier: BSD-2-Clause
// The job's report: each number in its column and under its name, sums by disk and of all, and the
// verdict.
#include "apps/job.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static struct job job;

static struct job_worker *add_worker(unsigned index, unsigned cpu)
{
    struct job_worker *w = mem_alloc(sizeof(*w), CACHE_LINE, FAKE_NODE(cpu));
    job.workers[index] = w;
    job.cpus[cpu].workers = w;
    if (job.config.urgent)
        w->urgent = mem_alloc(sizeof(*w->urgent), CACHE_LINE, FAKE_NODE(cpu));
    return w;
}

static void record(struct job_worker *w, unsigned count, uint64_t ns)
{
    while (count--)
        histogram_record(&w->latency, ns);
}

// Two disks, with a worker on each of two CPUs; a third CPU has none.
static void make_job(struct job_config config)
{
    fake_start(3, 2, 512, 512);
    config.numjobs = 2;
    job = (struct job){ .config = config, .cpus_count = 3, .workers_count = 4, .irqs_count = 3 };
    job.disks.count = 2;
    job.cpus = mem_alloc(3 * sizeof(*job.cpus), CACHE_LINE, NODE_ANY);
    job.irqs = mem_alloc(3 * sizeof(*job.irqs), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < 3; i++)
        job.irqs[i] = &fake.irqs[i];
    job.workers = mem_alloc(4 * sizeof(*job.workers), CACHE_LINE, NODE_ANY);
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        job.cpus[cpu].before.irqs = mem_alloc(3 * sizeof(uint64_t), CACHE_LINE, NODE_ANY);
        job.cpus[cpu].after.irqs = mem_alloc(3 * sizeof(uint64_t), CACHE_LINE, NODE_ANY);
    }
    for (unsigned i = 0; i < 4; i++)
        add_worker(i, i % 2);
    for (unsigned i = 0; i < 2; i++)
        job.disks.list[i] = &fake.disks[i].dev;
}

// Each with numbers of its own.
static void work(void)
{
    static const struct {
        uint64_t submitted, completed, errors, verify_errors, began, ended;
    } did[] = {
        { 101, 101, 1, 2, 1000, 2000001000 }, // 2 s
        { 200, 200, 0, 0, 5000, 1000005000 },
        { 300, 300, 5, 0, 7, 3000000007 },
        { 405, 405, 0, 1, 0, 3200000000 },
    };
    for (unsigned i = 0; i < 4; i++) {
        struct job_worker *w = job.workers[i];
        w->quota = did[i].submitted;
        w->completed = did[i].completed;
        w->errors = did[i].errors;
        w->verify_errors = did[i].verify_errors;
        w->began_tsc = did[i].began;
        w->ended_tsc = did[i].ended;
    }
    record(job.workers[0], 100, 12000);
    record(job.workers[1], 199, 45000);
    record(job.workers[1], 1, 990000);
    record(job.workers[2], 295, 3000000);
    record(job.workers[3], 404, 120);
    record(job.workers[3], 1, 8000000000);
}

// The third CPU takes MSIs of the others' disks, though it has no worker.
static void count(void)
{
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        struct job_counters *before = &job.cpus[cpu].before, *after = &job.cpus[cpu].after;
        before->tsc = 100;
        after->tsc = 100 + 1000000 * (cpu + 1);
        before->stats.idle_tsc = 50;
        after->stats.idle_tsc = 50 + 100000;
        before->stats.notifications = 7;
        after->stats.notifications = 7 + 10 * (cpu + 1);
        before->irqs[cpu] = 3;
        after->irqs[cpu] = 3 + 100 * (cpu + 1);
    }
}

static const char *object(const char *filename)
{
    static char text[2048];
    char head[64];
    snprintf(head, sizeof(head), "{\"type\":\"job\",\"filename\":\"%s\"", filename);
    const char *at = strstr(fake.json, head);
    assert_non_null(at);
    snprintf(text, sizeof(text), "%.*s", (int)(strchr(at, '\n') - at), at);
    return text;
}

static void expect_table(const char *table)
{
    const char *end = strstr(fake.console + 1, "\n\n");
    assert_int_equal(fake.console[0], '\n');
    assert_non_null(end);
    assert_int_equal(end - fake.console, strlen(table));
    assert_memory_equal(fake.console + 1, table, strlen(table));
}

#define CONFIG ((struct job_config){ .verify = true, .bs = 8192, .iodepth = 16 })

static void test_results_by_disk(void **state)
{
    make_job(CONFIG);
    work();
    count();
    job_report(&job);
    expect_table(
        "disk     IOPS  MB/s   mean us  p50 us   p99 us     p99.9 us       max us  errors  verify\n"
        "nvme0n1   150   1.2      37.1    44.8     44.8        987.1        990.0       1       2\n"
        "nvme1n1   218   1.7  12,692.9     0.1  2,998.2  8,000,000.0  8,000,000.0       5       1\n"
        "all       312   2.5   8,896.1    11.9  2,998.2      2,998.2  8,000,000.0       6       "
        "3\n");
    expect_line(fake.console,
                "MSIs 600, notifications 60, 0.100 notifications per MSI, 0.059 per I/O, cycles "
                "per I/O 5,666\n");
    expect_line(fake.console, "\nnvme0q2:     0   200     0  VTD-POST\n");
    expect_line(fake.console, "\ndelivery         CPU0   CPU1   CPU2\n");
}

#define OF_ALL                                                                                     \
    "\"irq\":\"posted\",\"rw\":\"read\",\"bs\":8192,\"iodepth\":16,\"clat\":\"exact\","            \
    "\"streams\":0,\"verify\":\"crc32c\","
#define OF_RUN "\"msis\":600,\"notifications\":60,\"cycles_per_io\":5666,"

static void test_objects_by_disk(void **state)
{
    make_job(CONFIG);
    work();
    count();
    job_report(&job);
    assert_string_equal(
        object("nvme0n1"),
        "{\"type\":\"job\",\"filename\":\"nvme0n1\"," OF_ALL "\"cpus\":2,\"disks\":1,"
        "\"total_ios\":301,\"submitted\":301,\"errors\":1,\"verify_errors\":2,\"runtime\":2000,"
        "\"iops\":150.000,\"bw_bytes\":1228800," OF_RUN
        "\"clat_ns\":{\"mean\":37150,\"max\":990000,\"N\":300,\"percentile\":{\"50.000000\":44800,"
        "\"90.000000\":44800,\"95.000000\":44800,\"99.000000\":44800,\"99.900000\":987136,\"99."
        "990000\":987136}}}");
    assert_string_equal(
        object("nvme1n1"),
        "{\"type\":\"job\",\"filename\":\"nvme1n1\"," OF_ALL "\"cpus\":2,\"disks\":1,"
        "\"total_ios\":705,\"submitted\":705,\"errors\":5,\"verify_errors\":1,\"runtime\":3200,"
        "\"iops\":218.750,\"bw_bytes\":1792000," OF_RUN
        "\"clat_ns\":{\"mean\":12692926,\"max\":8000000000,\"N\":700,\"percentile\":{"
        "\"50.000000\":120,\"90.000000\":2998272,\"95.000000\":2998272,\"99.000000\":2998272,\"99."
        "900000\":8000000000,"
        "\"99.990000\":8000000000}}}");
    assert_string_equal(
        object("all"),
        "{\"type\":\"job\",\"filename\":\"all\"," OF_ALL "\"cpus\":2,\"disks\":2,"
        "\"total_ios\":1006,\"submitted\":1006,\"errors\":6,\"verify_errors\":3,\"runtime\":3200,"
        "\"iops\":312.500,\"bw_bytes\":2560000," OF_RUN
        "\"clat_ns\":{\"mean\":8896193,\"max\":8000000000,\"N\":1000,\"percentile\":{"
        "\"50.000000\":11968,\"90.000000\":2998272,\"95.000000\":2998272,\"99.000000\":2998272,"
        "\"99.900000\":2998272,"
        "\"99.990000\":8000000000}}}");
}

// `low` of 100,000 reads took 100 ns, the others 95.7 us.
static void report_latencies(unsigned low)
{
    make_job(CONFIG);
    struct histogram *h = &job.workers[0]->latency;
    h->buckets[histogram_bucket(100)] = low;
    h->buckets[histogram_bucket(95744)] = 100000 - low;
    h->max = 95744;
    job_report(&job);
}

static void expect_percentile(const char *name, unsigned ns)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":%u%s", name, ns, strcmp(name, "99.990000") ? "," : "}");
    expect_line(object("all"), text);
}

// The very read that a percentile names: one more or one less is another's latency.
static void test_percentiles_are_exact(void **state)
{
    static const struct {
        const char *name;
        unsigned thousandths;
    } percentiles[] = {
        { "50.000000", 50000 }, { "90.000000", 90000 }, { "95.000000", 95000 },
        { "99.000000", 99000 }, { "99.900000", 99900 }, { "99.990000", 99990 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
        report_latencies(percentiles[i].thousandths);
        expect_percentile(percentiles[i].name, 100);
        fake_stop(NULL);
        report_latencies(percentiles[i].thousandths - 1);
        expect_percentile(percentiles[i].name, 95744);
        fake_stop(NULL);
    }
}

static void expect_columns(unsigned low, const char *p50, const char *p99, const char *p999)
{
    char text[64];
    report_latencies(low);
    snprintf(text, sizeof(text), "  %6s  %6s  %8s  ", p50, p99, p999);
    const char *row = strstr(fake.console, "\nall ");
    assert_non_null(row);
    expect_line(row, text);
    fake_stop(NULL);
}

static void test_columns_of_percentiles_are_exact(void **state)
{
    expect_columns(49999, "95.7", "95.7", "95.7");
    expect_columns(50000, "0.1", "95.7", "95.7");
    expect_columns(98999, "0.1", "95.7", "95.7");
    expect_columns(99000, "0.1", "0.1", "95.7");
    expect_columns(99899, "0.1", "0.1", "95.7");
    expect_columns(99900, "0.1", "0.1", "0.1");
}

// ---- each second ----

static void expect_progress(const char *line)
{
    fake.console[0] = 0;
    job.shown_ns = time_ns() + FAKE_LOOK_TSC - NS_PER_S; // a second ago, when it is looked at next
    job_show_progress(&job);
    assert_string_equal(fake.console, line);
}

static void test_progress(void **state)
{
    make_job((struct job_config){ .runtime_us = 5000000000, .bs = 65536 });
    job.began_ns = time_ns() - 12345678900000;
    job.workers[0]->completed = 1000000;
    job.workers[3]->completed = 234567;
    job.shown_ios = 34567;
    expect_progress("job: 12345.6 of 5000.0 s: 1,200,000 IOPS, 78,643.2 MB/s\n");
    job.workers[1]->completed = 10;
    expect_progress("job: 12345.6 of 5000.0 s: 10 IOPS, 0.6 MB/s\n");
    job.config.runtime_us = 0;
    for (unsigned i = 0; i < 4; i++)
        job_share(10000000, i, 4, &job.workers[i]->first, &job.workers[i]->end);
    job.workers[2]->completed = 4000000;
    expect_progress("job: 12345.6 s, 52% done: 4,000,000 IOPS, 262,144.0 MB/s\n");
}

// The same reads again, told apart; their errors are not.
static void test_urgent_reads_have_a_row(void **state)
{
    make_job((struct job_config){ .verify = true, .bs = 8192, .iodepth = 16, .urgent = 10 });
    work();
    for (unsigned i = 0; i < 50; i++)
        histogram_record(job.workers[0]->urgent, 100);
    for (unsigned i = 0; i < 30; i++)
        histogram_record(job.workers[3]->urgent, 20000);
    count();
    job_report(&job);
    expect_line(fake.console,
                "\nurgent     25   0.2       7.5     0.1     20.0         20.0         20.0       -"
                "       -\n");
    expect_line(object("all"), ",\"urgent_clat_ns\":{\"mean\":7562,\"max\":20000,\"N\":80,");
    expect_line(object("nvme0n1"), ",\"urgent_clat_ns\":{\"mean\":100,\"max\":100,\"N\":50,");
    expect_line(object("nvme1n1"), ",\"urgent_clat_ns\":{\"mean\":20000,\"max\":20000,\"N\":30,");
}

// Nobody looked: there are no verify errors, not even none.
static void test_unverified_data(void **state)
{
    make_job((struct job_config){ .bs = 8192, .iodepth = 16 });
    work();
    count();
    job_report(&job);
    expect_line(fake.console, "  8,000,000.0       6       -\n");
    expect_line(object("all"), ",\"verify\":\"none\",");
}

// Where each MSI is an interrupt, notifications are as many, whatever a CPU has counted.
static void test_notifications_by_mode(void **state)
{
    static const struct {
        enum irq_mode mode;
        unsigned notifications;
    } modes[] = {
        { IRQ_REMAPPED, 600 },
        { IRQ_MSI, 600 },
        { IRQ_ADAPTIVE, 60 },
        { IRQ_POLL, 60 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        char text[64];
        make_job(CONFIG);
        work();
        count();
        fake.mode = modes[i].mode;
        job_report(&job);
        snprintf(text, sizeof(text), "MSIs 600, notifications %u, ", modes[i].notifications);
        expect_line(fake.console, text);
        fake_stop(NULL);
    }
}

// A CPU that neither works nor takes MSIs may be busy with anything.
static void test_whose_cycles_count(void **state)
{
    make_job(CONFIG);
    work();
    count();
    job.cpus[2].after.irqs[2] = 3;
    job_report(&job);
    expect_line(fake.console, "cycles per I/O 2,783\n"); // 2.8 million, not 5.7
    fake_stop(NULL);
    make_job(CONFIG); // no read at all
    count();
    job_report(&job);
    expect_line(fake.console, "0.000 per I/O, cycles per I/O 0\n");
    expect_line(fake.console, "\nall         0   0.0      0.0 ");
}

// ---- the verdict ----

static void expect_verdict(const char *verdict)
{
    fake.console[0] = 0;
    fake.errors = 0;
    job_report(&job);
    const char *last = strstr(fake.console, "\njob: ");
    assert_non_null(last);
    assert_string_equal(last + 1, verdict);
}

static void test_verdicts(void **state)
{
    make_job((struct job_config){ .bs = 4096, .verify = true });
    job.workers[0]->quota = job.workers[0]->completed = 1234;
    job.workers[2]->ended_tsc = 1500000000;
    count();
    expect_verdict("job: ok: 1,234 reads of 4 KiB from 2 disks in 1.5 s, posted: 0.10 "
                   "notifications per MSI, all data verified\n");
    assert_int_equal(fake.errors, 0);
    job.config.verify = false;
    job.disks.count = 1;
    expect_verdict("job: ok: 1,234 reads of 4 KiB from 1 disk in 0 ms, posted: 0.10 notifications "
                   "per MSI, data not verified\n");
    job.config.verify = true;
    job.workers[0]->errors = 1;
    expect_verdict("job: failed: 1 read error; 1,234 reads of 4 KiB from 1 disk in 0 ms, posted: "
                   "0.10 notifications per MSI, what was read is verified\n");
    job.workers[1]->errors = 1;
    job.workers[1]->verify_errors = 1;
    expect_verdict(
        "job: failed: 2 read errors, 1 verify error; 1,234 reads of 4 KiB from 1 disk in "
        "0 ms, posted: 0.10 notifications per MSI, bad data\n");
}

static void test_lost_reads(void **state)
{
    make_job((struct job_config){ .bs = 4096 });
    job.workers[3]->quota = 7;
    job.workers[3]->completed = 6;
    expect_verdict("job: failed: 1 lost read; 6 reads of 4 KiB from 2 disks in 0 ms, posted: 0.00 "
                   "notifications per MSI, data not verified\n");
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, "job-lost");
    assert_string_equal(fake.error_message, "7 reads were submitted and 6 completed");
    job.workers[0]->errors = job.workers[0]->verify_errors = UINT64_MAX / 2; // whatever they are
    job.workers[0]->quota = UINT64_MAX / 2;
    job_report(&job);
    expect_line(fake.console, " 9223372036854775807 read errors, 9223372036854775807 verify "
                              "errors, 9223372036854775808 lost reads;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_results_by_disk, fake_stop),
        cmocka_unit_test_teardown(test_objects_by_disk, fake_stop),
        cmocka_unit_test(test_percentiles_are_exact),
        cmocka_unit_test(test_columns_of_percentiles_are_exact),
        cmocka_unit_test_teardown(test_progress, fake_stop),
        cmocka_unit_test_teardown(test_urgent_reads_have_a_row, fake_stop),
        cmocka_unit_test_teardown(test_unverified_data, fake_stop),
        cmocka_unit_test_teardown(test_notifications_by_mode, fake_stop),
        cmocka_unit_test_teardown(test_whose_cycles_count, fake_stop),
        cmocka_unit_test_teardown(test_verdicts, fake_stop),
        cmocka_unit_test_teardown(test_lost_reads, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
