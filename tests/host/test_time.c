// SPDX-License-Identifier: BSD-2-Clause
// The clock: measured against modelled counters, and converted without a timer before its time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/x86.h"
#include "kernel/mem/map.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"

static uint64_t model_rdtsc(void);
static uint32_t in32(uint16_t port);

#define rdtsc() model_rdtsc()
#include "kernel/x86/time.c"
#include "kernel/x86/tsc_measure.c"
#undef rdtsc

#undef fail
#include <cmocka.h>

#define PM_PORT 0x608

// ---- the machine: a TSC, and counters that go with it ----

static struct {
    uint64_t tsc, tsc_hz;
    uint64_t counter_hz, counter_start; // HPET or PM timer
    uint64_t capabilities, configuration;
    bool counts;
    unsigned slow_read; // this one takes long: an SMI
    unsigned reads;
    struct cpuid leaf15, leaf16, hypervisor;
    uint32_t most;
    bool is_virtual;
} m;

static uint8_t registers[0x400];

static char warned[64];

void warn_problem(const struct problem *p)
{
    snprintf(warned, sizeof(warned), "%s", p->what);
}

static struct cpuid model_cpuid(uint32_t leaf, uint32_t sub)
{
    switch (leaf) {
    case 0:
        return (struct cpuid){ .a = m.most };
    case 1:
        return (struct cpuid){ .c = m.is_virtual ? BIT32(31) : 0 };
    case 0x15:
        return m.leaf15;
    case 0x16:
        return m.leaf16;
    case 0x40000000:
        return (struct cpuid){ .a = HYPERVISOR_TIMING };
    case HYPERVISOR_TIMING:
        return m.hypervisor;
    default:
        return (struct cpuid){ 0 };
    }
}

static uint64_t model_rdtsc(void)
{
    return m.tsc += 30;
}

static uint64_t read_counter(void)
{
    m.tsc += ++m.reads == m.slow_read ? m.tsc_hz / 1000 : 1000;
    unsigned __int128 ticks = (unsigned __int128)m.tsc * m.counter_hz / m.tsc_hz;
    uint64_t now = m.counts ? (uint64_t)ticks + m.counter_start : 7;
    m.tsc += 1000;
    return now;
}

static uint32_t in32(uint16_t port)
{
    assert_int_equal(port, PM_PORT);
    return (uint32_t)read_counter() & 0xffffff;
}

volatile void *mem_map_mmio(uint64_t phys, size_t bytes)
{
    return registers;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    switch ((const volatile uint8_t *)reg - registers) {
    case HPET_CAPABILITIES: // or the PM timer, which has 4 bytes
        return bytes == 8 ? m.capabilities : (uint32_t)read_counter();
    case HPET_CONFIGURATION:
        return m.configuration;
    default:
        return (uint32_t)read_counter();
    }
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    assert_int_equal((volatile uint8_t *)reg - registers, HPET_CONFIGURATION);
    m.configuration = value;
    m.counts = value & 1;
}

static int setup(void **state)
{
    memset(&m, 0, sizeof(m));
    cpuid_model = model_cpuid;
    m.tsc_hz = 2500000000;
    m.tsc = 1000000;
    m.counts = true;
    m.counter_hz = PM_TIMER_HZ;
    m.most = 0x16;
    return 0;
}

static bool init(const struct hpet_table *hpet, const struct fadt *fadt, const char **source)
{
    struct problem p;
    return time_init(hpet, fadt, source, &p);
}

static const struct fadt pm = { .pm_timer = PM_PORT, .pm_timer_io = true };
static const struct fadt pm32 = { .pm_timer = PM_PORT, .pm_timer_32bit = true };
static const struct hpet_table hpet = { .address = 0xfed00000 };

static void is_within_a_thousandth(uint64_t hz)
{
    assert_in_range(time_tsc_hz(), hz - hz / 1000, hz + hz / 1000);
}

// ---- sources ----

static void cpuid_comes_first(void **state)
{
    const char *source;
    m.leaf15 = (struct cpuid){ 2, 250, 24000000, 0 };
    assert_true(init(&hpet, &pm, &source));
    assert_string_equal(source, "CPUID 15h");
    assert_int_equal(time_tsc_hz(), 3000000000);
}

static void leaves_that_are_not_there_are_not_read(void **state)
{
    const char *source;
    m.leaf15 = (struct cpuid){ 2, 250, 24000000, 0 };
    m.most = 0x14;
    assert_true(init(NULL, &pm, &source));
    assert_string_equal(source, "ACPI PM timer");
    m.most = 0x15;
    assert_true(init(NULL, &pm, &source));
    assert_string_equal(source, "CPUID 15h");
}

static void hypervisors_may_tell(void **state)
{
    const char *source;
    m.hypervisor.a = 2100000; // kHz
    assert_true(init(NULL, &pm, &source));
    assert_string_equal(source, "ACPI PM timer"); // it is no guest
    m.is_virtual = true;
    assert_true(init(NULL, &pm, &source));
    assert_string_equal(source, "CPUID 40000010h");
    assert_int_equal(time_tsc_hz(), 2100000000);
}

static void the_hpet_is_turned_on_and_measured(void **state)
{
    const char *source;
    m.counts = false;
    m.counter_hz = 25000000;
    m.capabilities = field_put(HPET_CAPABILITIES_PERIOD, 40000000); // fs
    m.configuration = 0x2;                                          // what firmware uses stays
    assert_true(init(&hpet, &pm, &source));
    assert_string_equal(source, "HPET");
    assert_int_equal(m.configuration, 0x3);
    is_within_a_thousandth(m.tsc_hz);
}

static void an_hpet_that_lies_is_passed_over(void **state)
{
    const char *source;
    static const uint64_t periods[] = { 0, HPET_PERIOD_MAX + 1 };
    for (unsigned i = 0; i < ARRAY_SIZE(periods); i++) {
        m.capabilities = field_put(HPET_CAPABILITIES_PERIOD, periods[i]);
        assert_true(init(&hpet, &pm, &source));
        assert_string_equal(source, "ACPI PM timer");
        is_within_a_thousandth(m.tsc_hz);
    }
    m.counter_hz = FS_PER_S / HPET_PERIOD_MAX; // the slowest
    m.capabilities = field_put(HPET_CAPABILITIES_PERIOD, HPET_PERIOD_MAX);
    assert_true(init(&hpet, NULL, &source));
    is_within_a_thousandth(m.tsc_hz);
}

// It may wrap while it is measured, at its own width, and an SMI may come between two reads.
static void the_pm_timer_may_wrap(void **state)
{
    const char *source;
    for (unsigned slow = 0; slow < 2 * READ_TRIES; slow++) {
        setup(NULL);
        m.slow_read = slow;
        m.counter_start = 0xffffff - (uint64_t)(m.tsc * PM_TIMER_HZ / m.tsc_hz) - 100;
        assert_true(init(NULL, &pm, &source));
        is_within_a_thousandth(m.tsc_hz);
    }
    setup(NULL);
    m.counter_start = UINT32_MAX - 5000;
    assert_true(init(NULL, &pm32, &source)); // by memory
    is_within_a_thousandth(m.tsc_hz);
}

static void without_a_clock_there_is_no_run(void **state)
{
    const char *source;
    struct problem p;
    assert_false(time_init(NULL, NULL, &source, &p));
    assert_string_equal(p.what, "no-clock");
    m.counts = false;
    assert_false(init(NULL, &pm, &source)); // stands still
    m.leaf15 = (struct cpuid){ 1, 1, 99999999, 0 };
    assert_false(init(NULL, NULL, &source)); // below 100 MHz
    m.leaf15 = (struct cpuid){ 1, 1, 100000000, 0 };
    assert_true(init(NULL, NULL, &source));
    m.leaf15 = (struct cpuid){ 1, 8, 2147483648u, 0 }; // 2^34 Hz
    assert_false(init(NULL, NULL, &source));
}

// ---- conversions ----

static void clock_of(uint64_t hz)
{
    const char *source;
    m.most = 0x15;
    m.leaf15 = (struct cpuid){ 1, 1000, (uint32_t)(hz / 1000), 0 };
    assert_true(init(NULL, NULL, &source));
    assert_int_equal(time_tsc_hz(), hz / 1000 * 1000);
}

static void the_clock_begins_with_the_kernel(void **state)
{
    clock_of(2500000000);
    assert_in_range(time_ns(), 0, 100);
    m.tsc += 2500000000;
    assert_in_range(time_ns(), NS_PER_S - 10, NS_PER_S + 100);
}

// What is set for the TSC of a time finds that time come, and comes at most a little late.
static void no_timer_comes_before_its_time(void **state)
{
    static const uint64_t rates[] = { 100000000, 999999000, 2445000000, 3600000000, 5100000000 };
    for (unsigned r = 0; r < ARRAY_SIZE(rates); r++) {
        setup(NULL);
        clock_of(rates[r]);
        for (uint64_t ns = 1; ns < 1000000 * NS_PER_S; ns += ns / 7 + 1) {
            m.tsc = time_tsc_at(ns) - 30; // rdtsc() adds them
            uint64_t now = time_ns();
            assert_true(now >= ns);
            assert_true(now - ns <= 30 + ns / 100000000);
        }
    }
}

static void spans_are_cycles(void **state)
{
    clock_of(2000000000);
    assert_int_equal(time_tsc_span(0), 0);
    assert_in_range(time_tsc_span(NS_PER_S), 2000000000, 2000000002);
    assert_in_range(time_tsc_span(50), 100, 101);
}

static void delays_take_their_time(void **state)
{
    clock_of(2000000000);
    uint64_t before = time_ns();
    time_delay_ns(12345);
    assert_true(time_ns() - before >= 12345);
}

// A long pause of the CPU is no time-out of the device.
static unsigned looks;

static bool done_in_the_pause(void)
{
    if (++looks == 1)
        m.tsc += 2000000000; // a second passes
    return looks > 2;
}

static void a_pause_is_no_time_out(void **state)
{
    clock_of(2000000000);
    looks = 0;
    assert_true(poll_until(done_in_the_pause() || looks == 2, NS_PER_MS));
    assert_false(poll_until(false, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cpuid_comes_first, setup),
        cmocka_unit_test_setup(leaves_that_are_not_there_are_not_read, setup),
        cmocka_unit_test_setup(hypervisors_may_tell, setup),
        cmocka_unit_test_setup(the_hpet_is_turned_on_and_measured, setup),
        cmocka_unit_test_setup(an_hpet_that_lies_is_passed_over, setup),
        cmocka_unit_test_setup(the_pm_timer_may_wrap, setup),
        cmocka_unit_test_setup(without_a_clock_there_is_no_run, setup),
        cmocka_unit_test_setup(the_clock_begins_with_the_kernel, setup),
        cmocka_unit_test_setup(no_timer_comes_before_its_time, setup),
        cmocka_unit_test_setup(spans_are_cycles, setup),
        cmocka_unit_test_setup(delays_take_their_time, setup),
        cmocka_unit_test_setup(a_pause_is_no_time_out, setup),
    };
    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
