// SPDX-License-Identifier: BSD-2-Clause
// app=burnin with other steps than to write and read: each does what it says to each block, each finds
// what is wrong, and what a disk doesn't have is left out.
#include "apps/burnin.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define ALL "write:read:compare:verify:copy:read:compare:zeroes:read:compare:copy:read:compare:trim"

static unsigned zeroed[FAKE_LBAS], verified[FAKE_LBAS], compared, differed, copies, ranges;
static uint64_t zero_lost, copy_lost; // blocks whose zeroes, or copies, are lost
static bool blind;                    // comparisons find no difference

void warn(const char *what, const char *fmt, ...)
{
    char message[512], line[640];
    va_list args;
    va_start(args, fmt);
    format_text_v(message, sizeof(message), fmt, args);
    va_end(args);
    format_text(line, sizeof(line), "warning: %s: %s", what, message);
    fake_append(fake.console, sizeof(fake.console), line);
}

static uint8_t *at(const struct block_req *req, uint64_t lba)
{
    return ((struct fake_disk *)req->dev)->data + lba * req->dev->block_size;
}

static void compare(struct block_req *req)
{
    size_t bytes = (size_t)req->blocks * req->dev->block_size;
    compared++;
    if (blind || !memcmp(at(req, req->lba), req->buffer, bytes))
        return;
    differed++;
    req->status = BLOCK_DIFFERS;
}

static void copy(struct block_req *req)
{
    uint64_t lba = req->lba, end = req->lba + req->blocks;
    copies++;
    for (const struct block_source *source = req->sources; lba < end; source++, ranges++) {
        assert_true(source->blocks && source->blocks <= end - lba);
        assert_true(source->lba + source->blocks <= req->lba || source->lba >= end);
        for (uint32_t i = 0; i < source->blocks; i++, lba++)
            if (lba != copy_lost)
                memcpy(at(req, lba), at(req, source->lba + i), req->dev->block_size);
    }
}

static void carry_out(struct block_req *req)
{
    for (uint32_t i = 0; i < req->blocks; i++) {
        uint64_t lba = req->lba + i;
        zeroed[lba] += req->op == BLOCK_WRITE_ZEROES;
        verified[lba] += req->op == BLOCK_VERIFY;
        if (req->op == BLOCK_WRITE_ZEROES && lba != zero_lost)
            memset(at(req, lba), 0, req->dev->block_size);
    }
    if (req->op == BLOCK_COMPARE)
        compare(req);
    if (req->op == BLOCK_COPY)
        copy(req);
}

static void start(unsigned disks, uint32_t block_size, uint64_t count)
{
    fake_start(2, disks, block_size, count);
    for (unsigned i = 0; i < disks; i++)
        fake_writable(&fake.disks[i]);
    fake.no_overlap = true;
    fake.on_other = carry_out;
    memset(zeroed, 0, sizeof(zeroed));
    memset(verified, 0, sizeof(verified));
    compared = differed = copies = ranges = 0;
    zero_lost = copy_lost = NO_LBA;
    blind = false;
}

static uint64_t number(const char *part, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":", part);
    const char *found = strstr(strstr(fake.json, "\"type\":\"burnin\""), text);
    snprintf(text, sizeof(text), "\"%s\":", key);
    found = found ? strstr(found, text) : NULL;
    if (!found)
        fail_msg("no %s of %s in %s", key, part, fake.json);
    return strtoull(found + strlen(text), NULL, 10);
}

static void is_ok(bool ok)
{
    expect_line(fake.json, ok ? "\"ok\":true" : "\"ok\":false");
}

// ---- what they do ----

// 126 places of 8 blocks, the last one of three.
static void all_steps(void **state)
{
    start(1, 512, 1003);
    fake_run(&app_burnin, "bs=4k passes=3 seed=9 iodepth=7 steps=" ALL);
    for (unsigned lba = 0; lba < 1003; lba++) {
        assert_int_equal(fake.disks[0].writes[lba], 3);
        assert_int_equal(fake.disks[0].reads[lba], 4 * 3);
        assert_int_equal(fake.disks[0].trims[lba], 3);
        assert_int_equal(zeroed[lba], 3);
        assert_int_equal(verified[lba], 3);
    }
    assert_int_equal(fake.disks[0].flushes, 5 * 3);
    assert_int_equal(compared, 4 * 3 * (126 + 8)); // places 0, 16, ... 112 twice
    assert_int_equal(differed, 4 * 3 * 8);
    assert_int_equal(copies, 2 * 3 * 63);
    assert_int_equal(ranges, 2 * copies);
    assert_int_equal(fake.errors, 0);
    is_ok(true);
    expect_line(fake.json, "\"steps\":\"" ALL "\"");
    assert_int_equal(number("blocks", "good"), 4 * 3 * 1003);
    assert_int_equal(number("compare", "io_bytes"), 4 * 3 * 1003 * 512);
    assert_int_equal(number("verify", "io_bytes"), 3 * 1003 * 512);
    assert_int_equal(number("zeroes", "io_bytes"), 3 * 1003 * 512);
    assert_int_equal(number("trim", "io_bytes"), 3 * 1003 * 512);
    assert_int_equal(number("copy", "io_bytes"), 2 * 3 * (1003 - 63 * 8) * 512);
    assert_int_equal(number("sync", "total_ios"), 5 * 3);
    expect_line(fake.console, "burnin: nvme0n1: compare: ");
}

static void what_a_copy_leaves(void **state)
{
    struct pattern_id id = { .tag = stamp_tag("SERIAL0", 1), .seed = 9 };
    struct problem p;
    start(1, 4096, 15); // places of two blocks: three are copied, the last, of one, is not
    fake_run(&app_burnin, "bs=8k passes=2 seed=9 steps=write:copy:read");
    for (unsigned lba = 0; lba < 15; lba++) {
        id.lba = lba < 8 ? lba : lba - 8;
        assert_int_equal(pattern_check(fake.disks[0].data + lba * 4096ull, 4096, &id, 2, 2, &p),
                         PATTERN_GOOD);
    }
    is_ok(true);
}

static void one_block_at_a_time(void **state)
{
    start(1, 512, 9);
    fake_run(&app_burnin, "bs=512 steps=write:copy:read:compare");
    assert_int_equal(copies, 4);
    assert_int_equal(ranges, 4);
    is_ok(true);
}

static void too_small_for_a_copy(void **state)
{
    start(1, 512, 8);
    fake_run(&app_burnin, "bs=4k steps=write:copy:read");
    assert_int_equal(copies, 0);
    is_ok(true);
}

static void more_disks_than_one(void **state)
{
    start(3, 512, 64);
    fake_run(&app_burnin, "bs=1k passes=2 steps=" ALL);
    assert_int_equal(fake.errors, 0);
    expect_line(fake.console, "burnin: ok: 3 of 3 disks good after ");
}

// ---- what they find ----

static void found(const char *error, const char *verdict, uint64_t count)
{
    is_ok(false);
    expect_line(fake.errors_told, error);
    assert_int_equal(number("blocks", verdict), count);
}

static void zeroes_that_are_lost(void **state)
{
    start(1, 512, 64);
    zero_lost = 9;
    fake_run(&app_burnin, "bs=4k steps=write:zeroes:read");
    found("verify-zeroes: nvme0n1: LBA 9 holds 4fh at byte 0, where zeroes were written", "corrupt",
          1);
    assert_int_equal(number("blocks", "good"), 63);
}

static void a_copy_that_is_lost(void **state)
{
    start(1, 512, 64);
    copy_lost = 40;
    fake_run(&app_burnin, "bs=4k steps=write:copy:read");
    found("verify-lba: nvme0n1: LBA 40 holds the data of LBA 40", "misplaced", 1);
}

static void what_differs(void **state)
{
    start(1, 512, 64);
    zero_lost = 9;
    fake_run(&app_burnin, "bs=4k steps=write:zeroes:compare");
    is_ok(false);
    expect_line(fake.errors_told, "burnin-io: nvme0n1: compare of LBA 8, 8 blocks: it has other "
                                  "data than were written");
    assert_int_equal(number("compare", "errors"), 1);
}

static void comparisons_that_find_nothing(void **state)
{
    start(1, 512, 512);
    blind = true;
    fake_run(&app_burnin, "bs=4k steps=write:compare");
    is_ok(false);
    expect_line(fake.errors_told, "burnin-io: nvme0n1: compare of LBA 128, 8 blocks: it takes data "
                                  "with one bit flipped for the same");
    assert_int_equal(number("compare", "errors"), 4);
}

static void fails(enum block_op op, enum block_status status, uint64_t lba, const char *steps)
{
    char words[128];
    start(1, 512, 64);
    fake.disks[0].bad_op = op;
    fake.disks[0].bad_status = status;
    fake.disks[0].bad_lba = lba;
    snprintf(words, sizeof(words), "bs=1k iodepth=1 steps=%s", steps);
    fake_run(&app_burnin, words);
    is_ok(false);
}

// What is there then isn't known, and isn't judged.
static void an_error_is_no_bad_block(void **state)
{
    static const struct {
        enum block_op op;
        const char *steps, *step;
        uint64_t lba, good;
    } errors[] = {
        { BLOCK_WRITE_ZEROES, "write:zeroes:read", "zeroes", 41, 62 },
        { BLOCK_COPY, "write:copy:read", "copy", 41, 32 },
        { BLOCK_VERIFY, "write:verify:read", "verify", 41, 64 },
        { BLOCK_COMPARE, "write:compare:read", "compare", 41, 64 },
        { BLOCK_WRITE, "write:compare:copy:compare:read", "write", 5, 60 },
        { BLOCK_WRITE, "write:copy:read", "write", 41, 64 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        fails(errors[i].op, BLOCK_ERROR, errors[i].lba, errors[i].steps);
        assert_int_equal(fake.errors, 1);
        assert_int_equal(number(errors[i].step, "errors"), 1);
        assert_int_equal(number("errors", "verify_errors"), 0);
        assert_int_equal(number("blocks", "good"), errors[i].good);
        fake_stop(NULL);
    }
}

static void a_disk_that_goes(void **state)
{
    fails(BLOCK_COPY, BLOCK_GONE, 41, "write:copy:read");
    assert_int_equal(fake.disks[0].reads[0], 0);
    expect_line(fake.console, "failed: 1 errors, 0 bad blocks, given up\n");
}

// ---- what is left out ----

static void without(unsigned ops, const char *steps, const char *left)
{
    char words[256];
    start(1, 512, 64);
    fake.disks[0].dev.ops &= ~ops;
    snprintf(words, sizeof(words), "steps=%s", steps);
    fake_run(&app_burnin, words);
    snprintf(words, sizeof(words), "\"steps\":\"%s\"", left);
    expect_line(fake.json, words);
    is_ok(true);
}

static void what_a_disk_lacks(void **state)
{
    without(BIT32(BLOCK_VERIFY), "write:verify:read", "write:read");
    expect_line(
        fake.console,
        "warning: burnin-step: nvme0n1: step verify is left out: the disk has no such command");
    fake_stop(NULL);
    without(BIT32(BLOCK_COMPARE) | BIT32(BLOCK_COPY), ALL,
            "write:read:verify:read:zeroes:read:read:trim");
    fake_stop(NULL);
    without(BIT32(BLOCK_WRITE_ZEROES), "zeroes:read:verify", "verify");
    expect_line(fake.console, "step read is left out: nothing is known of what is there then");
    fake_stop(NULL);
    without(BIT32(BLOCK_WRITE_ZEROES) | BIT32(BLOCK_VERIFY), "zeroes:read:verify", "");
}

static void refuses(const char *words, const char *message)
{
    start(1, 512, 64);
    fake_run(&app_burnin, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, "burnin-steps");
    assert_string_equal(fake.error_message, message);
    assert_int_equal(fake.submitted, 0);
    fake_stop(NULL);
}

static void steps_that_make_no_sense(void **state)
{
    refuses("steps=write:erase", "steps=: \"erase\" is none of write, read, compare, verify, "
                                 "zeroes, trim and copy");
    refuses("steps=write:", "steps=: \"\" is none of write, read, compare, verify, zeroes, trim "
                            "and copy");
    refuses("steps=write:sync", "steps=: \"sync\" is none of write, read, compare, verify, "
                                "zeroes, trim and copy");
    refuses("steps=read", "steps=: what read would look at isn't known; put write or zeroes ahead "
                          "of it");
    refuses("steps=write:trim:copy",
            "steps=: what copy would look at isn't known; put write or zeroes ahead of it");
    refuses("steps=write:write:write:write:write:write:write:write:write:write:write:write:write:"
            "write:write:write:write",
            "steps=: more than 16 steps; use passes=");
    start(1, 512, 64);
    fake_run(&app_burnin, "steps=write:write:write:write:write:write:write:write:write:write:write:"
                          "write:write:write:write:write");
    is_ok(true);
}

// ---- how far it is ----

// Copies are half as many.
static void progress(void **state)
{
    start(1, 512, 4096);
    fake.service_tsc = 10000000; // 10 ms each: 256 writes, 256 reads, 128 copies, 4 flushes
    fake_run(&app_burnin, "bs=8k iodepth=1 steps=write:copy:read");
    expect_line(fake.console, "burnin: 15.");
    expect_line(fake.console, "% after 1 s, ");
    expect_line(fake.console, " 6 s left\n"); // 5.4
}

#define steps_test(f) cmocka_unit_test_teardown(f, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        steps_test(all_steps),
        steps_test(what_a_copy_leaves),
        steps_test(one_block_at_a_time),
        steps_test(too_small_for_a_copy),
        steps_test(more_disks_than_one),
        steps_test(zeroes_that_are_lost),
        steps_test(a_copy_that_is_lost),
        steps_test(what_differs),
        steps_test(comparisons_that_find_nothing),
        steps_test(an_error_is_no_bad_block),
        steps_test(a_disk_that_goes),
        steps_test(what_a_disk_lacks),
        steps_test(steps_that_make_no_sense),
        steps_test(progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
