// SPDX-License-Identifier: BSD-2-Clause
// The job's times, on a clock that moves only where it is looked at, while a read is served, and while
// a block is verified: what counts as latency, how long it runs, and what it says meanwhile.
#include "apps/job.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define SERVICE_NS (10 * NS_PER_MS)
#define CHECK_NS (700 * NS_PER_MS) // of one block
#define SLACK_NS NS_PER_MS         // looks at the clock

// In place of lib/stamp.c: it takes time.
uint64_t stamp_tag(const char *serial, uint32_t nsid)
{
    return 5;
}

void stamp_fill(void *block, uint32_t block_size, uint64_t tag, uint64_t lba)
{
    memcpy(block, &lba, sizeof(lba));
}

bool stamp_check(const void *block, uint32_t block_size, uint64_t tag, uint64_t lba,
                 struct problem *p)
{
    fake.tsc += CHECK_NS;
    return !memcmp(block, &lba, sizeof(lba)) || problem_set(p, "verify-lba", "is another's");
}

bool stamp_has_head(const void *block, uint32_t block_size, uint64_t tag, uint64_t lba)
{
    return false;
}

uint32_t stamp_head_crc(const void *block)
{
    return 0;
}

uint32_t stamp_crc_in(const void *block)
{
    return 0;
}

static const char *object(const char *filename)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"type\":\"job\",\"filename\":\"%s\"", filename);
    const char *at = strstr(fake.json, text);
    assert_non_null(at);
    return at;
}

static uint64_t number(const char *object, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":", key);
    const char *at = strstr(object, text);
    assert_non_null(at);
    return strtoull(at + strlen(text), NULL, 10);
}

static uint64_t all(const char *key)
{
    return number(object("all"), key);
}

static void start(unsigned cpus, unsigned disks)
{
    fake_start(cpus, disks, 4096, 64);
    fake.service_tsc = SERVICE_NS;
}

static void is_about(uint64_t ns, uint64_t wanted)
{
    assert_in_range(ns, wanted, wanted + wanted / 128 + SLACK_NS);
}

// ---- latency ----

// One read after the other: each waits for itself alone.
static void test_latency_is_the_disk_s(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=read runtime=0 size=80k iodepth=1");
    assert_int_equal(all("N"), 20);
    is_about(all("mean"), SERVICE_NS);
    is_about(all("max"), SERVICE_NS);
    is_about(all("99.990000"), SERVICE_NS);
    is_about(all("runtime") * NS_PER_MS, 20 * SERVICE_NS);
}

// Nor where a pace has the reads made by another routine.
static void test_verification_is_no_latency_of_paced_reads(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=read runtime=0 size=80k iodepth=1 verify=crc32c rate_iops=1000000");
    assert_int_equal(all("N"), 20);
    is_about(all("max"), SERVICE_NS);
    is_about(all("runtime") * NS_PER_MS, 20 * (SERVICE_NS + CHECK_NS));
}

// Verifying delays the next read, but is no part of any read's latency.
static void test_verification_is_no_latency(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=read runtime=0 size=16k iodepth=1 verify=1");
    assert_int_equal(fake.errors, 0);
    assert_int_equal(all("N"), 4);
    is_about(all("mean"), SERVICE_NS);
    is_about(all("max"), SERVICE_NS);
    is_about(all("runtime") * NS_PER_MS, 4 * (SERVICE_NS + CHECK_NS));
}

static void test_nor_is_it_of_urgent_reads(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=read runtime=0 size=16k iodepth=1 verify=1 urgent=100");
    const char *urgent = strstr(object("all"), "\"urgent_clat_ns\"");
    assert_int_equal(number(urgent, "N"), 4);
    is_about(number(urgent, "mean"), SERVICE_NS);
    is_about(number(urgent, "max"), SERVICE_NS);
}

// Those in flight together wait for each other.
static void test_latency_counts_from_submission(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=read runtime=0 size=16k iodepth=4");
    assert_int_equal(all("N"), 4);
    is_about(all("max"), 4 * SERVICE_NS);
    is_about(all("mean"), (1 + 2 + 3 + 4) * SERVICE_NS / 4);
}

// With clat=batch, what one look finds has one time: that of the look.
static void batched(const char *words)
{
    start(1, 1);
    fake.batch = 4;
    fake_run(&app_job, words);
    assert_int_equal(all("N"), 4);
    is_about(all("max"), SERVICE_NS);
    is_about(all("mean"), SERVICE_NS);
}

// Without, each waits for what its batch has ended before.
static void test_latency_within_a_batch(void **state)
{
    start(1, 1);
    fake.batch = 4;
    fake_run(&app_job, "rw=read runtime=0 size=16k iodepth=4 verify=1");
    assert_int_equal(all("N"), 4);
    is_about(all("max"), 4 * SERVICE_NS + 3 * CHECK_NS);
}

static void test_latency_by_the_batch(void **state)
{
    batched("rw=read runtime=0 size=16k iodepth=4 clat=batch");
}

static void test_latency_of_random_reads_by_the_batch(void **state)
{
    batched("rw=randread runtime=0 size=16k iodepth=4 clat=batch");
}

// ---- how long it runs ----

// Nothing is submitted after the end, and what is in flight then is waited for.
static void test_runtime(void **state)
{
    start(1, 1);
    fake_run(&app_job, "runtime=95ms iodepth=1");
    assert_int_equal(all("total_ios"), 10);
    is_about(all("runtime") * NS_PER_MS, 10 * SERVICE_NS);
    fake_stop(NULL);
    start(1, 1);
    fake_run(&app_job, "runtime=95ms iodepth=4");
    assert_int_equal(all("total_ios"), 9 + 4);
}

// Time spent on verification is run time: it, too, may end the run.
static void test_verification_ends_the_run(void **state)
{
    start(1, 1);
    fake_run(&app_job, "runtime=700ms iodepth=1 verify=1");
    assert_int_equal(all("total_ios"), 1);
}

static void test_rates_are_of_the_run(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=read runtime=0 size=80k iodepth=1");
    uint64_t iops = NS_PER_S / SERVICE_NS;
    assert_in_range(all("iops"), iops - 1, iops);
    assert_in_range(all("bw_bytes"), (iops - 1) * 4096, iops * 4096);
    expect_line(fake.console, "\nall        99   0.4  10,00"); // IOPS, MB/s, mean
}

// ---- what it says each second ----

static void test_progress_of_a_timed_run(void **state)
{
    start(1, 1);
    fake.service_tsc = 250 * NS_PER_MS;
    fake_run(&app_job, "runtime=2400ms iodepth=1");
    assert_int_equal(fake.timers_fired, 2);
    expect_line(fake.console, "job: 1.0 of 2.4 s: ");
    expect_line(fake.console, "job: 2.0 of 2.4 s: ");
    expect_line(fake.console, " IOPS, 0.0 MB/s\n");
}

// In each line, what came since the last one.
static void test_progress_of_a_pass(void **state)
{
    start(1, 1);
    fake.service_tsc = 100 * NS_PER_MS;
    fake_run(&app_job, "rw=read runtime=0 iodepth=1 size=160k");
    assert_in_range(fake.timers_fired, 3, 4);
    expect_line(fake.console, "job: 1.0 s, 25% done: 9 IOPS, 0.0 MB/s\n");
    expect_line(fake.console, "job: 2.0 s, 50% done: 9 IOPS, 0.0 MB/s\n");
    expect_line(fake.console, "job: 3.0 s, 75% done: 9 IOPS, 0.0 MB/s\n");
    assert_null(fake.timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_latency_is_the_disk_s, fake_stop),
        cmocka_unit_test_teardown(test_verification_is_no_latency_of_paced_reads, fake_stop),
        cmocka_unit_test_teardown(test_verification_is_no_latency, fake_stop),
        cmocka_unit_test_teardown(test_nor_is_it_of_urgent_reads, fake_stop),
        cmocka_unit_test_teardown(test_latency_counts_from_submission, fake_stop),
        cmocka_unit_test_teardown(test_latency_within_a_batch, fake_stop),
        cmocka_unit_test_teardown(test_latency_by_the_batch, fake_stop),
        cmocka_unit_test_teardown(test_latency_of_random_reads_by_the_batch, fake_stop),
        cmocka_unit_test_teardown(test_runtime, fake_stop),
        cmocka_unit_test_teardown(test_verification_ends_the_run, fake_stop),
        cmocka_unit_test_teardown(test_rates_are_of_the_run, fake_stop),
        cmocka_unit_test_teardown(test_progress_of_a_timed_run, fake_stop),
        cmocka_unit_test_teardown(test_progress_of_a_pass, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
