// SPDX-License-Identifier: BSD-2-Clause
// Whole histograms: each latency counted once, at one of fio's values; and time in submission.
#include "apps/bins.h"

#include "apps/job.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define SUBMIT_NS (3 * NS_PER_MS)
#define SERVICE_NS (10 * NS_PER_MS)

// ---- fio's values ----

// stat.c of fio: below 128 each value is its own; above, the middle of 64 steps to each power of two.
static uint64_t fio_value(uint64_t ns)
{
    if (ns < 128)
        return ns;
    unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - 6;
    return (ns >> shift << shift) + (1ull << shift) / 2;
}

static void check_bins(uint64_t tsc_hz)
{
    static struct histogram h;
    memset(&h, 0, sizeof(h));
    uint64_t recorded = 0, told = 0, before = 0, ns, count;
    for (uint64_t tsc = 1; tsc < 1ull << 45; tsc += tsc / 200 + 1, recorded++)
        histogram_record(&h, tsc);
    size_t bucket = 0;
    while (bins_next(&h, tsc_hz, &bucket, &ns, &count)) {
        assert_int_equal(ns, fio_value(ns));
        assert_true(ns > before || told == 0);
        assert_true(count > 0);
        before = ns;
        told += count;
    }
    assert_int_equal(told, recorded);
}

static void test_each_latency_is_in_one_of_fio_s_bins(void **state)
{
    check_bins(1000000000);
    check_bins(3417600000);
    check_bins(777000000);
}

static void test_values_are_nanoseconds(void **state)
{
    static struct histogram h;
    uint64_t ns, count;
    size_t bucket = 0;
    memset(&h, 0, sizeof(h));
    histogram_record(&h, 4000000);
    histogram_record(&h, 4000000);
    assert_true(bins_next(&h, 2000000000, &bucket, &ns, &count));
    assert_in_range(ns, 2000000 - 2000000 / 64, 2000000 + 2000000 / 64);
    assert_int_equal(count, 2);
    assert_false(bins_next(&h, 2000000000, &bucket, &ns, &count));
}

// ---- as lines ----

static unsigned lines_of(const char *start)
{
    unsigned lines = 0;
    for (const char *at = fake.json; (at = strstr(at, start)); at++)
        lines++;
    return lines;
}

static uint64_t sum_of(const char *start)
{
    uint64_t sum = 0;
    for (const char *at = fake.json; (at = strstr(at, start)); at++) {
        const char *end = strchr(at, '\n');
        const char *bins = strstr(at, "\"bins\":{");
        assert_non_null(bins);
        for (bins += 8; bins < end; bins++)
            if (*bins == ':')
                sum += strtoull(bins + 1, NULL, 10);
    }
    return sum;
}

static void spread(const struct block_req *req)
{
    fake.tsc += fake.submitted * fake.submitted * 50;
}

static void test_a_job_s_bins(void **state)
{
    fake_start(2, 2, 512, 4096);
    fake.on_read = spread;
    fake_run(&app_job, "rw=read runtime=0 bs=4k iodepth=4 bins=1");
    assert_int_equal(fake.submitted, 1024);
    assert_int_equal(sum_of("{\"type\":\"bins\",\"filename\":\"all\",\"of\":\"clat_ns\""), 1024);
    assert_int_equal(sum_of("{\"type\":\"bins\",\"filename\":\"nvme1n1\",\"of\":\"clat_ns\""), 512);
    unsigned parts = lines_of("{\"type\":\"bins\",\"filename\":\"all\"");
    assert_true(parts > 1);
    char last[80];
    snprintf(last, sizeof(last), "\"part\":%u,\"parts\":%u,", parts - 1, parts);
    expect_line(fake.json, last);
}

static void test_no_bins_unless_asked_for(void **state)
{
    fake_start(1, 1, 512, 512);
    fake_run(&app_job, "rw=read runtime=0");
    assert_null(strstr(fake.json, "\"bins\""));
    assert_null(strstr(fake.json, "\"slat_ns\""));
}

// ---- time in submission ----

static void slow_submission(const struct block_req *req)
{
    fake.tsc += SUBMIT_NS;
}

static uint64_t mean_of(const char *of)
{
    char text[64];
    const char *all = strstr(fake.json, "{\"type\":\"job\",\"filename\":\"all\"");
    assert_non_null(all);
    snprintf(text, sizeof(text), "\"%s\":{\"mean\":", of);
    const char *at = strstr(all, text);
    assert_non_null(at);
    return strtoull(at + strlen(text), NULL, 10);
}

// What a submission takes is no part of what the disk takes.
static void check_slat(const char *words, uint64_t reads)
{
    fake_start(1, 1, 512, 512);
    fake.has_streams = true;
    fake.on_read = slow_submission;
    fake.service_tsc = SERVICE_NS;
    fake_run(&app_job, words);
    assert_in_range(mean_of("slat_ns"), SUBMIT_NS, SUBMIT_NS + NS_PER_MS / 10);
    assert_in_range(mean_of("clat_ns"), SERVICE_NS, SERVICE_NS + NS_PER_MS);
    assert_int_equal(fake.submitted, reads);
    assert_int_equal(sum_of("{\"type\":\"bins\",\"filename\":\"all\",\"of\":\"slat_ns\""), reads);
    fake_stop(NULL);
}

static void test_time_in_submission(void **state)
{
    check_slat("rw=read runtime=0 iodepth=1 slat=1 bins=1", 64);
    check_slat("runtime=0 iodepth=1 slat=1 bins=1 size=128k", 32);
    check_slat("rw=read runtime=0 iodepth=1 slat=1 bins=1 rate_iops=1000000", 64);
}

static void test_streams_are_not_timed(void **state)
{
    fake_start(1, 1, 512, 512);
    fake.has_streams = true;
    fake_run(&app_job, "rw=read runtime=0 iodepth=8 clat=batch slat=1");
    assert_int_equal(fake.turns, 0);
    assert_non_null(strstr(fake.json, "\"slat_ns\""));
}

// ---- a rate of all workers together ----

static void test_a_shared_rate_is_kept_in_sum(void **state)
{
    struct job_config config = { .rate_iops = 1000, .rate_is_shared = true };
    for (size_t workers = 1; workers < 40; workers++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < workers; i++) {
            uint64_t rate = job_rate(&config, i, workers);
            assert_in_range(rate, 1000 / workers, 1000 / workers + 1);
            sum += rate;
        }
        assert_int_equal(sum, 1000);
    }
    config.rate_is_shared = false;
    assert_int_equal(job_rate(&config, 3, 8), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_latency_is_in_one_of_fio_s_bins),
        cmocka_unit_test(test_values_are_nanoseconds),
        cmocka_unit_test_teardown(test_a_job_s_bins, fake_stop),
        cmocka_unit_test_teardown(test_no_bins_unless_asked_for, fake_stop),
        cmocka_unit_test(test_time_in_submission),
        cmocka_unit_test_teardown(test_streams_are_not_timed, fake_stop),
        cmocka_unit_test(test_a_shared_rate_is_kept_in_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
