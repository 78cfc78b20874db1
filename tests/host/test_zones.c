// SPDX-License-Identifier: BSD-2-Clause
// app=zones on a fake machine whose disk has zones.
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define ZONE 32 // blocks of 512 bytes
#define ZONES 128

static struct {
    uint64_t used[ZONES]; // blocks
    bool full[ZONES];
    bool nonsense; // what reports say
    unsigned reports, finishes, resets;
} zoned;

static bool read_zones(const struct block_dev *dev, const void *report, size_t bytes,
                       uint64_t first, struct block_zone *out, size_t most, size_t *count,
                       struct problem *p)
{
    assert_memory_equal(report, "report", 6);
    if (zoned.nonsense)
        return problem_set(p, "nvme-zones", "%s: nonsense", dev->name);
    uint64_t zone = first / ZONE, there = MIN((bytes - 64) / 64, (size_t)(ZONES - zone));
    for (*count = 0; *count < MIN(most, there); zone++)
        out[(*count)++] = (struct block_zone){
            .start = zone * ZONE,
            .capacity = ZONE - 4,
            .write_pointer = zone * ZONE + (zoned.full[zone] ? ZONE - 4 : zoned.used[zone]),
            .state = zoned.full[zone]   ? "full"
                     : zoned.used[zone] ? "open"
                                        : "empty",
        };
    return true;
}

static void act(struct block_req *req)
{
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    uint64_t zone = req->lba / ZONE, at = req->lba + zoned.used[zone];
    switch (req->op) {
    case BLOCK_ZONE_REPORT:
        zoned.reports++;
        memcpy(req->buffer, "report", 6);
        return;
    case BLOCK_ZONE_APPEND:
        memcpy(disk->data + at * 512, req->buffer, req->blocks * 512ul);
        zoned.used[zone] += req->blocks;
        req->lba = at;
        return;
    case BLOCK_ZONE_FINISH:
        zoned.finishes++;
        zoned.full[zone] = true;
        return;
    case BLOCK_ZONE_RESET:
        zoned.resets++;
        zoned.full[zone] = false;
        zoned.used[zone] = 0;
        return;
    default:
        return;
    }
}

static int begin(void **state)
{
    memset(&zoned, 0, sizeof(zoned));
    fake_start(1, 2, 512, ZONE * ZONES);
    fake_writable(&fake.disks[0]);
    struct block_dev *dev = &fake.disks[0].dev;
    dev->read_zones = read_zones;
    dev->max_transfer = 64 * KIB;
    dev->limits = (struct block_limits){ .zone = ZONE * 512, .max_append = 16 * KIB };
    fake.on_other = act;
    return 0;
}

static void fails(const char *words, const char *what, const char *text)
{
    fake_run(&app_zones, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, what);
    expect_line(fake.error_message, text);
}

static void all_are_reported(void **state)
{
    zoned.used[3] = 5;
    zoned.full[127] = true;
    fake_run(&app_zones, "");
    assert_int_equal(fake.errors, 0);
    expect_line(fake.console, "nvme0n1    zone 0 at LBA 0: empty, 0 of 28 blocks\n");
    expect_line(fake.console, "nvme0n1    zone 3 at LBA 96: open, 5 of 28 blocks\n");
    expect_line(fake.console, "nvme0n1    zone 127 at LBA 4064: full, 28 of 28 blocks\n");
    expect_line(fake.json, "{\"type\":\"zone\",\"filename\":\"nvme0n1\",\"zone\":3,\"start\":96,"
                           "\"capacity\":28,\"write_pointer\":101,\"state\":\"open\"}");
    assert_null(strstr(fake.console, "nvme1n1"));
    assert_int_equal(zoned.reports, 3); // 63 in each
}

static void one_is_reported(void **state)
{
    fake_run(&app_zones, "zone=58");
    expect_line(fake.console, "zone 58 at LBA 1856: empty");
    assert_null(strstr(fake.console, "zone 59"));
}

static void steps_in_order(void **state)
{
    fake_run(&app_zones, "zone=2 blocks=7 do=append:append:finish:reset:append");
    assert_int_equal(fake.errors, 0);
    expect_line(fake.console, "nvme0n1    7 blocks appended at LBA 64, and read back\n"
                              "nvme0n1    zone 2 at LBA 64: open, 7 of 28 blocks\n"
                              "nvme0n1    7 blocks appended at LBA 71, and read back\n"
                              "nvme0n1    zone 2 at LBA 64: open, 14 of 28 blocks\n"
                              "nvme0n1    zone 2 at LBA 64: full, 28 of 28 blocks\n"
                              "nvme0n1    zone 2 at LBA 64: empty, 0 of 28 blocks\n"
                              "nvme0n1    7 blocks appended at LBA 64, and read back\n");
    assert_int_equal(zoned.finishes, 1);
    assert_int_equal(zoned.resets, 1);
}

static void what_is_read_back_differs(void **state)
{
    fake.disks[0].damaged_lba = 33;
    fails("zone=1 blocks=3 do=append", "zones-data",
          "nvme0n1: byte 1023 of what was appended at LBA 32 is another");
}

static void refusals(void **state)
{
    static const struct {
        const char *words, *what, *text;
    } cases[] = {
        { "do=erase", "zones-do",
          "do=erase: each of its steps is report, append, finish or reset" },
        { "do=reset: zone=1", "zones-do", "do=reset:: each of its steps" },
        { "do=resets zone=1", "zones-do", "do=resets" },
        { "zone=128", "zones-number", "zone=128: nvme0n1 has zones 0 to 127" },
        { "zone=1 do=append blocks=33", "zones-blocks", "takes appends of up to 32 blocks" },
        { "filename=nvme1n1", "zones-none", "none of these disks has zones" },
        { "filename=nvme7n1", "job-no-such-disk", "nvme7n1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fake_stop(NULL);
        begin(NULL);
        fails(cases[i].words, cases[i].what, cases[i].text);
        assert_int_equal(fake.submitted, 0);
    }
}

static void not_named(void **state)
{
    fake.disks[0].dev.writable = false;
    fails("zone=1 do=reset", "disk-not-allowed", "allow-write=SERIAL0");
    assert_int_equal(fake.submitted, 0);
}

// Nothing follows what failed.
static void failures(void **state)
{
    static const struct {
        enum block_op op;
        const char *words;
    } cases[] = {
        { BLOCK_ZONE_REPORT, "" },
        { BLOCK_ZONE_APPEND, "zone=1 do=append" },
        { BLOCK_READ, "zone=1 do=append" },
        { BLOCK_ZONE_RESET, "zone=1 do=reset" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fake_stop(NULL);
        begin(NULL);
        fake.disks[0].bad_status = BLOCK_ERROR;
        fake.disks[0].bad_op = cases[i].op;
        fake.disks[0].bad_lba = cases[i].op == BLOCK_ZONE_REPORT ? 0 : ZONE;
        fails(cases[i].words, "zones-io", "nvme0n1: the disk refused it at LBA");
        assert_null(strstr(fake.console, "read back"));
    }
}

static void nonsense(void **state)
{
    zoned.nonsense = true;
    fails("", "nvme-zones", "nvme0n1: nonsense");
}

#define zones_test(f) cmocka_unit_test_setup_teardown(f, begin, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        zones_test(all_are_reported), zones_test(one_is_reported),
        zones_test(steps_in_order),   zones_test(what_is_read_back_differs),
        zones_test(refusals),         zones_test(not_named),
        zones_test(failures),         zones_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
