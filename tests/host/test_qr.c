// SPDX-License-Identifier: BSD-2-Clause
// QR codes, read back by tests/host/qr_read.c. tests/tools/test_qr.py has zbar read them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/string.h"
#include "tests/host/qr_read.h"

static void check_code(const struct qr *qr, const uint8_t *bytes, size_t count)
{
    struct qr_reading reading = qr_read(qr);
    if (reading.fault)
        fail_msg("%zu bytes, version %u: %s", count, qr->version, reading.fault);
    assert_int_equal(reading.count, count);
    assert_memory_equal(reading.bytes, bytes, count);
    assert_int_equal(reading.mask, qr->mask);
    assert_int_equal(reading.is_m, qr->is_m);
}

static void test_each_length(void **state)
{
    static struct qr qr;
    uint8_t bytes[QR_BYTES_MAX];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 73 + 41);
    for (size_t count = 0; count <= QR_BYTES_MAX; count++) {
        assert_true(qr_encode(bytes, count, &qr));
        check_code(&qr, bytes, count);
    }
}

static void test_each_mask(void **state)
{
    static struct qr qr;
    static const uint8_t bytes[60] = "some text";
    for (unsigned mask = 0; mask < 8; mask++) {
        assert_true(qr_encode_masked(bytes, sizeof(bytes), mask, &qr));
        assert_int_equal(qr.mask, mask);
        check_code(&qr, bytes, sizeof(bytes));
    }
}

// Table 7 of the standard: what each version holds in byte mode.
static void test_smallest_version(void **state)
{
    static const uint16_t most[2][QR_VERSION_MAX + 1] = {
        { 0, 17, 32, 53, 78, 106, 134, 154, 192, 230, 271 },
        { 0, 14, 26, 42, 62, 84, 106, 122, 152, 180, 213 },
    };
    static const uint8_t bytes[QR_BYTES_MAX + 1];
    static struct qr qr;
    for (unsigned version = 1; version <= QR_VERSION_MAX; version++) {
        assert_true(qr_encode(bytes, most[1][version], &qr));
        assert_int_equal(qr.version, version);
        assert_true(qr.is_m);
    }
    assert_true(qr_encode(bytes, most[1][QR_VERSION_MAX] + 1u, &qr));
    assert_false(qr.is_m);
    assert_int_equal(qr.version, 9); // 9-L holds 230
    assert_true(qr_encode(bytes, most[0][9] + 1u, &qr));
    assert_int_equal(qr.version, 10);
    assert_false(qr_encode(bytes, QR_BYTES_MAX + 1, &qr));
}

// The penalties of 7.8.3, counted anew for each mask: none would have been less.
static unsigned run_penalty(const bool *line, unsigned side)
{
    unsigned sum = 0;
    for (unsigned i = 0, run; i < side; i += run) {
        for (run = 1; i + run < side && line[i + run] == line[i]; run++)
            ;
        sum += run >= 5 ? run - 2 : 0;
    }
    for (unsigned i = 0; i + 11 <= side; i++)
        for (unsigned k = 0; k < 2; k++) {
            static const char *const looks[] = { "#.###.#....", "....#.###.#" };
            bool same = true;
            for (unsigned j = 0; j < 11; j++)
                same &= line[i + j] == (looks[k][j] == '#');
            sum += same ? 40 : 0;
        }
    return sum;
}

static unsigned penalty_of(const struct qr *qr)
{
    unsigned sum = 0, dark = 0, side = qr->side;
    for (unsigned i = 0; i < side; i++) {
        bool row[QR_SIDE_MAX], column[QR_SIDE_MAX];
        for (unsigned j = 0; j < side; j++) {
            row[j] = qr_is_dark(qr, i, j);
            column[j] = qr_is_dark(qr, j, i);
            dark += row[j];
            if (i && j && row[j] == qr_is_dark(qr, i - 1, j) && row[j] == row[j - 1] &&
                row[j] == qr_is_dark(qr, i - 1, j - 1))
                sum += 3;
        }
        sum += run_penalty(row, side) + run_penalty(column, side);
    }
    double percent = 100.0 * dark / (side * side), off = percent < 50 ? 50 - percent : percent - 50;
    return sum + 10 * (unsigned)(off / 5);
}

static void test_mask_of_least_penalty(void **state)
{
    static struct qr qr;
    for (unsigned count = 0; count < 60; count++) {
        static uint8_t bytes[60];
        bytes[count] = (uint8_t)(count * 11);
        assert_true(qr_encode(bytes, count, &qr));
        unsigned chosen = penalty_of(&qr), best = qr.mask;
        for (unsigned mask = 0; mask < 8; mask++) {
            static struct qr other;
            assert_true(qr_encode_masked(bytes, count, mask, &other));
            assert_true(penalty_of(&other) > chosen ||
                        (penalty_of(&other) == chosen && mask >= best));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_length),
        cmocka_unit_test(test_each_mask),
        cmocka_unit_test(test_smallest_version),
        cmocka_unit_test(test_mask_of_least_penalty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
