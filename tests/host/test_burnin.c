// SPDX-License-Identifier: BSD-2-Clause
// app=burnin on a fake machine: what it writes, what it finds, whom it leaves alone, what it tells.
#include "apps/burnin.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static const char *object(const char *filename)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"type\":\"burnin\",\"filename\":\"%s\"", filename);
    const char *at = strstr(fake.json, text);
    if (!at)
        fail_msg("no burnin object of %s in %s", filename, fake.json);
    return at;
}

static uint64_t number(const char *filename, const char *part, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":", part);
    const char *at = strstr(object(filename), text);
    snprintf(text, sizeof(text), "\"%s\":", key);
    at = at ? strstr(at, text) : NULL;
    if (!at)
        fail_msg("no %s of %s", key, part);
    return strtoull(at + strlen(text), NULL, 10);
}

static uint64_t blocks(const char *filename, const char *verdict)
{
    return number(filename, "blocks", verdict);
}

static void expect_ok(const char *filename, bool ok)
{
    const char *at = strstr(object(filename), "\"ok\":");
    assert_int_equal(at[5] == 't', ok);
}

static void start(unsigned cpus, unsigned disks, uint32_t block_size, uint64_t count)
{
    fake_start(cpus, disks, block_size, count);
    for (unsigned i = 0; i < disks; i++)
        fake_writable(&fake.disks[i]);
    fake.no_overlap = true;
}

// ---- what it writes and reads ----

static void test_all_is_written_and_read_back(void **state)
{
    start(2, 3, 512, 1003); // 125 I/Os of 4 KiB, and one that is shorter
    fake_run(&app_burnin, "bs=4k passes=3 seed=9 iodepth=7");
    for (unsigned d = 0; d < 3; d++)
        for (unsigned lba = 0; lba < 1003; lba++) {
            assert_int_equal(fake.disks[d].writes[lba], 3);
            assert_int_equal(fake.disks[d].reads[lba], 3);
        }
    assert_int_equal(fake.errors, 0);
    assert_int_equal(fake.disks[0].flushes, 3);
    assert_in_range(fake.disks[0].most_in_flight, 2, 7);
    expect_ok("nvme2n1", true);
    assert_int_equal(number("nvme2n1", "write", "total_ios"), 3 * 126);
    assert_int_equal(number("nvme2n1", "write", "io_bytes"), 3 * 1003 * 512);
    assert_int_equal(number("nvme2n1", "read", "io_bytes"), 3 * 1003 * 512);
    assert_int_equal(number("nvme2n1", "read", "N"), 3 * 126);
    assert_int_equal(blocks("nvme2n1", "good"), 3 * 1003);
    expect_line(object("nvme2n1"), "\"serial\":\"SERIAL2\",\"ok\":true,\"size\":513536,\"bs\":4096,"
                                   "\"iodepth\":7,\"passes\":3,\"seed\":9,");
    expect_line(fake.console, "burnin: ok: 3 of 3 disks good after ");
    for (unsigned cpu = 0; cpu < 2; cpu++) // one each, in turns
        assert_true(fake.stats[cpu].msis > 0);
    assert_null(fake.timers);
}

static void test_the_data_are_patterns(void **state)
{
    start(1, 1, 4096, 64);
    fake_run(&app_burnin, "bs=8k passes=2 seed=9");
    struct pattern_id id = { .tag = stamp_tag("SERIAL0", 1), .seed = 9 };
    struct problem p;
    for (id.lba = 0; id.lba < 64; id.lba++)
        assert_int_equal(pattern_check(fake.disks[0].data + id.lba * 4096, 4096, &id, 2, 2, &p),
                         PATTERN_GOOD);
}

// Reads begin once all is written and flushed: else they would find what is in a cache.
static void check_order(const struct block_req *req)
{
    const struct fake_disk *disk = (const struct fake_disk *)req->dev;
    for (unsigned lba = 0; lba < 64 && req->op != BLOCK_WRITE; lba++)
        assert_int_equal(disk->writes[lba], 1);
    if (req->op == BLOCK_READ)
        assert_int_equal(disk->flushes, 1);
}

static void test_reads_follow_the_flush(void **state)
{
    start(1, 2, 512, 64);
    fake.on_read = check_order;
    fake_run(&app_burnin, "bs=1k iodepth=4");
    assert_int_equal(fake.errors, 0);
}

static void test_size(void **state)
{
    start(1, 1, 512, 512);
    fake_run(&app_burnin, "size=33k bs=8k");
    for (unsigned lba = 0; lba < 512; lba++)
        assert_int_equal(fake.disks[0].writes[lba], lba < 66);
    expect_ok("nvme0n1", true);
    assert_int_equal(blocks("nvme0n1", "good"), 66);
}

static void test_data_differ_in_each_run(void **state)
{
    static uint8_t first[512];
    for (unsigned run = 0; run < 2; run++) {
        start(1, 1, 512, 8);
        fake.tsc += run;
        fake_run(&app_burnin, "");
        assert_true(!run || memcmp(first, fake.disks[0].data, 512));
        memcpy(first, fake.disks[0].data, 512);
        fake_stop(NULL);
    }
}

static bool tell_health(struct block_dev *dev, struct block_health *out)
{
    const struct fake_disk *disk = (const struct fake_disk *)dev;
    *out = (struct block_health){ .bytes_read = disk->reads[0], .kelvin = 300 };
    return true;
}

// What the disk says of itself before all and after all.
static void test_health(void **state)
{
    start(1, 1, 512, 64);
    fake.disks[0].dev.health = tell_health;
    fake_run(&app_burnin, "passes=2");
    expect_line(fake.json, "{\"type\":\"health\",\"filename\":\"nvme0n1\"");
    expect_line(strstr(fake.json, "\"health\""), "\"bytes_read\":2,");
}

// ---- whom it leaves alone ----

static void test_only_what_may_be_written_is(void **state)
{
    start(2, 4, 512, 64);
    fake.disks[1].dev.writable = fake.disks[2].dev.writable = false;
    fake_run(&app_burnin, "");
    for (unsigned d = 0; d < 4; d++)
        assert_int_equal(fake.disks[d].writes[0], d == 0 || d == 3);
    expect_line(fake.console, "burnin: ok: 2 of 2 disks good");
}

static void expect_refused(const char *words, const char *what, const char *message)
{
    fake.errors = 0;
    fake_run(&app_burnin, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, what);
    assert_string_equal(fake.error_message, message);
    assert_int_equal(fake.submitted, 0);
    assert_int_equal(fake.json[0], 0);
    for (size_t i = 0; i < fake.allocations_count; i++)
        free(fake.allocations[i].at);
    fake.allocations_count = 0;
}

static void test_who_is_named_must_be_allowed(void **state)
{
    start(2, 3, 512, 64);
    fake.disks[1].dev.writable = false;
    strcpy(fake.disks[1].dev.serial, "A B");
    expect_refused("filename=nvme0n1:nvme1n1:nvme2n1", "disk-not-allowed",
                   "nvme1n1 (serial \"A B\") may not be written to; if all that it holds may be "
                   "lost, say allow-write=A%20B");
    fake.disks[0].dev.writable = fake.disks[2].dev.writable = false;
    expect_refused("", "disk-not-allowed",
                   "nvme0n1 (serial \"SERIAL0\") may not be written to; if all that it holds may "
                   "be lost, say allow-write=SERIAL0");
}

static void test_bad_words(void **state)
{
    start(1, 1, 4096, 64);
    expect_refused("bs=5k", "burnin-bs",
                   "bs=5120: nvme0n1 has blocks of 4096 bytes; give a multiple of that");
    expect_refused("size=1k", "burnin-size",
                   "size=1024: nvme0n1 has blocks of 4096 bytes; give more");
    fake.free_bytes = MIB;
    expect_refused("bs=1m", "burnin-memory",
                   "1 disks with iodepth=16 and bs=1048576 need 17 MiB, and 1 MiB are free; lower "
                   "iodepth=, or the number of disks");
}

// ---- what it finds ----

static void expect_bad(const char *verdict, uint64_t count, const char *told)
{
    fake_run(&app_burnin, "passes=2 bs=8k seed=3");
    expect_ok("nvme0n1", false);
    expect_ok("nvme1n1", true);
    assert_int_equal(blocks("nvme0n1", verdict), count);
    expect_line(fake.errors_told, told);
    expect_line(fake.console, "burnin: failed: 1 of 2 disks good after ");
}

static void test_a_lost_write(void **state)
{
    start(1, 2, 4096, 16);
    fake.disks[0].lost_lba = 7;
    expect_bad(
        "stale", 1,
        "verify-stale: nvme0n1: LBA 7 is stale: it holds write 1 where write 2 is acknowledged");
    expect_line(fake.console, "burnin: nvme0n1 (, serial \"SERIAL0\") failed: 0 errors, 1 bad "
                              "blocks: 1 stale\n");
}

static void test_a_torn_write(void **state)
{
    start(1, 2, 4096, 16);
    fake.disks[0].torn_lba = 7;
    expect_bad("torn", 1, "verify-torn: nvme0n1: LBA 7 is torn at byte 2048: write 2 of LBA 7");
}

// The neighbour's own write lies over it, or doesn't: what was to be written is missing.
static void test_a_misplaced_write(void **state)
{
    start(1, 2, 4096, 16);
    fake.disks[0].misplaced_lba = 7;
    expect_bad("stale", 1, "verify-stale: nvme0n1: LBA 7 is stale");
}

static void test_damaged_data(void **state)
{
    start(1, 2, 4096, 16);
    fake.disks[0].damaged_lba = 9;
    expect_bad("corrupt", 2, "verify-crc: nvme0n1: LBA 9 is corrupt: bytes 3584 to 4095 ");
    assert_int_equal(number("nvme0n1", "errors", "verify_errors"), 2);
}

static void test_few_errors_are_told(void **state)
{
    start(1, 1, 4096, 16);
    fake.disks[0].damaged_lba = 9;
    fake_run(&app_burnin, "passes=20");
    assert_int_equal(blocks("nvme0n1", "corrupt"), 20);
    assert_int_equal(blocks("nvme0n1", "good"), 300);
    assert_int_equal(fake.errors, 5);
}

// ---- what fails ----

static void test_a_write_error_is_no_bad_block(void **state)
{
    start(1, 2, 512, 64);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_op = BLOCK_WRITE;
    fake.disks[0].bad_lba = 9;
    fake_run(&app_burnin, "bs=1k");
    expect_ok("nvme0n1", false);
    expect_ok("nvme1n1", true);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, "burnin-io");
    assert_string_equal(fake.error_message, "nvme0n1: write of LBA 8, 2 blocks: the device reports "
                                            "an error (status 0x281)");
    assert_int_equal(number("nvme0n1", "write", "errors"), 1);
    assert_int_equal(blocks("nvme0n1", "good"), 62);
    assert_int_equal(number("nvme0n1", "errors", "verify_errors"), 0);
}

static void test_a_read_error(void **state)
{
    start(1, 1, 512, 64);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_lba = 9;
    fake_run(&app_burnin, "bs=1k");
    expect_ok("nvme0n1", false);
    assert_int_equal(number("nvme0n1", "read", "errors"), 1);
    assert_int_equal(blocks("nvme0n1", "good"), 62);
}

static void test_a_flush_error(void **state)
{
    start(1, 1, 512, 64);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_op = BLOCK_FLUSH;
    fake_run(&app_burnin, "");
    expect_ok("nvme0n1", false);
    assert_int_equal(number("nvme0n1", "sync", "errors"), 1);
    assert_int_equal(blocks("nvme0n1", "good"), 64); // it goes on
}

static void test_a_disk_that_goes(void **state)
{
    static const enum block_status ends[] = { BLOCK_GONE, BLOCK_TIMEOUT };
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        start(1, 2, 512, 64);
        fake.disks[0].bad_status = ends[i];
        fake.disks[0].bad_op = BLOCK_WRITE;
        fake.disks[0].bad_lba = 40;
        fake_run(&app_burnin, "bs=512 iodepth=1");
        expect_ok("nvme0n1", false);
        expect_ok("nvme1n1", true);
        assert_int_equal(fake.disks[0].writes[41], 0);
        assert_int_equal(fake.disks[0].flushes, 0);
        expect_line(fake.console, "failed: 1 errors, 0 bad blocks, given up\n");
        fake_stop(NULL);
    }
}

// ---- how far it is ----

static void test_progress_and_time_left(void **state)
{
    start(1, 1, 512, 4096);
    fake.service_tsc = 10000000; // 512 I/Os of 10 ms each, 256 of them writes
    fake_run(&app_burnin, "bs=8k iodepth=1");
    const char *at = strstr(fake.console, "burnin: 1");
    assert_non_null(at);
    unsigned percent = (unsigned)strtoul(at + 8, NULL, 10);
    assert_in_range(percent, 18, 21);
    expect_line(at, "% after 1 s, ");
    expect_line(at, " 5 s left\n"); // 4.1
    unsigned lines = 0;
    while ((at = strstr(at, "% after"))) {
        at++;
        lines++;
    }
    assert_int_equal(lines, 2);             // after 1 and 3 s
    assert_int_equal(fake.timers_fired, 5); // the panel and temperatures, each second
}

static void test_the_slowest_disk_tells_the_time_left(void **state)
{
    static struct burnin_disk disks[2];
    static struct burnin b = { .passes = 1, .disks = { .count = 2 } };
    struct burnin_disk *list[2] = { &disks[0], &disks[1] };
    start(1, 2, 512, 64);
    b.list = list;
    for (unsigned i = 0; i < 2; i++) {
        disks[i].burnin = &b;
        disks[i].dev = &fake.disks[i].dev;
        disks[i].region = 1000;
        disks[i].io_blocks = 8;
        disks[i].places = 125;
        disks[i].plan = (struct burnin_plan){ { BURNIN_WRITE, BURNIN_FLUSH, BURNIN_READ }, 3 };
    }
    disks[0].done = 1000; // of 2000
    disks[1].done = 10;
    b.began_ns = time_ns() - 60 * NS_PER_S;
    burnin_show_progress(&b);
    expect_line(fake.console, "burnin: 25.2% after 1 min 0 s, ");
    expect_line(fake.console, " 3 h 19 min left\n");
    disks[0].done = disks[1].done = 0;
    burnin_show_progress(&b);
    expect_line(fake.console, "burnin: 0.0% after 1 min 0 s, 0.0 MB/s, unknown time left\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_is_written_and_read_back, fake_stop),
        cmocka_unit_test_teardown(test_the_data_are_patterns, fake_stop),
        cmocka_unit_test_teardown(test_reads_follow_the_flush, fake_stop),
        cmocka_unit_test_teardown(test_size, fake_stop),
        cmocka_unit_test_teardown(test_data_differ_in_each_run, fake_stop),
        cmocka_unit_test_teardown(test_health, fake_stop),
        cmocka_unit_test_teardown(test_only_what_may_be_written_is, fake_stop),
        cmocka_unit_test_teardown(test_who_is_named_must_be_allowed, fake_stop),
        cmocka_unit_test_teardown(test_bad_words, fake_stop),
        cmocka_unit_test_teardown(test_a_lost_write, fake_stop),
        cmocka_unit_test_teardown(test_a_torn_write, fake_stop),
        cmocka_unit_test_teardown(test_a_misplaced_write, fake_stop),
        cmocka_unit_test_teardown(test_damaged_data, fake_stop),
        cmocka_unit_test_teardown(test_few_errors_are_told, fake_stop),
        cmocka_unit_test_teardown(test_a_write_error_is_no_bad_block, fake_stop),
        cmocka_unit_test_teardown(test_a_read_error, fake_stop),
        cmocka_unit_test_teardown(test_a_flush_error, fake_stop),
        cmocka_unit_test_teardown(test_a_disk_that_goes, fake_stop),
        cmocka_unit_test_teardown(test_progress_and_time_left, fake_stop),
        cmocka_unit_test_teardown(test_the_slowest_disk_tells_the_time_left, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
