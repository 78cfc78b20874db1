// SPDX-License-Identifier: BSD-2-Clause
// app=job on a fake machine: what it reads, what it counts, what it says, and how it ends.
#include "apps/job.h"
#include "kernel/base/x86.h"
#include "kernel/x86/time.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static uint64_t json_number(const char *object, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":", key);
    const char *at = strstr(object, text);
    if (!at)
        fail_msg("no %s in %s", key, object);
    return strtoull(at + strlen(text), NULL, 10);
}

// The job object of a disk, or of "all".
static const char *job_object(const char *filename)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"type\":\"job\",\"filename\":\"%s\"", filename);
    const char *at = strstr(fake.json, text);
    if (!at)
        fail_msg("no job object of %s in %s", filename, fake.json);
    return at;
}

static uint64_t all(const char *key)
{
    return json_number(job_object("all"), key);
}

static void expect_refused(const char *words, const char *what, const char *part)
{
    fake.errors = 0;
    fake_run(&app_job, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, what);
    expect_line(fake.error_message, part);
    assert_int_equal(fake.submitted, 0);
    fake_stop(NULL);
}

// ---- what it reads ----

static void test_sequential_pass_reads_each_block_once(void **state)
{
    fake_start(4, 3, 512, 1003); // 125 reads of 4 KiB, and 3 blocks that are too few for one
    fake_run(&app_job, "rw=read runtime=0 iodepth=7 verify=crc32c");
    for (unsigned d = 0; d < 3; d++)
        for (unsigned lba = 0; lba < 1003; lba++)
            assert_int_equal(fake.disks[d].reads[lba], lba < 1000);
    assert_int_equal(fake.errors, 0);
    assert_int_equal(all("total_ios"), 375);
    assert_int_equal(all("submitted"), 375);
    assert_int_equal(all("cpus"), 4);
    assert_int_equal(all("disks"), 3);
    assert_int_equal(json_number(job_object("nvme1n1"), "total_ios"), 125);
    expect_line(fake.console, "job: ok: 375 reads of 4 KiB from 3 disks in ");
    expect_line(fake.console, "all data verified");
}

static void test_random_reads_cover_the_region_and_no_more(void **state)
{
    fake_start(2, 1, 512, FAKE_LBAS);
    fake_run(&app_job, "runtime=0 size=100k bs=1k verify=1");
    unsigned touched = 0, sum = 0;
    for (unsigned lba = 0; lba < FAKE_LBAS; lba++) {
        assert_true(lba < 200 || !fake.disks[0].reads[lba]);
        assert_int_equal(fake.disks[0].reads[lba], fake.disks[0].reads[lba ^ 1]); // whole reads
        touched += fake.disks[0].reads[lba] != 0;
        sum += fake.disks[0].reads[lba];
    }
    assert_int_equal(sum, 200);        // as many bytes as the region has
    assert_in_range(touched, 90, 160); // 126 are to be expected: 63%
    assert_int_equal(all("total_ios"), 100);
    assert_int_equal(fake.errors, 0);
}

// Those that are urgent are counted among all, and apart.
static void test_urgent_share(void **state)
{
    fake_start(2, 2, 512, FAKE_LBAS);
    fake_run(&app_job, "runtime=0 urgent=25 verify=1");
    const char *urgent = strstr(job_object("all"), "\"urgent_clat_ns\":");
    assert_non_null(urgent);
    assert_int_equal(all("total_ios"), 1024);
    assert_int_equal(all("N"), 1024);
    assert_in_range(json_number(urgent, "N"), 180, 330);
    expect_line(fake.console, "urgent");
    assert_int_equal(fake.urgent, json_number(urgent, "N"));

    fake_stop(NULL);
    fake_start(1, 1, 512, FAKE_LBAS);
    fake_run(&app_job, "runtime=0 urgent=100");
    assert_int_equal(fake.urgent, 512);
    fake_stop(NULL);
    fake_start(1, 1, 512, FAKE_LBAS);
    fake_run(&app_job, "runtime=0");
    assert_int_equal(fake.urgent, 0);
    assert_null(strstr(fake.json, "urgent"));
}

static void expect_urgent_share(unsigned percent)
{
    char words[64];
    snprintf(words, sizeof(words), "runtime=0 bs=512 urgent=%u", percent);
    fake_start(4, 4, 512, FAKE_LBAS);
    fake_run(&app_job, words);
    uint64_t reads = 4 * FAKE_LBAS;
    assert_int_equal(fake.submitted, reads);
    assert_in_range(fake.urgent * 1000, reads * (percent * 10 - 8), reads * (percent * 10 + 8));
    fake_stop(NULL);
}

// Percents, neither one more nor one less.
static void test_urgent_share_is_exact(void **state)
{
    expect_urgent_share(1);
    expect_urgent_share(50);
    expect_urgent_share(99);
}

// Urgent reads alone are no reason to look at data.
static void test_nothing_is_verified_unless_asked_for(void **state)
{
    fake_start(1, 1, 512, 64);
    fake.disks[0].damaged_lba = 7;
    fake_run(&app_job, "rw=read runtime=0 urgent=50");
    assert_int_equal(all("verify_errors"), 0);
    assert_int_equal(fake.errors, 0);
}

static void test_runs_are_repeatable(void **state)
{
    uint32_t first[64], in_run_1[64];
    for (unsigned run = 0; run < 2; run++) {
        fake_start(2, 1, 512, 64);
        fake_run(&app_job, "runtime=0 bs=512");
        memcpy(run ? in_run_1 : first, fake.disks[0].reads, sizeof(first));
        fake_stop(NULL);
    }
    assert_memory_equal(first, in_run_1, sizeof(first));
}

static void test_runtime_ends_it(void **state)
{
    fake_start(3, 2, 4096, 64);
    fake_run(&app_job, "runtime=3ms iodepth=16 rw=read");
    assert_int_equal(all("submitted"), all("total_ios"));
    assert_int_equal(all("submitted"), fake.submitted);
    assert_true(all("total_ios") > 0);
    assert_in_range(all("runtime"), 3, 10000);
    assert_int_equal(fake.in_flight_count, 0);
    assert_in_range(fake.disks[0].most_in_flight, 17, 3 * 16);
    expect_line(fake.console, "data not verified");
}

static void test_fewer_reads_than_workers(void **state)
{
    fake_start(8, 2, 4096, 3);
    fake_run(&app_job, "rw=read runtime=0");
    assert_int_equal(all("total_ios"), 6);
    fake_stop(NULL);
    fake_start(8, 1, 4096, 3);
    fake_run(&app_job, "rw=read runtime=1ms");
    assert_true(all("total_ios") > 3);
    assert_int_equal(all("total_ios"), all("submitted"));
}

static void test_numjobs_spreads_disks_over_cpus(void **state)
{
    fake_start(4, 4, 512, 256);
    fake_run(&app_job, "numjobs=1 runtime=0 iodepth=4");
    assert_int_equal(all("cpus"), 4);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        assert_int_equal(fake.stats[cpu].msis, 32);
    assert_int_equal(json_number(job_object("nvme3n1"), "cpus"), 1);
    for (unsigned d = 0; d < 4; d++)
        assert_in_range(fake.disks[d].most_in_flight, 1, 4);
}

static void test_idle_cpus_are_not_charged(void **state)
{
    fake_start(4, 1, 512, 64);
    uint64_t start = rdtsc();
    fake_run(&app_job, "numjobs=1 runtime=10ms");
    uint64_t charged = all("cycles_per_io") * all("total_ios");
    assert_int_equal(all("cpus"), 1);
    assert_true(charged > 0);
    assert_true(charged <
                rdtsc() - start); // no more than one CPU had; the others would make it four
}

// ---- what it counts ----

static void test_counters_are_of_the_run(void **state)
{
    fake_start(2, 2, 512, 512);
    fake.stats[0].msis = fake.irq_counts[0][0] = 1000; // from before
    fake.stats[1].notifications = 500;
    fake_run(&app_job, "runtime=0 rw=read");
    uint64_t notifications = fake.stats[0].notifications + fake.stats[1].notifications - 500;
    assert_int_equal(all("msis"), all("total_ios"));
    assert_int_equal(all("notifications"), notifications);
    char line[128];
    snprintf(line, sizeof(line),
             "{\"type\":\"irq\",\"name\":\"nvme0q1\",\"chip\":\"VTD-POST\",\"cpu\":0,"
             "\"vector\":32,\"count\":%llu,\"counts\":[%llu,0]}",
             (unsigned long long)fake.irq_counts[0][0] - 1000,
             (unsigned long long)fake.irq_counts[0][0] - 1000);
    expect_line(fake.json, line);
    snprintf(line, sizeof(line),
             "{\"type\":\"irq\",\"name\":\"PMN\",\"count\":%llu,\"counts\":[%llu,%llu]}",
             (unsigned long long)notifications, (unsigned long long)fake.stats[0].notifications,
             (unsigned long long)fake.stats[1].notifications - 500);
    expect_line(fake.json, line);
    snprintf(line, sizeof(line), "MSIs 128, notifications %llu, ",
             (unsigned long long)notifications);
    expect_line(fake.console, line);
}

static void test_remapped_msis_are_all_notifications(void **state)
{
    fake_start(1, 1, 512, 512);
    fake.mode = IRQ_REMAPPED;
    fake_run(&app_job, "runtime=0");
    assert_int_equal(all("notifications"), all("msis"));
    expect_line(fake.console, ", remapped: 1.00 notifications per MSI");
}

static void test_json_has_all_that_is_agreed(void **state)
{
    static const char *const keys[] = {
        "irq",       "rw",        "bs",         "iodepth",       "cpus",
        "disks",     "total_ios", "submitted",  "errors",        "verify_errors",
        "runtime",   "iops",      "msis",       "notifications", "cycles_per_io",
        "clat_ns",   "mean",      "percentile", "50.000000",     "99.000000",
        "99.900000", "bw_bytes",
    };
    fake_start(1, 1, 512, 512);
    fake_run(&app_job, "runtime=0");
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        json_number(job_object("nvme0n1"), keys[i]);
        json_number(job_object("all"), keys[i]);
    }
    expect_line(fake.json, "\"irq\":\"posted\",\"rw\":\"randread\",\"bs\":4096,\"iodepth\":32");
    assert_true(json_number(job_object("all"), "99.000000") >=
                json_number(job_object("all"), "50.000000"));
}

static void test_many_cpus_have_tables_side_by_side(void **state)
{
    fake_start(12, 1, 512, 512);
    fake_run(&app_job, "runtime=0 numjobs=12");
    expect_line(fake.console, "CPU7\n");
    expect_line(fake.console, "CPU8");
    expect_line(fake.console, "CPU11\n");
    const char *second = strstr(fake.console, "CPU8");
    expect_line(second, "nvme0q12:");
    assert_null(strstr(second, "nvme0q1:")); // all zero there
}

static void test_progress_each_second(void **state)
{
    static struct job job; // as if begun two and a half seconds ago
    fake_start(1, 1, 512, 512);
    fake_run(&app_job, "runtime=0");
    assert_int_equal(fake.timers_fired, 0);
    assert_null(fake.timers); // stopped
    job = (struct job){ .config = { .runtime_us = 5000000, .bs = 4096 } };
    job.began_ns = time_ns() - 2500000000;
    job.shown_ns = time_ns() - NS_PER_S;
    job_show_progress(&job);
    expect_line(fake.console, "job: 2.5 of 5.0 s: 0 IOPS, 0.0 MB/s\n");
}

// ---- what goes wrong ----

static void test_damaged_data_is_found(void **state)
{
    fake_start(2, 2, 512, 512);
    fake.disks[1].damaged_lba = 77;
    fake_run(&app_job, "rw=read runtime=0 verify=crc32c");
    assert_int_equal(all("verify_errors"), 1);
    assert_int_equal(all("errors"), 0);
    assert_int_equal(all("total_ios"), 128);
    assert_int_equal(json_number(job_object("nvme0n1"), "verify_errors"), 0);
    assert_int_equal(json_number(job_object("nvme1n1"), "verify_errors"), 1);
    assert_string_equal(fake.error_what, "verify-crc");
    expect_line(fake.error_message, "nvme1n1: LBA 77 ");
    expect_line(fake.console, "job: failed: 1 verify error; 128 reads");
}

static void test_all_errors_are_counted_and_few_are_told(void **state)
{
    fake_start(1, 2, 512, 64);
    for (unsigned i = 0; i < 2; i++) {
        fake.disks[i].bad_status = BLOCK_ERROR;
        fake.disks[i].bad_lba = 5;
    }
    fake_run(&app_job, "rw=read bs=512 runtime=20ms");
    assert_true(all("errors") >= 40);
    assert_int_equal(fake.errors, 2 * 5); // of each disk
    assert_string_equal(fake.error_what, "job-io");
    expect_line(fake.error_message,
                "n1: read of LBA 5, 1 blocks: the device reports an error (status 0x281)");
    assert_int_equal(all("submitted"), all("total_ios"));
    assert_true(json_number(job_object("all"), "N") == all("total_ios") - all("errors"));
}

static void test_few_verify_errors_are_told(void **state)
{
    fake_start(1, 1, 512, 64);
    fake.disks[0].damaged_lba = 5;
    fake_run(&app_job, "rw=read bs=512 runtime=20ms verify=1");
    assert_true(all("verify_errors") >= 20);
    assert_int_equal(fake.errors, 5);
    assert_int_equal(all("errors"), 0);
}

static void test_a_device_that_goes_ends_its_workers(void **state)
{
    static const enum block_status ends[] = { BLOCK_GONE, BLOCK_TIMEOUT };
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        fake_start(1, 2, 512, 64);
        fake.disks[0].bad_status = ends[i];
        fake.disks[0].bad_lba = 40;
        fake_run(&app_job, "rw=read bs=512 runtime=0 iodepth=1");
        assert_int_equal(json_number(job_object("nvme0n1"), "total_ios"), 41);
        assert_int_equal(json_number(job_object("nvme0n1"), "errors"), 1);
        assert_int_equal(json_number(job_object("nvme1n1"), "total_ios"), 64);
        assert_int_equal(all("submitted"), all("total_ios"));
        fake_stop(NULL);
    }
}

static void test_bad_words(void **state)
{
    fake_start(2, 2, 4096, 512);
    expect_refused("bs=512", "job-bs",
                   "nvme0n1 has blocks of 4096 bytes; give a multiple of that, e.g. bs=4096");
    expect_refused("bs=6k", "job-bs", "e.g. bs=8192");
    expect_refused("filename=nvme9n1", "job-no-such-disk",
                   "\"nvme9n1\"; there are: nvme0n1 nvme1n1");
    expect_refused("filename=nvme0n1:", "job-no-such-disk", "\"\"");
    expect_refused("filename=nvme0n1:nvme0n1", "job-disk-twice", "nvme0n1");
    expect_refused("filename=nvme0n", "job-no-such-disk", "\"nvme0n\"");
    expect_refused("numjobs=3", "job-numjobs", "only 2 CPUs");
    expect_refused("size=2k", "job-size", "nvme0n1");
    fake.free_bytes = 16 * MIB;
    expect_refused("iodepth=4096 bs=1m", "job-memory", " MiB, and 16 MiB are free; ");
    fake.first_disk = NULL;
    expect_refused("", "job-no-disk", "attach an NVMe disk");
}

static void test_named_disks_only(void **state)
{
    fake_start(2, 4, 512, 64);
    fake_run(&app_job, "filename=nvme3n1:nvme1n1 runtime=0");
    assert_int_equal(all("disks"), 2);
    for (unsigned d = 0; d < 4; d++)
        assert_int_equal(fake.disks[d].most_in_flight > 0, d % 2);
}

// ---- how work is shared ----

static void test_shares_cover_the_region_once(void **state)
{
    static const uint64_t regions[] = { 0, 1, 5, 64, 1000, UINT64_MAX };
    for (size_t r = 0; r < ARRAY_SIZE(regions); r++)
        for (unsigned count = 1; count <= 7; count++) {
            uint64_t at = 0, first, end;
            for (unsigned i = 0; i < count; i++) {
                job_share(regions[r], i, count, &first, &end);
                assert_true(first == at);
                assert_true(end - first == regions[r] / count ||
                            end - first == regions[r] / count + 1);
                at = end;
            }
            assert_true(at == regions[r]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_sequential_pass_reads_each_block_once, fake_stop),
        cmocka_unit_test_teardown(test_random_reads_cover_the_region_and_no_more, fake_stop),
        cmocka_unit_test_teardown(test_urgent_share, fake_stop),
        cmocka_unit_test(test_urgent_share_is_exact),
        cmocka_unit_test_teardown(test_nothing_is_verified_unless_asked_for, fake_stop),
        cmocka_unit_test_teardown(test_runs_are_repeatable, fake_stop),
        cmocka_unit_test_teardown(test_runtime_ends_it, fake_stop),
        cmocka_unit_test_teardown(test_fewer_reads_than_workers, fake_stop),
        cmocka_unit_test_teardown(test_numjobs_spreads_disks_over_cpus, fake_stop),
        cmocka_unit_test_teardown(test_idle_cpus_are_not_charged, fake_stop),
        cmocka_unit_test_teardown(test_counters_are_of_the_run, fake_stop),
        cmocka_unit_test_teardown(test_remapped_msis_are_all_notifications, fake_stop),
        cmocka_unit_test_teardown(test_json_has_all_that_is_agreed, fake_stop),
        cmocka_unit_test_teardown(test_many_cpus_have_tables_side_by_side, fake_stop),
        cmocka_unit_test_teardown(test_progress_each_second, fake_stop),
        cmocka_unit_test_teardown(test_damaged_data_is_found, fake_stop),
        cmocka_unit_test_teardown(test_all_errors_are_counted_and_few_are_told, fake_stop),
        cmocka_unit_test_teardown(test_few_verify_errors_are_told, fake_stop),
        cmocka_unit_test_teardown(test_a_device_that_goes_ends_its_workers, fake_stop),
        cmocka_unit_test_teardown(test_bad_words, fake_stop),
        cmocka_unit_test_teardown(test_named_disks_only, fake_stop),
        cmocka_unit_test(test_shares_cover_the_region_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
