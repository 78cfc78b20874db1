// SPDX-License-Identifier: BSD-2-Clause
// The controller behind posted.rate, against CPUs of which each asks for so many notifications a second
// and takes one in a window at most.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/rate.h"
#include "lib/random.h"

#define SECOND_NS 1000000000ull
#define BUDGET 1000000ull
#define CPUS 64
#define SETTLED 30 // looks: a third of a second

static struct rate rate;
static uint64_t window_ns, per_second;
static uint64_t asked[CPUS];                       // of each, a second
static uint64_t noise, noise_of_all, random_state; // percent

static void begin(uint64_t budget)
{
    rate = (struct rate){ .budget = budget };
    window_ns = noise = noise_of_all = 0;
    random_state = 1;
    for (unsigned i = 0; i < CPUS; i++)
        asked[i] = 0;
}

static void ask(unsigned first, unsigned end, uint64_t of_each)
{
    for (unsigned i = first; i < end; i++)
        asked[i] = of_each;
}

// More or less.
static uint64_t about(uint64_t n, uint64_t percent)
{
    return percent ? n * (100 - percent + random_below(&random_state, 2 * percent + 1)) / 100 : n;
}

static uint64_t taken(unsigned cpu)
{
    uint64_t most = window_ns ? SECOND_NS / window_ns : UINT64_MAX;
    return about(MIN(asked[cpu], most), noise);
}

static void look(void)
{
    per_second = 0;
    for (unsigned i = 0; i < CPUS; i++)
        per_second += taken(i);
    per_second = about(per_second, noise_of_all);
    uint64_t span_ns = RATE_TURN_NS;
    while (!rate_is_due(&rate, per_second * (span_ns / 1000) / 1000000, span_ns))
        span_ns += RATE_TURN_NS;
    window_ns = rate_update(&rate, per_second * (span_ns / 1000) / 1000000, span_ns);
}

static void settle(void)
{
    for (unsigned i = 0; i < SETTLED; i++)
        look();
}

static void stays_within(uint64_t percent)
{
    for (unsigned i = 0; i < 100; i++) {
        look();
        assert_in_range(per_second, rate.budget / 100 * (100 - percent),
                        rate.budget / 100 * (100 + percent));
    }
}

// ---- below the budget ----

static void below_it_nobody_waits(void **state)
{
    begin(BUDGET);
    for (unsigned percent = 0; percent <= 100; percent += 10) {
        ask(0, CPUS, BUDGET * percent / 100 / CPUS);
        settle();
        assert_int_equal(window_ns, 0);
    }
    ask(0, CPUS, 0);
    asked[7] = BUDGET; // by a single one
    settle();
    assert_int_equal(window_ns, 0);
}

// ---- above it ----

static void all_alike_meet_it(void **state)
{
    begin(BUDGET);
    for (uint64_t times = 2; times < 2000; times *= 3) {
        ask(0, CPUS, BUDGET * times / CPUS);
        settle();
        stays_within(2);
        assert_in_range(window_ns, CPUS * SECOND_NS / BUDGET * 97 / 100,
                        CPUS * SECOND_NS / BUDGET * 103 / 100);
    }
}

static void one_hot_cpu_has_it_all(void **state)
{
    begin(BUDGET);
    asked[3] = 5 * BUDGET;
    settle();
    stays_within(2);
    assert_in_range(window_ns, SECOND_NS / BUDGET, SECOND_NS / BUDGET + 50);
}

// Those that ask for little wait for nothing, and hot ones share the rest.
static void idle_cpus_give_their_share(void **state)
{
    begin(BUDGET);
    ask(0, CPUS - 4, BUDGET / 2 / CPUS); // about half of it
    ask(CPUS - 4, CPUS, BUDGET);
    settle();
    stays_within(3);
    uint64_t rest = BUDGET - (CPUS - 4) * (BUDGET / 2 / CPUS);
    assert_in_range(SECOND_NS / window_ns, rest / 4 * 95 / 100, rest / 4 * 105 / 100);
    for (unsigned i = 0; i < CPUS - 4; i++)
        assert_int_equal(taken(i), asked[i]);
}

static void it_never_swings(void **state)
{
    begin(BUDGET);
    ask(0, CPUS, BUDGET / 8);
    uint64_t before = UINT64_MAX;
    for (unsigned i = 0; i < SETTLED; i++) { // it comes down, and stays
        look();
        assert_true(per_second <= before);
        before = per_second;
    }
    assert_in_range(per_second, BUDGET * 98 / 100, BUDGET * 102 / 100);
    ask(0, CPUS / 2, 0); // half of them stop: the others' windows shrink at once, and not too far
    for (unsigned i = 0; i < SETTLED; i++) {
        look();
        assert_true(per_second <= BUDGET * 103 / 100);
    }
    stays_within(2);
}

static void noise_is_not_followed(void **state)
{
    begin(BUDGET);
    ask(0, CPUS, BUDGET);
    settle();
    noise = 60; // of one CPU's count
    stays_within(20);
    noise_of_all = 30;
    uint64_t ideal_ns = CPUS * SECOND_NS / BUDGET, off_ns = 0;
    for (unsigned i = 0; i < 1000; i++) {
        look();
        off_ns += window_ns > ideal_ns ? window_ns - ideal_ns : ideal_ns - window_ns;
    }
    assert_true(off_ns / 1000 < ideal_ns * 12 / 100); // 15% if each count were believed
}

static unsigned switches(unsigned looks)
{
    unsigned count = 0;
    for (unsigned i = 0; i < looks; i++) {
        bool was = window_ns;
        look();
        count += was != (window_ns != 0);
    }
    return count;
}

// Around the budget it doesn't switch to and fro.
static void near_it_the_windows_stay(void **state)
{
    begin(BUDGET);
    asked[0] = BUDGET + BUDGET / 50;
    settle();
    assert_int_not_equal(window_ns, 0);
    for (unsigned percent = 105; percent >= 89; percent -= 2) {
        asked[0] = BUDGET / 100 * percent;
        assert_int_equal(switches(50), 0);
    }
}

static void the_windows_end_when_it_is_calm(void **state)
{
    begin(BUDGET);
    ask(0, CPUS, BUDGET);
    settle();
    ask(0, CPUS, BUDGET / 2 / CPUS);
    assert_int_equal(switches(100), 1);
    assert_int_equal(window_ns, 0);
    ask(0, CPUS, BUDGET);
    assert_int_equal(switches(100), 1);
}

static void a_short_pause_is_no_end(void **state)
{
    begin(BUDGET);
    asked[0] = 2 * BUDGET;
    settle();
    for (unsigned i = 0; i < 20; i++) {
        asked[0] = i % 5 ? 0 : 2 * BUDGET;
        look();
        assert_int_not_equal(window_ns, 0);
    }
    ask(0, CPUS, BUDGET);
    settle();
    ask(0, CPUS, 0);
    look();
    ask(0, CPUS, BUDGET);
    look();
    assert_true(per_second <= BUDGET * 21 / 10);
}

// ---- limits ----

static void any_budget_is_met(void **state)
{
    for (uint64_t budget = 1000; budget <= 1000000000; budget *= 10) {
        begin(budget);
        ask(0, CPUS, 4 * budget);
        settle();
        settle();
        stays_within(8);
    }
}

// A window is a tenth of a second at most: reads wait no longer.
static void windows_have_an_end(void **state)
{
    begin(1);
    ask(0, CPUS, 1000);
    settle();
    assert_true(window_ns <= SECOND_NS);
    begin(20);
    ask(0, CPUS, 1000);
    settle();
    settle();
    assert_int_equal(window_ns, SECOND_NS / 10);
}

static void few_are_counted_for_longer(void **state)
{
    begin(320);
    assert_false(rate_is_due(&rate, 31, RATE_TURN_NS));
    assert_true(rate_is_due(&rate, 32, RATE_TURN_NS)); // far too many
    assert_false(rate_is_due(&rate, 31, 10 * RATE_TURN_NS - 1));
    assert_true(rate_is_due(&rate, 0, 10 * RATE_TURN_NS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_it_nobody_waits),
        cmocka_unit_test(all_alike_meet_it),
        cmocka_unit_test(one_hot_cpu_has_it_all),
        cmocka_unit_test(idle_cpus_give_their_share),
        cmocka_unit_test(it_never_swings),
        cmocka_unit_test(noise_is_not_followed),
        cmocka_unit_test(near_it_the_windows_stay),
        cmocka_unit_test(the_windows_end_when_it_is_calm),
        cmocka_unit_test(a_short_pause_is_no_end),
        cmocka_unit_test(any_budget_is_met),
        cmocka_unit_test(windows_have_an_end),
        cmocka_unit_test(few_are_counted_for_longer),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
