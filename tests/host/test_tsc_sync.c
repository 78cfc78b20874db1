// SPDX-License-Identifier: BSD-2-Clause
// Two CPUs, threads here, whose TSCs may differ: what is measured, set right, or given up.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/base/x86.h"
#include "kernel/run/tsc_sync.h"
#include "kernel/x86/time.h"

#define SKEW 1000000000ll // cycles: far more than a thread's turn

static _Thread_local bool is_other;
static struct {
    _Atomic int64_t skew;   // by which the other's TSC is ahead
    _Atomic int64_t adjust; // its TSC_ADJUST
    bool is_fixed;          // the register holds what is written, and nothing follows
    bool came_in;
} other;

// As the kernel's: neither before what was seen, nor after what is done next.
uint64_t rdtsc_ordered(void)
{
    __builtin_ia32_lfence();
    uint64_t tsc = rdtsc();
    __builtin_ia32_lfence();
    if (!is_other)
        return tsc;
    return tsc + (uint64_t)(other.skew + (other.is_fixed ? 0 : other.adjust));
}

uint64_t rdmsr(uint32_t msr)
{
    assert_true(is_other);
    assert_int_equal(msr, 0x3b);
    return (uint64_t)other.adjust;
}

void wrmsr(uint32_t msr, uint64_t value)
{
    assert_true(is_other);
    assert_int_equal(msr, 0x3b);
    other.adjust = (int64_t)value;
}

// Slow: the host may put a thread aside for long.
uint64_t time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec) / 100;
}

static void *run_other(void *arg)
{
    is_other = true;
    other.came_in = tsc_sync_take_part();
    return NULL;
}

static struct tsc_sync sync_with(int64_t skew, int64_t adjust, bool is_fixed, bool has_tsc_adjust)
{
    pthread_t thread;
    struct tsc_sync result;
    other.skew = skew - adjust; // with what firmware has written in it
    other.adjust = adjust;
    other.is_fixed = is_fixed;
    if (is_fixed)
        other.skew = skew;
    tsc_sync_begin();
    assert_int_equal(pthread_create(&thread, NULL, run_other, NULL), 0);
    assert_true(tsc_sync_wait(10 * NS_PER_S));
    assert_true(tsc_sync(has_tsc_adjust, &result));
    tsc_sync_decide(result.agrees);
    pthread_join(thread, NULL);
    assert_int_equal(other.came_in, result.agrees);
    return result;
}

static void equal_ones_agree(void **state)
{
    struct tsc_sync r = sync_with(0, 0, false, true);
    assert_true(r.agrees);
    assert_false(r.adjusted);
    assert_int_equal(r.offset, 0);
    assert_int_equal(other.adjust, 0);
    assert_true(sync_with(0, 5000, false, true).agrees); // firmware's own correction
    assert_int_equal(other.adjust, 5000);
}

static void others_are_set_right(void **state)
{
    static const int64_t skews[] = { SKEW, -SKEW };
    for (unsigned i = 0; i < ARRAY_SIZE(skews); i++) {
        struct tsc_sync r = sync_with(skews[i], 12345, false, true);
        assert_true(r.agrees);
        assert_true(r.adjusted);
        assert_in_range(r.offset * (skews[i] < 0 ? -1 : 1), SKEW / 2, SKEW / 2 * 3);
        assert_in_range((other.adjust - 12345) * (skews[i] < 0 ? 1 : -1), SKEW / 2, SKEW / 2 * 3);
    }
}

static void without_the_register_it_stays_out(void **state)
{
    struct tsc_sync r = sync_with(SKEW, 0, false, false);
    assert_false(r.agrees);
    assert_false(r.adjusted);
    assert_int_equal(other.adjust, 0);
}

static void what_can_not_be_set_right_stays_out(void **state)
{
    struct tsc_sync r = sync_with(-SKEW, 0, true, true);
    assert_false(r.agrees);
    assert_true(r.adjusted);
}

static void who_does_not_come_is_not_waited_for(void **state)
{
    tsc_sync_begin();
    assert_false(tsc_sync_wait(1000000));
}

static void readings_narrow_what_is_possible(void **state)
{
    int64_t least = INT64_MIN, most = INT64_MAX;
    tsc_sync_narrow(1000, 1050, 1100, &least, &most); // by 50 either way
    assert_int_equal(least, -50);
    assert_int_equal(most, 50);
    tsc_sync_narrow(2000, 2090, 2095, &least, &most);
    assert_int_equal(least, -5);
    assert_int_equal(most, 50);
    tsc_sync_narrow(3000, 3010, 3200, &least, &most); // a slow one adds nothing at its far end
    assert_int_equal(least, -5);
    assert_int_equal(most, 10);
    tsc_sync_narrow(4000, 4300, 4290, &least, &most); // ahead for sure
    assert_int_equal(least, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_ones_agree),
        cmocka_unit_test(others_are_set_right),
        cmocka_unit_test(without_the_register_it_stays_out),
        cmocka_unit_test(what_can_not_be_set_right_stays_out),
        cmocka_unit_test(who_does_not_come_is_not_waited_for),
        cmocka_unit_test(readings_narrow_what_is_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
