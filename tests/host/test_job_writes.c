// SPDX-License-Identifier: BSD-2-Clause
// app=job on a fake machine, writing: what is written where, and how it is paced.
#include "apps/job_mix.h"
#include "lib/pattern.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"
#include "tests/host/job_objects.h"

static void expect_all_blocks(unsigned disk, uint64_t blocks, uint64_t seed, uint32_t sequence)
{
    const struct fake_disk *d = &fake.disks[disk];
    struct pattern_id id = { .tag = stamp_tag(d->dev.serial, d->dev.nsid), .seed = seed };
    struct problem p;
    for (id.lba = 0; id.lba < blocks; id.lba++)
        if (pattern_check(d->data + id.lba * d->dev.block_size, d->dev.block_size, &id, sequence,
                          sequence, &p) != PATTERN_GOOD)
            fail_msg("LBA %lu %s", id.lba, p.message);
}

// ---- what is written ----

static void test_a_pass_writes_each_block_once(void **state)
{
    static const char *const kinds[] = { "write", "randwrite" };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char words[128], line[128];
        start(4, 3, 512, 1003); // 125 writes of 4 KiB, and 3 blocks that are too few for one
        snprintf(words, sizeof(words), "rw=%s runtime=0 iodepth=7 verify=crc32c seed=9", kinds[i]);
        fake_run(&app_job, words);
        for (unsigned d = 0; d < 3; d++) {
            expect_all_blocks(d, 1000, 9, 1);
            for (unsigned lba = 0; lba < 1003; lba++) {
                assert_int_equal(fake.disks[d].writes[lba], lba < 1000);
                assert_int_equal(fake.disks[d].reads[lba], lba < 1000); // back
            }
        }
        assert_int_equal(fake.errors, 0);
        assert_int_equal(all("total_ios"), 375);
        assert_int_equal(all("submitted"), 375);
        assert_int_equal(all("N"), 375);
        assert_int_equal(way("write", "total_ios"), 375);
        assert_int_equal(way("write", "io_bytes"), 375 * 4096);
        assert_int_equal(way("write", "runtime"), all("runtime"));
        assert_int_equal(way("read", "total_ios"), 0);
        assert_int_equal(all("read_back"), 375);
        snprintf(line, sizeof(line), "\"rw\":\"%s\"", kinds[i]);
        expect_line(fake.json, line);
        expect_line(fake.console, "job: ok: 375 writes of 4 KiB to 3 disks in ");
        expect_line(fake.console, "all data verified");
        fake_stop(NULL);
    }
}

static void test_what_isn_t_checked_isn_t_read_back(void **state)
{
    start(2, 1, 512, 512);
    fake.no_overlap = false; // whose data are the last doesn't matter
    fake_run(&app_job, "rw=randwrite runtime=0 numjobs=1");
    assert_int_equal(all("total_ios"), 64);
    assert_int_equal(way("write", "total_ios"), 64);
    assert_int_equal(way("write", "N"), 64);
    uint64_t first = 0, others = 0; // random data, though, and not the same in each buffer
    for (unsigned lba = 0; lba < 512; lba += 8) {
        if (!fake.disks[0].writes[lba])
            continue;
        uint64_t data;
        memcpy(&data, fake.disks[0].data + lba * 512 + 504, sizeof(data));
        assert_int_equal(fake.disks[0].data[lba * 512], 'O');
        others += first && data != first;
        first = first ? first : data;
    }
    assert_true(others > 10);
    assert_int_equal(all("read_back"), 0);
    expect_line(fake.console, "data not verified");
    assert_null(strstr(fake.console, "reads back"));
}

static void test_random_writes_go_over_all_of_the_region(void **state)
{
    start(2, 1, 512, 512);
    fake_run(&app_job, "rw=randwrite runtime=20ms verify=1 seed=3 size=128k");
    unsigned least = UINT32_MAX, most = 0;
    for (unsigned lba = 0; lba < 256; lba++) {
        least = MIN(least, fake.disks[0].writes[lba]);
        most = MAX(most, fake.disks[0].writes[lba]);
    }
    assert_true(most >= 3); // passes
    assert_true(most - least <= most / 2);
    for (unsigned lba = 256; lba < 512; lba++)
        assert_int_equal(fake.disks[0].writes[lba], 0);
    assert_int_equal(fake.errors, 0);
    assert_int_equal(all("read_back"), 32);
}

static void take_time_to_read(const struct block_req *req)
{
    fake.tsc += req->op == BLOCK_READ ? 1000000 : 0;
}

static void test_the_read_back_is_not_measured(void **state)
{
    start(1, 1, 512, 512);
    fake.on_read = take_time_to_read;
    fake_run(&app_job, "rw=write runtime=5ms verify=1");
    assert_int_equal(all("read_back"), 64);
    assert_in_range(all("runtime"), 5, 6);
}

static void test_mixes(void **state)
{
    static const char *const kinds[] = { "randrw", "rw" };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char words[128];
        start(3, 2, 512, 512);
        snprintf(words, sizeof(words), "rw=%s rwmixread=70 runtime=10ms verify=1 iodepth=16",
                 kinds[i]);
        fake_run(&app_job, words);
        uint64_t reads = way("read", "total_ios"), writes = way("write", "total_ios");
        assert_int_equal(fake.errors, 0);
        assert_int_equal(all("total_ios"), reads + writes);
        assert_int_equal(all("N"), reads + writes);
        assert_in_range(reads * 100, (reads + writes) * 69, (reads + writes) * 71);
        assert_true(writes > 100);
        assert_int_equal(way("read", "N"), reads);
        assert_int_equal(way("write", "N"), writes);
        expect_line(fake.console, " I/Os of 4 KiB on 2 disks in ");
        expect_line(fake.console, "\nread ");
        expect_line(fake.console, "\nwrite ");
        fake_stop(NULL);
    }
}

static void test_trims(void **state)
{
    start(2, 1, 512, 515);
    fake_run(&app_job, "rw=trim runtime=0");
    for (unsigned lba = 0; lba < 515; lba++)
        assert_int_equal(fake.disks[0].trims[lba], lba < 512);
    assert_int_equal(way("trim", "total_ios"), 64);
    expect_line(fake.console, "job: ok: 64 trims of 4 KiB to 1 disk in ");
}

static void test_fewer_places_than_workers(void **state)
{
    start(8, 1, 4096, 3);
    fake_run(&app_job, "rw=randwrite runtime=1ms verify=1");
    assert_int_equal(fake.errors, 0);
    assert_true(all("total_ios") > 3);
    assert_int_equal(all("submitted"), all("total_ios"));
    assert_int_equal(all("read_back"), 3);
}

static void test_data_differ_in_each_run_unless_seeded(void **state)
{
    static uint8_t first[512];
    for (unsigned run = 0; run < 4; run++) {
        start(1, 1, 512, 8);
        fake.tsc += run; // another time
        fake_run(&app_job,
                 run < 2 ? "rw=write runtime=0 verify=1" : "rw=write runtime=0 verify=1 seed=5");
        if (run % 2 == 0)
            memcpy(first, fake.disks[0].data, sizeof(first));
        else
            assert_int_equal(memcmp(first, fake.disks[0].data, sizeof(first)) == 0, run == 3);
        fake_stop(NULL);
    }
}

// ---- leave to write ----

static void expect_refused(const char *words, const char *what, const char *message)
{
    fake.errors = 0;
    fake_run(&app_job, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, what);
    assert_string_equal(fake.error_message, message);
    assert_int_equal(fake.submitted, 0);
    fake_stop(NULL);
}

static void test_disks_that_may_not_be_written(void **state)
{
    fake_start(2, 2, 512, 64);
    fake_writable(&fake.disks[0]);
    strcpy(fake.disks[1].dev.serial, "A B");
    expect_refused("rw=write", "disk-not-allowed",
                   "nvme1n1 (serial \"A B\") may not be written to; if all that it holds may be "
                   "lost, say allow-write=A%20B");
    expect_refused("rw=randtrim", "disk-not-allowed", fake.error_message);
    fake.errors = 0;
    fake_run(&app_job, "rw=randrw rwmixread=100 runtime=0"); // which never writes
    assert_int_equal(fake.errors, 0);
}

static void test_disks_that_can_not_be_written(void **state)
{
    start(2, 1, 512, 64);
    fake.disks[0].dev.ops = 1u << BLOCK_READ | 1u << BLOCK_FLUSH;
    expect_refused("rw=rw", "disk-read-only",
                   "nvme0n1 is write protected by its controller; leave it out, or end the "
                   "protection there");
    start(2, 1, 512, 64);
    fake.disks[0].dev.ops = 1u << BLOCK_READ | 1u << BLOCK_WRITE;
    expect_refused("rw=trim", "disk-no-trim",
                   "nvme0n1 has no Dataset Management command, which trims; leave it out");
    start(2, 2, 512, 64);
    fake.disks[1].dev.same_as = &fake.disks[0].dev;
    expect_refused("rw=write filename=nvme1n1", "disk-two-ways",
                   "nvme1n1 is the same disk as nvme0n1, which another controller leads to: name "
                   "that one");
    start(2, 1, 512, 64);
    fake.disks[0].dev.limits.zone = 4096;
    expect_refused("rw=write", "disk-zoned",
                   "nvme0n1 is zoned: it is written to in the order of its zones alone, which no "
                   "app does; leave it out");
}

// A disk that two controllers lead to is worked on once.
static void test_two_ways_to_a_disk(void **state)
{
    start(2, 2, 512, 64);
    fake.disks[1].dev.same_as = &fake.disks[0].dev;
    fake_run(&app_job, "rw=randwrite runtime=0 verify=crc32c");
    assert_int_equal(fake.errors, 0);
    assert_true(fake.disks[0].writes[0] > 0);
    assert_int_equal(fake.disks[1].writes[0], 0);
    fake_stop(NULL);
}

// ---- time ----

static void test_paces(void **state)
{
    static const char *const kinds[] = { "randread", "randwrite", "rw" };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char words[128];
        start(2, 2, 512, 512);
        fake.no_overlap = false;
        snprintf(words, sizeof(words), "rw=%s runtime=50ms rate_iops=1000", kinds[i]);
        fake_run(&app_job, words);
        assert_int_equal(fake.errors, 0);
        assert_in_range(all("total_ios"), 4 * 49, 4 * 51); // four workers
        assert_int_equal(all("submitted"), all("total_ios"));
        assert_in_range(all("runtime"), 49, 55);
        assert_null(fake.timers);
        fake_stop(NULL);
    }
}

static void test_progress_counts_the_ramp(void **state)
{
    static struct job job;
    start(1, 1, 512, 512);
    job = (struct job){ .config = { .runtime_us = 3000000, .ramp_us = 2000000, .bs = 4096 } };
    job.began_ns = time_ns() - 4 * NS_PER_S;
    job.shown_ns = time_ns() - NS_PER_S;
    job_show_progress(&job);
    expect_line(fake.console, "job: 4.0 of 5.0 s: ");
}

static uint64_t soonest_tsc, reads_too_soon;

static void check_spread(const struct block_req *req)
{
    reads_too_soon += rdtsc() < soonest_tsc;
    soonest_tsc = MAX(soonest_tsc + 1000000, rdtsc() - 900000);
}

static void test_paced_reads_come_one_by_one(void **state)
{
    start(1, 1, 512, 512);
    soonest_tsc = reads_too_soon = 0;
    fake.on_read = check_spread;
    fake_run(&app_job, "runtime=50ms rate_iops=1000");
    assert_int_equal(reads_too_soon, 0);
}

static void test_what_ramps_up_isn_t_measured(void **state)
{
    static const char *const kinds[] = { "randread", "randrw", "randwrite" };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char words[128];
        start(2, 1, 512, 512);
        fake.no_overlap = false;
        snprintf(words, sizeof(words), "rw=%s runtime=20ms ramp_time=30ms", kinds[i]);
        fake_run(&app_job, words);
        assert_int_equal(fake.errors, 0);
        assert_in_range(all("runtime"), 18, 26);
        assert_int_equal(all("submitted"), all("total_ios"));
        assert_int_equal(all("N"), all("total_ios"));
        assert_in_range(all("total_ios") * 10, fake.submitted * 2, fake.submitted * 6);
        assert_in_range(all("msis"), all("total_ios") - 80, all("total_ios") + 80);
        if (i)
            assert_int_equal(way("read", "total_ios") + way("write", "total_ios"),
                             all("total_ios"));
        assert_null(fake.timers);
        fake_stop(NULL);
    }
}

static void test_memory_for_what_is_written_where(void **state)
{
    start(1, 1, 512, 512);
    fake.disks[0].dev.blocks = 1ull << 40;
    fake.free_bytes = 64 * MIB;
    fake_run(&app_job, "rw=randwrite bs=512 verify=1 iodepth=1");
    assert_string_equal(fake.error_what, "job-memory");
    expect_line(fake.error_message, "or size=, with what is kept of each place");
    fake.errors = 0;
    fake_run(&app_job, "rw=randwrite bs=512 verify=1 iodepth=1 size=128k runtime=0");
    assert_int_equal(fake.errors, 0);
}

static void test_some_reads_are_urgent(void **state)
{
    start(1, 1, 512, 512);
    fake.no_overlap = false;
    fake_run(&app_job, "rw=randrw runtime=5ms urgent=30");
    uint64_t reads = way("read", "total_ios");
    assert_in_range(fake.urgent * 100, reads * 24, reads * 36);
    fake_stop(NULL);
    start(1, 1, 512, 512);
    fake.no_overlap = false;
    fake_run(&app_job, "rate_iops=1000000 iodepth=1 runtime=5ms urgent=30");
    assert_in_range(fake.urgent * 100, all("total_ios") * 24, all("total_ios") * 36);
}

// Plain writes go as fast as reads do: no two ways to choose from.
static void test_plain_writes_take_the_straight_path(void **state)
{
    struct job_config config = { .write_percent = 100 };
    assert_false(job_is_mixed(&config));
    config.trims = true;
    assert_false(job_is_mixed(&config));
    config = (struct job_config){ .verify = true };
    assert_false(job_is_mixed(&config));
    config.write_percent = 100;
    assert_true(job_is_mixed(&config));
}

static void test_errors_of_plain_writes(void **state)
{
    start(1, 1, 512, 64);
    fake.no_overlap = false;
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_op = BLOCK_WRITE;
    fake.disks[0].bad_lba = 5;
    fake_run(&app_job, "rw=write bs=512 runtime=0");
    assert_int_equal(way("write", "total_ios"), 64);
    assert_int_equal(way("write", "errors"), 1);
    assert_int_equal(way("write", "io_bytes"), 63 * 512);
    expect_line(fake.console, "job: failed: 1 write error; 64 writes of 512 B to 1 disk");
}

static void test_only_reads_of_a_mix_are_urgent(void **state)
{
    start(1, 1, 512, 512);
    fake.no_overlap = false;
    fake_run(&app_job, "rw=randrw runtime=5ms urgent=100");
    assert_int_equal(fake.urgent, way("read", "total_ios"));
    assert_int_equal(number(strstr(object("job", "all"), "\"urgent_clat_ns\""), "N"),
                     way("read", "total_ios"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_pass_writes_each_block_once, fake_stop),
        cmocka_unit_test_teardown(test_what_isn_t_checked_isn_t_read_back, fake_stop),
        cmocka_unit_test_teardown(test_random_writes_go_over_all_of_the_region, fake_stop),
        cmocka_unit_test_teardown(test_the_read_back_is_not_measured, fake_stop),
        cmocka_unit_test_teardown(test_mixes, fake_stop),
        cmocka_unit_test_teardown(test_trims, fake_stop),
        cmocka_unit_test_teardown(test_fewer_places_than_workers, fake_stop),
        cmocka_unit_test_teardown(test_data_differ_in_each_run_unless_seeded, fake_stop),
        cmocka_unit_test_teardown(test_disks_that_may_not_be_written, fake_stop),
        cmocka_unit_test_teardown(test_two_ways_to_a_disk, fake_stop),
        cmocka_unit_test_teardown(test_disks_that_can_not_be_written, fake_stop),
        cmocka_unit_test_teardown(test_paces, fake_stop),
        cmocka_unit_test_teardown(test_paced_reads_come_one_by_one, fake_stop),
        cmocka_unit_test_teardown(test_what_ramps_up_isn_t_measured, fake_stop),
        cmocka_unit_test_teardown(test_progress_counts_the_ramp, fake_stop),
        cmocka_unit_test_teardown(test_memory_for_what_is_written_where, fake_stop),
        cmocka_unit_test_teardown(test_some_reads_are_urgent, fake_stop),
        cmocka_unit_test(test_plain_writes_take_the_straight_path),
        cmocka_unit_test_teardown(test_errors_of_plain_writes, fake_stop),
        cmocka_unit_test_teardown(test_only_reads_of_a_mix_are_urgent, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
