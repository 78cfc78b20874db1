// SPDX-License-Identifier: BSD-2-Clause
// The job by streams: it reads what it reads without, counts it so, and says which way it took.
#include "apps/job.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static uint64_t all(const char *key)
{
    char text[64];
    const char *at = strstr(fake.json, "{\"type\":\"job\",\"filename\":\"all\"");
    snprintf(text, sizeof(text), "\"%s\":", key);
    assert_non_null(at);
    at = strstr(at, text);
    assert_non_null(at);
    return strtoull(at + strlen(text), NULL, 10);
}

static void start(unsigned cpus, unsigned disks)
{
    fake_start(cpus, disks, 4096, 64);
    fake.service_tsc = 10000;
    fake.has_streams = true;
}

static void each_block_was_read_once(const struct fake_disk *disk, unsigned blocks)
{
    for (unsigned i = 0; i < blocks; i++)
        assert_int_equal(disk->reads[i], 1);
}

static void sequential_reads_once(void **state)
{
    start(1, 2);
    fake_run(&app_job, "rw=read runtime=0 size=128k iodepth=4 clat=batch");
    for (unsigned i = 0; i < 2; i++)
        each_block_was_read_once(&fake.disks[i], 32);
    assert_int_equal(all("total_ios"), 64);
    assert_int_equal(all("submitted"), 64);
    assert_int_equal(all("N"), 64);
    assert_int_equal(all("streams"), 2);
    assert_int_equal(fake.turns, 64);
    assert_int_equal(fake.errors, 0);
    expect_line(fake.console, "2 of 2 workers read by streams");
    assert_null(fake.disks[0].stream);
}

// Turns of several, of blocks that are longer than the disk's; the last one is only in part, and the
// quota ends in its middle.
static void sequential_reads_once_in_turns(void **state)
{
    start(1, 1);
    fake.turn = 4;
    fake_run(&app_job, "rw=read runtime=0 size=240k bs=8k iodepth=8 clat=batch");
    each_block_was_read_once(&fake.disks[0], 60);
    assert_int_equal(fake.disks[0].reads[60], 0);
    assert_int_equal(all("total_ios"), 30);
    assert_int_equal(all("submitted"), 30);
    assert_int_equal(fake.turns, 30);
    assert_int_equal(fake.disks[0].turns_count, 0);
}

// Each time from where the last turn ended.
static void latency_in_turns(void **state)
{
    start(1, 1);
    fake.service_tsc = 10 * NS_PER_MS;
    fake.turn = 4;
    fake_run(&app_job, "rw=read runtime=0 size=256k iodepth=4 clat=batch");
    assert_int_equal(all("N"), 64);
    assert_in_range(all("max"), 40 * NS_PER_MS, 42 * NS_PER_MS);
    assert_in_range(all("mean"), 40 * NS_PER_MS, 42 * NS_PER_MS);
}

// Blocks come at random: some never, some more than once, but none again and again.
static void random_turns(void **state)
{
    unsigned once = 0, most = 0;
    start(1, 1);
    fake.turn = 4;
    fake_run(&app_job, "rw=randread runtime=0 size=256k iodepth=8 clat=batch");
    for (unsigned i = 0; i < 64; i++) {
        once += fake.disks[0].reads[i] > 0;
        most = MAX(most, fake.disks[0].reads[i]);
    }
    assert_in_range(once, 32, 48); // about 64 * (1 - 1 / e) = 40
    assert_in_range(most, 2, 8);
    assert_int_equal(all("total_ios"), 64);
}

static void random_reads_as_many_as_asked_for(void **state)
{
    start(2, 1);
    fake_run(&app_job, "rw=randread runtime=0 size=256k iodepth=8 clat=batch");
    assert_int_equal(all("total_ios"), 64);
    assert_int_equal(all("submitted"), 64);
    assert_int_equal(all("streams"), 1); // the fake disk has one
    assert_in_range(fake.turns, 1, 63);
}

static void for_a_time(void **state)
{
    start(1, 1);
    fake_run(&app_job, "rw=randread runtime=10ms iodepth=4 clat=batch");
    assert_in_range(all("runtime"), 10, 11);
    assert_int_equal(all("total_ios"), all("submitted"));
    assert_int_equal(all("total_ios"), fake.turns);
    assert_true(fake.turns > 100);
}

static void failures_leave_it(void **state)
{
    start(1, 1);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_lba = 7;
    fake_run(&app_job, "rw=read runtime=0 size=128k iodepth=4 clat=batch");
    assert_int_equal(all("total_ios"), 32);
    assert_int_equal(all("errors"), 1);
    assert_int_equal(fake.turns, 31);
}

static void only_where_the_words_allow(void **state)
{
    static const char *const words[] = { "", "clat=batch verify=1", "clat=batch urgent=5",
                                         "clat=batch iodepth=3" };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        char text[100];
        start(1, 1);
        snprintf(text, sizeof(text), "rw=read runtime=0 size=64k iodepth=4 %s", words[i]);
        fake_run(&app_job, text);
        assert_int_equal(all("streams"), 0);
        assert_int_equal(fake.turns, 0);
        assert_int_equal(all("total_ios"), 16);
        fake_stop(state);
    }
    start(1, 1);
}

// A queue that is another's stream already: then not by the other queues either.
static void all_queues_or_none(void **state)
{
    start(1, 1);
    fake.disks[0].dev.channels = 2; // the fake disk has one stream
    fake_run(&app_job, "rw=read runtime=0 size=128k iodepth=8 clat=batch");
    assert_int_equal(all("total_ios"), 32);
    assert_int_equal(all("streams"), 0);
    assert_int_equal(fake.turns, 0);
    assert_null(fake.disks[0].stream);
}

#define stream_test(f) cmocka_unit_test_teardown(f, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        stream_test(sequential_reads_once),
        stream_test(sequential_reads_once_in_turns),
        stream_test(latency_in_turns),
        stream_test(random_turns),
        stream_test(random_reads_as_many_as_asked_for),
        stream_test(for_a_time),
        stream_test(failures_leave_it),
        stream_test(only_where_the_words_allow),
        stream_test(all_queues_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
