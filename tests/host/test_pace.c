// SPDX-License-Identifier: BSD-2-Clause
// Paces: exact in the long run, and bounded in the short one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/pace.h"

#define START 12345678901ull

static struct pace pace;

// Events up to a time, by a caller who looks every `step` ticks.
static uint64_t run(uint64_t from, uint64_t to, uint64_t step)
{
    uint64_t events = 0;
    for (uint64_t now = from; now < to; now += step)
        while (pace_take(&pace, now))
            events++;
    return events;
}

// Rates that don't divide the clock's: not one event more or less after any number of seconds.
static void test_nothing_drifts(void **state)
{
    static const uint64_t rates[] = { 1, 3, 7, 1000, 4999, 99991 };
    static const uint64_t clocks[] = { 100000, 99991, 123457 };
    for (size_t r = 0; r < ARRAY_SIZE(rates); r++)
        for (size_t c = 0; c < ARRAY_SIZE(clocks); c++) {
            pace_start(&pace, rates[r], 32, clocks[c], START);
            for (uint64_t second = 0; second < 20; second++)
                assert_int_equal(
                    run(START + second * clocks[c], START + (second + 1) * clocks[c], 1), rates[r]);
        }
}

static void test_events_are_spread_evenly(void **state)
{
    pace_start(&pace, 4, 1, 1000, START);
    for (uint64_t n = 0; n < 100; n++) {
        assert_int_equal(pace_due(&pace), START + n * 250);
        assert_false(pace_take(&pace, START + n * 250 - 1));
        assert_true(pace_take(&pace, START + n * 250));
    }
}

// Who looks seldom, but more often than a burst lasts, gets all.
static void test_who_is_late_catches_up(void **state)
{
    pace_start(&pace, 1000, 32, 1000000, START);
    assert_int_equal(run(START, START + 9300001, 31000), 9301); // the last look is at 9.3 s
}

static void test_a_burst_is_bounded(void **state)
{
    pace_start(&pace, 1000, 32, 1000000, START);
    assert_true(pace_take(&pace, START));
    uint64_t late = START + 500000000; // 500 s without a look
    uint64_t at_once = 0;
    while (pace_take(&pace, late))
        at_once++;
    assert_int_equal(at_once, 33); // the one that is due, and the burst
    assert_int_equal(pace_due(&pace) - late, 1000);
    assert_int_equal(run(late + 1, late + 1000001, 1), 1000); // and the old pace from there
}

static void test_fast_clocks_and_rates(void **state)
{
    pace_start(&pace, 10000000, 256, 5000000000ull, START);
    for (uint64_t n = 0; n < 30000000; n++)
        assert_true(pace_take(&pace, START + n * 500));
    assert_false(pace_take(&pace, START + 30000000ull * 500 - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_drifts),
        cmocka_unit_test(test_events_are_spread_evenly),
        cmocka_unit_test(test_who_is_late_catches_up),
        cmocka_unit_test(test_a_burst_is_bounded),
        cmocka_unit_test(test_fast_clocks_and_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
