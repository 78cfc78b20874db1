// SPDX-License-Identifier: BSD-2-Clause
// The local APIC's driver on modelled MSRs: the way into x2APIC mode, what firmware left, IPIs, and
// the timer in both its kinds. A host's CPU is no model, so CPUID and the TSC are the test's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/time.h"
#include "kernel/x86.h"

static struct cpuid model_cpuid(uint32_t leaf);
static uint64_t model_rdtsc(void);

#define cpuid(leaf, sub) model_cpuid(leaf)
#define rdtsc() model_rdtsc()
#include "kernel/apic.c"
#undef rdtsc
#undef cpuid

// ---- the machine ----

#define MSRS 0x1000

static struct {
    uint64_t msr[MSRS];
    struct {
        uint32_t msr;
        uint64_t value;
    } writes[400];
    unsigned writes_count;
    struct cpuid leaf1, leaf7;
    uint64_t tsc;
    unsigned eois;
    bool isr_stuck;
    uint64_t ticks; // of the counter, while it is measured
} m;

static struct cpuid model_cpuid(uint32_t leaf)
{
    return leaf == 1 ? m.leaf1 : leaf == 7 ? m.leaf7 : (struct cpuid){ 0 };
}

static uint64_t model_rdtsc(void)
{
    return m.tsc;
}

void time_delay_ns(uint64_t ns)
{
    m.tsc += 2 * ns;    // 2 GHz
    m.ticks += ns / 10; // 100 MHz
}

uint64_t rdmsr(uint32_t msr)
{
    if (msr == X2APIC_TIMER_CURRENT)
        return m.msr[X2APIC_TIMER_INITIAL] - m.ticks;
    return m.msr[msr % MSRS];
}

// An EOI ends the highest interrupt in service.
static void end_interrupt(void)
{
    m.eois++;
    for (int i = 7; i >= 0 && !m.isr_stuck; i--)
        if (m.msr[X2APIC_ISR + i]) {
            m.msr[X2APIC_ISR + i] &= ~(BIT64(63) >> __builtin_clzll(m.msr[X2APIC_ISR + i]));
            return;
        }
}

void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == X2APIC_EOI)
        return end_interrupt();
    assert_true(m.writes_count < ARRAY_SIZE(m.writes));
    m.writes[m.writes_count].msr = msr;
    m.writes[m.writes_count++].value = value;
    m.msr[msr % MSRS] = value;
}

static int setup(void **state)
{
    memset(&m, 0, sizeof(m));
    memset(&apic_timer, 0, sizeof(apic_timer));
    m.msr[MSR_APIC_BASE] = 0xfee00000 | APIC_BASE_BSP | APIC_BASE_EN;
    m.msr[X2APIC_VERSION] = field_put(X2APIC_VERSION_MAX_LVT, 6) | 0x15;
    m.leaf1.c = BIT32(21) | BIT32(24);
    return 0;
}

static unsigned writes_to(uint32_t msr)
{
    unsigned count = 0;
    for (unsigned i = 0; i < m.writes_count; i++)
        count += m.writes[i].msr == msr;
    return count;
}

// ---- into x2APIC mode ----

static void cpus_without_x2apic_are_refused(void **state)
{
    struct problem p;
    assert_true(apic_check(&p));
    m.leaf1.c = 0;
    assert_false(apic_check(&p));
    assert_string_equal(p.what, "no-x2apic");
}

static void it_is_entered_by_legal_steps(void **state)
{
    static const struct {
        uint64_t from;
        unsigned writes;
    } cases[] = { { 0, 2 }, { APIC_BASE_EN, 1 }, { APIC_BASE_EN | APIC_BASE_EXTD, 0 } };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        setup(NULL);
        m.msr[MSR_APIC_BASE] = 0xfee00000 | cases[i].from;
        apic_init_cpu();
        assert_int_equal(m.msr[MSR_APIC_BASE], 0xfee00000 | APIC_BASE_EN | APIC_BASE_EXTD);
        assert_int_equal(writes_to(MSR_APIC_BASE), cases[i].writes);
        if (cases[i].writes == 2)
            assert_int_equal(m.writes[0].value, 0xfee00000 | APIC_BASE_EN);
        assert_true(apic_is_ready());
    }
    m.msr[MSR_APIC_BASE] = APIC_BASE_EN;
    assert_false(apic_is_ready());
}

static void every_priority_is_let_in(void **state)
{
    m.msr[X2APIC_TPR] = 0x20;
    apic_init_cpu();
    assert_int_equal(m.msr[X2APIC_TPR], 0);
    assert_int_equal(m.msr[X2APIC_SVR], 0x1ff);
    assert_int_equal(m.msr[X2APIC_LVT_ERROR], VECTOR_ERROR);
    assert_int_equal(writes_to(X2APIC_ESR), 1);
}

// Only those that the version says there are: others' MSRs fault.
static void local_sources_are_masked(void **state)
{
    static const struct {
        uint32_t msr;
        unsigned least;
    } sources[] = { { X2APIC_LVT_LINT0, 0 },
                    { X2APIC_LVT_LINT1, 0 },
                    { X2APIC_LVT_PERFORMANCE, 4 },
                    { X2APIC_LVT_THERMAL, 5 },
                    { X2APIC_LVT_CMCI, 6 } };
    for (unsigned most = 3; most <= 6; most++) {
        setup(NULL);
        m.msr[X2APIC_VERSION] = field_put(X2APIC_VERSION_MAX_LVT, most);
        apic_init_cpu();
        for (unsigned i = 0; i < ARRAY_SIZE(sources); i++)
            assert_int_equal(m.msr[sources[i].msr],
                             most >= sources[i].least ? X2APIC_LVT_MASKED : 0);
    }
}

// The boot CPU's stays, and all others get it, though INIT has reset theirs.
static void an_smi_stays_an_smi(void **state)
{
    uint64_t smi = field_put(X2APIC_LVT_MODE, X2APIC_LVT_MODE_SMI);
    m.msr[X2APIC_LVT_THERMAL] = smi;
    apic_init_cpu();
    assert_int_equal(m.msr[X2APIC_LVT_THERMAL], smi);
    assert_int_equal(m.msr[X2APIC_LVT_LINT0], X2APIC_LVT_MASKED);
    setup(NULL);
    apic_init_cpu();
    assert_int_equal(m.msr[X2APIC_LVT_THERMAL], smi);
}

static void what_firmware_left_in_service_is_ended(void **state)
{
    m.msr[X2APIC_ISR + 1] = 0x5;
    m.msr[X2APIC_ISR + 7] = 0x80000000;
    apic_init_cpu();
    assert_int_equal(m.eois, 3);
    setup(NULL);
    m.msr[X2APIC_ISR] = 1;
    m.isr_stuck = true; // it ends all the same
    apic_init_cpu();
    assert_int_equal(m.eois, VECTORS);
}

// ---- IPIs ----

static void sends(void (*send_it)(uint32_t), uint64_t icr)
{
    send_it(0x12345678);
    assert_int_equal(m.msr[X2APIC_ICR], icr);
    assert_int_equal(writes_to(X2APIC_ICR), 1);
    m.writes_count = 0;
}

static void send_fixed(uint32_t id)
{
    apic_send(id, 0xef);
}

static void send_startup(uint32_t id)
{
    apic_send_startup(id, 0x9a);
}

// SDM vol. 3, figure 11-28.
static void ipis_name_the_whole_id(void **state)
{
    sends(send_fixed, 0x12345678000040ef);
    sends(apic_send_init, 0x1234567800004500);
    sends(send_startup, 0x123456780000469a);
    sends(apic_send_nmi, 0x1234567800004400);
}

static void requested_vectors_are_found(void **state)
{
    for (unsigned v = 0; v < VECTORS; v++) {
        m.msr[X2APIC_IRR + v / 32] = 1u << v % 32;
        assert_true(apic_is_requested((uint8_t)v));
        assert_false(apic_is_requested((uint8_t)(v ^ 1)));
        assert_false(apic_is_requested((uint8_t)(v ^ 32)));
        m.msr[X2APIC_IRR + v / 32] = 0;
    }
}

static void ids_have_32_bits(void **state)
{
    m.msr[X2APIC_ID] = 0x89abcdef;
    assert_int_equal(apic_id(), 0x89abcdef);
}

// ---- the timer ----

static void deadlines_are_tsc_values(void **state)
{
    apic_timer_init();
    assert_true(apic_timer_is_tsc_deadline());
    assert_int_equal(m.msr[X2APIC_LVT_TIMER],
                     field_put(X2APIC_LVT_TIMER_MODE, X2APIC_LVT_TIMER_TSC_DEADLINE) |
                         VECTOR_TIMER);
    apic_timer_set(0x123456789abc);
    assert_int_equal(m.msr[MSR_TSC_DEADLINE], 0x123456789abc);
    apic_timer_cancel();
    assert_int_equal(m.msr[MSR_TSC_DEADLINE], 0);
    assert_int_equal(writes_to(X2APIC_TIMER_INITIAL), 0);
}

// 100 MHz of counter, 2 GHz of TSC: a tick is 20 cycles.
static void begin_with_counter(void)
{
    m.leaf1.c &= ~BIT32(24);
    apic_timer_init();
    assert_false(apic_timer_is_tsc_deadline());
}

static void without_deadlines_the_counter_counts(void **state)
{
    begin_with_counter();
    assert_int_equal(m.msr[X2APIC_LVT_TIMER], VECTOR_TIMER);
    assert_int_equal(m.msr[X2APIC_TIMER_DIVIDE], X2APIC_TIMER_DIVIDE_1);
    assert_int_equal(m.msr[X2APIC_TIMER_INITIAL], 0); // it was measured, and stands
    apic_timer_set(m.tsc + 20000);
    assert_in_range(m.msr[X2APIC_TIMER_INITIAL], 999, 1000);
    apic_timer_set(m.tsc + 10); // less than a tick: 0 would be never
    assert_int_equal(m.msr[X2APIC_TIMER_INITIAL], 1);
    apic_timer_set(m.tsc);
    assert_int_equal(m.msr[X2APIC_TIMER_INITIAL], 1);
    apic_timer_set(m.tsc - 1);
    assert_int_equal(m.msr[X2APIC_TIMER_INITIAL], 1);
    apic_timer_cancel();
    assert_int_equal(m.msr[X2APIC_TIMER_INITIAL], 0);
    assert_int_equal(writes_to(MSR_TSC_DEADLINE), 0);
}

// Too far for it: it comes early, and the loop sets it again.
static void a_far_time_is_cut(void **state)
{
    begin_with_counter();
    apic_timer_set(UINT64_MAX);
    assert_in_range(m.msr[X2APIC_TIMER_INITIAL], BIT64(31) / 20 - 1, BIT64(31) / 20);
    apic_timer.ticks_per_tsc = 3ull << 31; // a counter faster than the TSC
    apic_timer_set(UINT64_MAX);
    assert_int_equal(m.msr[X2APIC_TIMER_INITIAL], BIT64(31) / 2 * 3);
}

// Errata of the Haswell to Skylake servers.
static void adjusted_tscs_get_the_counter(void **state)
{
    m.leaf7.b = BIT32(1);
    m.msr[MSR_TSC_ADJUST] = 5;
    apic_timer_init();
    assert_false(apic_timer_is_tsc_deadline());
    setup(NULL);
    m.leaf7.b = BIT32(1);
    apic_timer_init();
    assert_true(apic_timer_is_tsc_deadline());
    setup(NULL);
    m.msr[MSR_TSC_ADJUST] = 5; // isn't there
    apic_timer_init();
    assert_true(apic_timer_is_tsc_deadline());
}

static void a_stopped_timer_is_masked(void **state)
{
    apic_timer_init();
    apic_stop_timer();
    assert_int_equal(m.msr[X2APIC_LVT_TIMER] & X2APIC_LVT_MASKED, X2APIC_LVT_MASKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cpus_without_x2apic_are_refused, setup),
        cmocka_unit_test_setup(it_is_entered_by_legal_steps, setup),
        cmocka_unit_test_setup(every_priority_is_let_in, setup),
        cmocka_unit_test_setup(local_sources_are_masked, setup),
        cmocka_unit_test_setup(what_firmware_left_in_service_is_ended, setup),
        cmocka_unit_test_setup(ipis_name_the_whole_id, setup),
        cmocka_unit_test_setup(requested_vectors_are_found, setup),
        cmocka_unit_test_setup(ids_have_32_bits, setup),
        cmocka_unit_test_setup(deadlines_are_tsc_values, setup),
        cmocka_unit_test_setup(without_deadlines_the_counter_counts, setup),
        cmocka_unit_test_setup(a_far_time_is_cut, setup),
        cmocka_unit_test_setup(adjusted_tscs_get_the_counter, setup),
        cmocka_unit_test_setup(a_stopped_timer_is_masked, setup),
        cmocka_unit_test_setup(an_smi_stays_an_smi, setup), // last: it stays
    };
    return cmocka_run_group_tests_name("apic", tests, NULL, NULL);
}
