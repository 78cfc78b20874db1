// SPDX-License-Identifier: BSD-2-Clause
// Where requests are cut: each piece against each rule, block by block.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/nvme/pieces.h"

// The block before which the piece must end, found without arithmetic.
static uint32_t by_hand(const struct nvme_cuts *c, uint64_t lba, uint32_t left)
{
    uint32_t n = 1;
    while (n < left && n < c->most && (!c->boundary || (lba + n) % c->boundary) &&
           (!c->zone || (lba + n) % c->zone))
        n++;
    return n;
}

static unsigned pieces(const struct nvme_cuts *c, uint64_t lba, uint32_t blocks)
{
    unsigned count = 0;
    for (uint32_t done = 0; done < blocks; count++)
        done += nvme_piece(c, lba + done, blocks - done);
    return count;
}

static void follow(const struct nvme_cuts *c, uint64_t lba, uint32_t blocks)
{
    uint32_t done = 0;
    while (done < blocks) {
        uint32_t n = nvme_piece(c, lba + done, blocks - done);
        assert_int_equal(n, by_hand(c, lba + done, blocks - done));
        done += n;
    }
    assert_int_equal(done, blocks);
}

static void without_boundaries(void **state)
{
    struct nvme_cuts c = { .most = 8 };
    assert_int_equal(nvme_piece(&c, 5, 8), 8);
    assert_int_equal(nvme_piece(&c, 5, 9), 8);
    assert_int_equal(pieces(&c, 5, 8), 1);
    assert_int_equal(pieces(&c, 5, 9), 2);
}

static void at_a_boundary(void **state)
{
    struct nvme_cuts c = { .most = 1024, .boundary = 256 };
    assert_int_equal(nvme_piece(&c, 0, 256), 256);
    assert_int_equal(nvme_piece(&c, 255, 2), 1);
    assert_int_equal(nvme_piece(&c, 256, 2), 2);
    assert_int_equal(pieces(&c, 255, 258), 3);
}

static void boundary_of_no_power_of_two(void **state)
{
    struct nvme_cuts c = { .most = 1024, .boundary = 768 };
    assert_int_equal(nvme_piece(&c, 1535, 8), 1);
    assert_int_equal(nvme_piece(&c, 1536, 800), 768);
    c.boundary = 1025; // one more than a command takes
    assert_int_equal(nvme_piece(&c, 0, 2000), 1024);
    assert_int_equal(nvme_piece(&c, 1024, 2000), 1);
    c.boundary = 7;
    assert_int_equal(nvme_piece(&c, (1ull << 60) + 5, 100), 7 - ((1ull << 60) + 5) % 7);
}

static void at_a_zone_s_end(void **state)
{
    struct nvme_cuts c = { .most = 64, .zone = 1ull << 33 };
    assert_int_equal(nvme_piece(&c, (1ull << 33) - 3, 64), 3);
    assert_int_equal(nvme_piece(&c, 1ull << 33, 64), 64);
    c.zone = 100;
    c.boundary = 30; // whichever comes first
    assert_int_equal(nvme_piece(&c, 89, 64), 1);
    assert_int_equal(nvme_piece(&c, 90, 64), 10);
}

static void largest(void **state)
{
    struct nvme_cuts c = { .most = UINT32_MAX };
    assert_int_equal(pieces(&c, 0, UINT32_MAX), 1);
    assert_int_equal(nvme_piece(&c, UINT64_MAX - UINT32_MAX, UINT32_MAX), UINT32_MAX);
    c.most = 1u << 31;
    assert_int_equal(pieces(&c, 0, UINT32_MAX), 2);
    c.zone = 3ull << 30;
    assert_int_equal(pieces(&c, 0, UINT32_MAX), 3);
}

static void any(void **state)
{
    srand(7);
    for (int i = 0; i < 20000; i++) {
        struct nvme_cuts c = {
            .most = 1 + (uint32_t)rand() % 40,
            .boundary = (uint32_t)rand() % 30,
            .zone = (uint32_t)rand() % 60,
        };
        follow(&c, (uint64_t)rand() % 1000 + (i % 2 ? 1ull << 50 : 0), 1 + (uint32_t)rand() % 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_boundaries),
        cmocka_unit_test(at_a_boundary),
        cmocka_unit_test(boundary_of_no_power_of_two),
        cmocka_unit_test(at_a_zone_s_end),
        cmocka_unit_test(largest),
        cmocka_unit_test(any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
