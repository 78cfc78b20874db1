// SPDX-License-Identifier: BSD-2-Clause
// The local APIC of two modelled CPUs: what their timers count by, and which pins take NMIs.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/percpu.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"

#define LVT_TIMER 0x832
#define LVT_LINT0 0x835
#define LVT_LINT1 0x836
#define TIMER_INITIAL 0x838
#define TIMER_CURRENT 0x839
#define TSC_DEADLINE 0x6e0
#define TSC_ADJUST 0x3b
#define ONE_SHOT (0 << 17 | VECTOR_TIMER)
#define BY_DEADLINE (2 << 17 | VECTOR_TIMER)
#define MASKED 0x10000
#define BY_SMI 0x200
#define BY_NMI 0x400

static struct cpu cpus[2];
static struct {
    unsigned current;
    bool has_deadline, has_adjust;
    uint64_t msrs[2][0x1000];
    unsigned measured; // times that a counter was started to be measured
} m;

struct cpu *this_cpu(void)
{
    return &cpus[m.current];
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus[index];
}

void time_delay_ns(uint64_t ns)
{
    m.msrs[m.current][TIMER_CURRENT] = UINT32_MAX - 1000;
    m.measured++;
}

uint64_t rdmsr(uint32_t msr)
{
    assert_true(msr != TSC_ADJUST || m.has_adjust);
    return m.msrs[m.current][msr];
}

void wrmsr(uint32_t msr, uint64_t value)
{
    assert_true(msr != TSC_DEADLINE || (m.msrs[m.current][LVT_TIMER] & 3 << 17) == 2 << 17);
    m.msrs[m.current][msr] = value;
}

static struct cpuid processor(uint32_t leaf, uint32_t sub)
{
    if (leaf == 1)
        return (struct cpuid){ .c = (uint32_t)m.has_deadline << 24 };
    if (leaf == 7 && sub == 0)
        return (struct cpuid){ .b = (uint32_t)m.has_adjust << 1 };
    return (struct cpuid){ 0 };
}

static int begin(void **state)
{
    memset(cpus, 0, sizeof(cpus));
    memset(&m, 0, sizeof(m));
    cpuid_model = processor;
    m.has_deadline = m.has_adjust = true;
    for (unsigned i = 0; i < 2; i++)
        m.msrs[i][0x803] = 6 << 16; // all LVT entries
    apic_timer_init();
    return 0;
}

static void start(unsigned cpu, uint64_t tsc_adjust)
{
    m.current = cpu;
    m.msrs[cpu][TSC_ADJUST] = tsc_adjust;
    apic_init_cpu();
}

static void each_timer_goes_by_its_own_tsc_adjust(void **state)
{
    for (unsigned adjusted = 0; adjusted < 2; adjusted++) {
        begin(state);
        for (unsigned i = 0; i < 2; i++)
            start(i, i == adjusted ? 0xfffffffffffff000 : 0);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(m.msrs[i][LVT_TIMER], i == adjusted ? ONE_SHOT : BY_DEADLINE);
            assert_int_equal(apic_timer_is_tsc_deadline(i), i != adjusted);
            m.current = i;
            apic_timer_set(1ull << 62);
            assert_int_equal(m.msrs[i][TSC_DEADLINE], i == adjusted ? 0 : 1ull << 62);
            assert_true((m.msrs[i][TIMER_INITIAL] != 0) == (i == adjusted));
            apic_timer_cancel();
            assert_int_equal(m.msrs[i][TSC_DEADLINE] | m.msrs[i][TIMER_INITIAL], 0);
        }
    }
}

static void without_deadlines_the_counter_is_measured_once(void **state)
{
    m.has_deadline = m.has_adjust = false;
    apic_timer_init();
    start(0, 0);
    start(1, 0);
    assert_int_equal(m.msrs[0][LVT_TIMER], ONE_SHOT);
    assert_int_equal(m.msrs[1][LVT_TIMER], ONE_SHOT);
    assert_true(m.measured <= 1); // none, where an earlier test did
}

static void one_pin_takes_nmis(void **state)
{
    for (unsigned lint = 0; lint < 2; lint++) {
        begin(state);
        start(0, 0);
        assert_int_equal(m.msrs[0][LVT_LINT0], MASKED);
        assert_int_equal(m.msrs[0][LVT_LINT1], MASKED);
        apic_take_nmis((uint8_t)lint);
        assert_int_equal(m.msrs[0][LVT_LINT0 + lint], BY_NMI);
        assert_int_equal(m.msrs[0][LVT_LINT1 - lint], MASKED);
    }
}

// The last test: what the boot CPU had as an SMI, all CPUs get from then on.
static void a_pin_of_firmware_stays(void **state)
{
    m.msrs[0][LVT_LINT1] = BY_SMI;
    start(0, 0);
    apic_take_nmis(1);
    assert_int_equal(m.msrs[0][LVT_LINT1], BY_SMI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_timer_goes_by_its_own_tsc_adjust, begin),
        cmocka_unit_test_setup(without_deadlines_the_counter_is_measured_once, begin),
        cmocka_unit_test_setup(one_pin_takes_nmis, begin),
        cmocka_unit_test_setup(a_pin_of_firmware_stays, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
