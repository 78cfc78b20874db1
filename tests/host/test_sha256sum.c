// SPDX-License-Identifier: BSD-2-Clause
// app=sha256sum on a fake machine: order, odd sizes, and errors.
#include "lib/sha256.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static void expect_digest(unsigned disk)
{
    struct block_dev *dev = &fake.disks[disk].dev;
    uint8_t digest[SHA256_BYTES], block[4096];
    char hex[2 * SHA256_BYTES + 1], line[128];
    struct sha256 sha;
    sha256_init(&sha);
    for (uint64_t lba = 0; lba < dev->blocks; lba++) {
        stamp_fill(block, dev->block_size, stamp_tag(dev->serial, dev->nsid), lba);
        sha256_update(&sha, block, dev->block_size);
        assert_int_equal(fake.disks[disk].reads[lba], 1);
    }
    sha256_final(&sha, digest);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    snprintf(line, sizeof(line), "%s  %s\n", hex, dev->name);
    expect_line(fake.console, line);
    snprintf(line, sizeof(line), "\"sha256\":\"%s\",\"size\":%llu}", hex,
             (unsigned long long)dev->blocks * dev->block_size);
    expect_line(fake.json, line);
}

static void test_whole_disks(void **state)
{
    fake_start(2, 3, 512, FAKE_LBAS);
    fake_run(&app_sha256sum, "");
    for (unsigned i = 0; i < 3; i++) {
        expect_digest(i);
        assert_in_range(fake.disks[i].most_in_flight, 2, 64);
    }
    assert_int_equal(fake.errors, 0);
}

static void test_sizes_that_are_no_multiple_of_a_chunk(void **state)
{
    static const uint64_t blocks[] = { 1, 31, 32, 33, 255, 257, 1023 };
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        fake_start(1, 1, i % 2 ? 4096 : 512, blocks[i]);
        fake_run(&app_sha256sum, "filename=nvme0n1");
        expect_digest(0);
        fake_stop(NULL);
    }
}

// A read's request lies on the stack of its disk's digest.
static void check_alone(const struct block_req *req)
{
    for (size_t i = 0; i < fake.in_flight_count; i++)
        assert_ptr_equal(fake.in_flight[i]->dev, req->dev);
}

static void test_an_error_means_no_digest(void **state)
{
    static const uint64_t lbas[] = { 5, 300, 1000, 3000, FAKE_LBAS - 1 };
    for (size_t i = 0; i < ARRAY_SIZE(lbas); i++) {
        fake_start(1, 2, 512, FAKE_LBAS);
        fake.on_read = check_alone;
        fake.disks[0].bad_status = BLOCK_ERROR;
        fake.disks[0].bad_lba = lbas[i];
        fake_run(&app_sha256sum, "");
        assert_int_equal(fake.errors, 1);
        assert_string_equal(fake.error_what, "sha256sum-read");
        expect_line(fake.error_message, "nvme0n1");
        assert_null(strstr(fake.console, "nvme0n1\n"));
        assert_int_equal(fake.in_flight_count, 0);
        expect_digest(1); // the other disk's is still there
        fake_stop(NULL);
    }
}

static void test_progress_each_second(void **state)
{
    fake_start(1, 1, 512, FAKE_LBAS); // 2,097,152 bytes in 16 reads
    fake.service_tsc = 400 * NS_PER_MS;
    fake_run(&app_sha256sum, "");
    expect_digest(0);
    expect_line(fake.console, "sha256sum: nvme0n1: 0 of 2 MB\n");
    expect_line(fake.console, "sha256sum: nvme0n1: 1 of 2 MB\n");
    assert_int_equal(fake.timers_fired, 16 * 4 / 10);
    assert_null(fake.timers); // stopped
    expect_line(fake.json, "{\"type\":\"digest\",\"filename\":\"nvme0n1\",\"sha256\":");
}

static void test_a_disk_without_blocks_ends(void **state)
{
    fake_start(1, 1, 512, 0);
    fake_run(&app_sha256sum, "");
    expect_line(fake.console,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  nvme0n1");
}

static void test_an_unknown_disk(void **state)
{
    fake_start(1, 2, 512, 64);
    fake_run(&app_sha256sum, "filename=nvme1n1:nvme7n1");
    assert_string_equal(fake.error_what, "job-no-such-disk");
    assert_int_equal(fake.submitted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_whole_disks, fake_stop),
        cmocka_unit_test_teardown(test_sizes_that_are_no_multiple_of_a_chunk, fake_stop),
        cmocka_unit_test(test_an_error_means_no_digest),
        cmocka_unit_test_teardown(test_progress_each_second, fake_stop),
        cmocka_unit_test_teardown(test_a_disk_without_blocks_ends, fake_stop),
        cmocka_unit_test_teardown(test_an_unknown_disk, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
