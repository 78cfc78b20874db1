// SPDX-License-Identifier: BSD-2-Clause
// app=job on a fake machine, writing: what is found wrong afterwards, and what flushes make durable.
#include "apps/job_mix.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"
#include "tests/host/job_objects.h"

// ---- what is found ----

static void expect_found(const char *what, const char *message)
{
    assert_true(all("verify_errors") >= 1);
    expect_line(fake.errors_told, what);
    expect_line(fake.errors_told, message);
    expect_line(fake.console, "job: failed: ");
}

static void test_a_lost_write_is_found(void **state)
{
    start(1, 1, 4096, 16);
    fake.disks[0].lost_lba = 7;
    fake_run(&app_job, "rw=write runtime=2ms verify=1 iodepth=4");
    assert_true(fake.disks[0].writes[7] > 1);
    expect_found("verify-stale: ", "nvme0n1: LBA 7 is stale: it holds write 1 where write ");
}

static void test_a_torn_write_is_found(void **state)
{
    start(1, 1, 4096, 16);
    fake.disks[0].torn_lba = 7;
    fake_run(&app_job, "rw=randrw runtime=5ms verify=1 iodepth=4");
    expect_found("verify-torn: ", "nvme0n1: LBA 7 is torn at byte 2048: ");
}

static void test_a_misplaced_write_is_found(void **state)
{
    start(1, 1, 4096, 16);
    fake.disks[0].misplaced_lba = 7;
    fake_run(&app_job, "rw=write runtime=2ms verify=1 iodepth=4");
    expect_found("verify-stale: ", "nvme0n1: LBA 7 is stale");
}

static void test_misplaced_data_are_found_where_they_lie(void **state)
{
    start(1, 1, 4096, 16);
    fake.disks[0].misplaced_lba = 15 - 1;
    fake_run(&app_job, "rw=randrw runtime=5ms verify=1 iodepth=2");
    expect_found("verify-lba: ", "nvme0n1: LBA 15 holds the data of LBA 14");
}

// Neither is one that nobody asked to be checked, nor one whose write has failed.
static void test_a_failed_write_is_no_verify_error(void **state)
{
    start(1, 1, 4096, 16);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_op = BLOCK_WRITE;
    fake.disks[0].bad_lba = 5;
    fake_run(&app_job, "rw=randrw runtime=5ms verify=1 iodepth=4");
    assert_int_equal(all("verify_errors"), 0);
    assert_true(way("write", "errors") > 1);
    assert_int_equal(all("errors"), way("write", "errors"));
    expect_line(fake.error_message,
                "nvme0n1: write of LBA 5, 1 blocks: the device reports an error");
    assert_int_equal(all("read_back"), 15);
    assert_int_equal(all("N"), all("total_ios") - all("errors"));
}

static void test_a_device_that_goes_ends_its_worker(void **state)
{
    start(1, 2, 512, 64);
    fake.disks[0].bad_status = BLOCK_GONE;
    fake.disks[0].bad_op = BLOCK_WRITE;
    fake.disks[0].bad_lba = 40;
    fake_run(&app_job, "rw=write bs=512 runtime=0 iodepth=1 verify=1");
    assert_int_equal(number(object("job", "nvme0n1"), "total_ios"), 41);
    assert_int_equal(number(object("job", "nvme0n1"), "read_back"), 0);
    assert_int_equal(number(object("job", "nvme1n1"), "read_back"), 64);
    assert_int_equal(all("submitted"), all("total_ios"));
    for (unsigned lba = 0; lba < 64; lba++)
        assert_int_equal(fake.disks[0].reads[lba], 0); // it isn't asked again
}

static void test_nobody_waits_for_a_device_that_is_gone(void **state)
{
    start(1, 1, 512, 64);
    fake.disks[0].bad_status = BLOCK_GONE;
    fake.disks[0].bad_op = BLOCK_WRITE;
    fake.disks[0].bad_lba = 8;
    fake_run(&app_job, "rw=write bs=512 iodepth=2 rate_iops=1000");
    assert_in_range(all("runtime"), 7, 9); // of 5 s
    assert_null(fake.timers);
}

// What a job has written, another one can check that knows nothing of it.
static void test_a_later_job_checks_what_is_there(void **state)
{
    start(2, 1, 512, 512);
    fake_run(&app_job, "rw=randwrite runtime=0 verify=1");
    fake.json[0] = 0;
    fake_run(&app_job, "rw=read runtime=0 verify=1");
    assert_int_equal(fake.errors, 0);
    fake.json[0] = 0;
    fake.disks[0].data[77 * 512 + 100] ^= 1;
    fake_run(&app_job, "rw=read runtime=0 verify=1");
    assert_int_equal(all("verify_errors"), 1);
    expect_line(fake.error_message, "nvme0n1: LBA 77 is corrupt");
    fake.json[0] = 0;
    memcpy(fake.disks[0].data + 77 * 512, fake.disks[0].data + 78 * 512, 512);
    fake_run(&app_job, "rw=read runtime=0 verify=1");
    assert_int_equal(all("verify_errors"), 1);
    expect_line(fake.error_message, "nvme0n1: LBA 77 holds the data of LBA 78");
}

// ---- flushes ----

static unsigned flushes_checked;

// Whatever a flush will make durable has been stored by now.
static void check_flush(const struct block_req *req)
{
    const struct job_mix_io *io = req->arg;
    const struct job_mix *m = io->mix;
    if (req->op != BLOCK_FLUSH)
        return;
    flushes_checked++;
    for (uint64_t n = 0; n < io->number; n++) {
        uint64_t place = written_place(m->written, n);
        uint32_t times = written_times(m->written, place, io->number);
        for (uint32_t i = 0; i < 8; i++)
            assert_true(fake.disks[0].writes[place * 8 + i] >= times);
    }
}

static void test_flushes(void **state)
{
    start(1, 1, 512, 512);
    flushes_checked = 0;
    fake.on_read = check_flush;
    fake_run(&app_job, "rw=randwrite runtime=5ms verify=1 fsync=10 iodepth=8 seed=5");
    uint64_t writes = way("write", "total_ios");
    assert_true(flushes_checked > 10);
    assert_int_equal(fake.disks[0].flushes, flushes_checked);
    assert_in_range(flushes_checked, writes / 10 - 1, writes / 10);
    assert_int_equal(way("sync", "total_ios"), flushes_checked);
    assert_int_equal(all("total_ios"), writes); // flushes are none of them
    expect_line(fake.console, "\nsync ");
    const char *durable = object("durable", "nvme0n1");
    assert_in_range(number(durable, "writes"), writes - 40, writes);
    expect_line(durable, "\"seed\":5,\"bs\":4096,\"random\":true,\"first\":0,\"places\":64,");
}

static void test_a_failed_flush_makes_nothing_durable(void **state)
{
    start(1, 1, 512, 512);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_op = BLOCK_FLUSH;
    fake_run(&app_job, "rw=write runtime=0 verify=1 fsync=10");
    assert_int_equal(number(object("durable", "nvme0n1"), "writes"), 0);
    assert_int_equal(way("sync", "errors"), 6);
    assert_int_equal(all("errors"), 6);
    expect_line(fake.error_message, "nvme0n1: flush of LBA 0, 0 blocks: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_lost_write_is_found, fake_stop),
        cmocka_unit_test_teardown(test_a_torn_write_is_found, fake_stop),
        cmocka_unit_test_teardown(test_a_misplaced_write_is_found, fake_stop),
        cmocka_unit_test_teardown(test_misplaced_data_are_found_where_they_lie, fake_stop),
        cmocka_unit_test_teardown(test_a_failed_write_is_no_verify_error, fake_stop),
        cmocka_unit_test_teardown(test_a_device_that_goes_ends_its_worker, fake_stop),
        cmocka_unit_test_teardown(test_nobody_waits_for_a_device_that_is_gone, fake_stop),
        cmocka_unit_test_teardown(test_a_later_job_checks_what_is_there, fake_stop),
        cmocka_unit_test_teardown(test_flushes, fake_stop),
        cmocka_unit_test_teardown(test_a_failed_flush_makes_nothing_durable, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
