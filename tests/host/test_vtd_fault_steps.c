// SPDX-License-Identifier: BSD-2-Clause
// Faults that come between any two actions: while records are read, while the report is written,
// while the unit is taken over and turned on. Each one that was recorded is told once and as what it
// is, overflow is told, and afterwards a new fault sends its event.

#include "vtd_machine.h"

#include "drivers/vtd/unit.h"

static struct model_unit *m;

#define FAULTS_MAX 16

static uint16_t recorded[FAULTS_MAX], told_of[FAULTS_MAX]; // by their index
static unsigned recorded_count, told_count;
static unsigned next_index;
static bool told_lost;

static void fault(void)
{
    unsigned before = m->next_record;
    bool room = !(m->records[before][1] >> 63) && !(m->fsts & M_FSTS_PFO);
    model_fault(m, 0x22, PCI_BDF(0, 20, 0), (uint64_t)++next_index << 48);
    if (!room)
        return;
    assert_in_range(recorded_count, 0, FAULTS_MAX - 1);
    recorded[recorded_count++] = (uint16_t)next_index;
}

static void note_object(const char *text)
{
    const char *index = strstr(text, "\"index\":");
    told_lost |= strstr(text, "\"lost\":true") != NULL;
    if (!index)
        return;
    assert_in_range(told_count, 0, FAULTS_MAX - 1);
    told_of[told_count++] = (uint16_t)atoi(index + 8);
}

static void start(unsigned records)
{
    m = machine_one_unit();
    m->cap = M_CAP_PI | M_CAP_RECORDS(0x220, records);
    machine_enable();
    machine_on_object = note_object;
}

// The same unit as it was at first.
static void begin(void)
{
    m->next_record = m->events = m->fsts = 0;
    memset(m->records, 0, sizeof(m->records));
    recorded_count = told_count = next_index = 0;
    machine_timer = NULL;
    told_lost = false;
    fault_report_reset();
}

// What the machine does until nothing is left to do: an event, or the timer, asks for a report.
static void run(void)
{
    unsigned events = 0, rounds = 0;
    while (m->events > events || machine_timer) {
        struct cpu_timer *timer = machine_timer;
        assert_in_range(rounds++, 0, 20);
        if (m->events > events) {
            events = m->events;
            vtd_report_faults();
            continue;
        }
        model_now = MAX(model_now, machine_timer_due);
        machine_timer = NULL;
        timer->fn(timer);
    }
    model_arrive(m);
}

static int by_value(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

// In whatever order: where a round ended, and where the next one begins, may lie in one burst.
static void check(bool lost)
{
    assert_int_equal(told_count, recorded_count);
    qsort(told_of, told_count, sizeof(told_of[0]), by_value);
    for (unsigned i = 0; i < told_count; i++)
        assert_int_equal(told_of[i], recorded[i]);
    assert_int_equal(vtd_fault_count(), recorded_count);
    assert_int_equal(m->fsts & 0xff, 0);
    assert_int_equal(told_lost, lost);
    unsigned events = m->events;
    fault();
    assert_int_equal(m->events, events + 1);
    assert_rules_kept(m);
}

static unsigned at_moment, moment, burst;

static void fault_at_moment(void)
{
    if (++moment == at_moment)
        for (unsigned i = 0; i < burst; i++)
            fault();
}

// Units of one to three records, bursts that fit and that don't, at each moment of the report.
static void test_while_read(void **state)
{
    for (unsigned records = 1; records <= 3; records++) {
        start(records);
        for (burst = 1; burst <= 4; burst++)
            for (at_moment = 1, moment = 1; moment >= at_moment; at_moment++) {
                begin();
                moment = 0;
                model_between = fault_at_moment;
                fault();
                run();
                model_between = NULL;
                if (moment < at_moment)
                    break; // the report has no more of them
                check(recorded_count < next_index);
            }
    }
}

// A second fault at each moment after the first.
static unsigned second_moment;

static void faults_at_moments(void)
{
    if (++moment == at_moment || moment == second_moment)
        fault();
}

static void test_two_while_read(void **state)
{
    for (unsigned records = 1; records <= 2; records++) {
        start(records);
        for (at_moment = 1; at_moment < 24; at_moment++)
            for (second_moment = at_moment + 1; second_moment < 30; second_moment++) {
                begin();
                moment = 0;
                model_between = faults_at_moments;
                fault();
                run();
                model_between = NULL;
                check(recorded_count < next_index);
            }
    }
}

// While an overflow stands, nothing is recorded: the report that it comes in ends it, not the next one.
static void overflow_after_the_first_look(void)
{
    if (++moment != 2)
        return;
    fault();
    assert_true(m->fsts & M_FSTS_PFO);
}

static void test_overflow_while_read(void **state)
{
    start(1);
    begin();
    moment = 0;
    fault();
    model_between = overflow_after_the_first_look;
    vtd_report_faults();
    model_between = NULL;
    assert_int_equal(m->fsts & M_FSTS_PFO, 0);
}

// Firmware's devices fault at one moment or another until our event is on: none of that holds back
// the first event of ours, and none of it is sent anywhere else once firmware's event is masked.
static const uint32_t firmware_data = 0x30, our_data = 0xf2;
static unsigned events_seen;
static bool masked, astray;

static void burst_at_moment(void)
{
    astray |= masked && m->events != events_seen && m->event_data != our_data;
    events_seen = m->events;
    masked |= m->fectl >> 31;
    if (++moment == at_moment)
        for (unsigned i = 0; i < burst; i++)
            model_fault(m, 0x22, PCI_BDF(0, 20, 0), 99ull << 48);
}

static void test_while_turned_on(void **state)
{
    for (burst = 1; burst <= 9; burst += 4)
        for (at_moment = 1, moment = 1; moment >= at_moment; at_moment++) {
            m = machine_one_unit();
            m->gsts = M_IRE | M_SIRTP;
            m->fectl = 0; // firmware's event is on
            m->fedata = firmware_data;
            m->feaddr = 0xfee00000;
            moment = events_seen = 0;
            masked = astray = false;
            model_between = burst_at_moment;
            machine_enable();
            model_between = NULL;
            assert_false(astray);
            run();
            assert_int_equal(m->fsts & 0xff, 0);
            m->events = 0;
            model_fault(m, 0x22, PCI_BDF(0, 20, 0), 99ull << 48);
            assert_int_equal(m->events, 1);
            assert_int_equal(m->event_data, our_data);
            assert_int_equal(m->event_address, 0x00000300fee01000);
            assert_rules_kept(m);
        }
}

// Everything that firmware can have left in its records: all of them, in any order, and overflow.
static void test_left_by_firmware(void **state)
{
    for (unsigned left = 1; left < 16; left++) {
        m = machine_one_unit();
        for (unsigned i = 0; i < 4; i++)
            if (left & 1u << i)
                m->records[i][1] = 1ull << 63;
        m->fsts = M_FSTS_PPF | M_FSTS_PFO | M_FSTS_ITE | M_FSTS_ICE;
        machine_enable();
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(m->records[i][1] >> 63, 0);
        assert_int_equal(m->fsts & 0xff, 0);
        vtd_report_faults();
        assert_int_equal(vtd_fault_count(), 0);
        assert_rules_kept(m);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_while_read),          cmocka_unit_test(test_two_while_read),
        cmocka_unit_test(test_overflow_while_read), cmocka_unit_test(test_while_turned_on),
        cmocka_unit_test(test_left_by_firmware),
    };
    return run_on_both_kinds(tests);
}
