// SPDX-License-Identifier: BSD-2-Clause
// Faults from the unit's records to people and tools: each one told with device, entry and reason,
// the rate limited, overflow and storms survived, and the event able to come again afterwards.

#include "vtd_machine.h"

static struct problem p;
static struct model_unit *m;
static struct irq irq;
static bool storm;

static int set_up(void **state)
{
    m = machine_one_unit();
    machine_enable();
    irq = (struct irq){ .name = "nvme0q3", .dev = &machine_devs[0], .vector = 0x41 };
    assert_true(vtd_chip_remapped.alloc(&irq, &p));
    assert_true(vtd_chip_remapped.route(&irq, machine_place(&irq), &p));
    return 0;
}

static int check_rules(void **state)
{
    assert_rules_kept(m);
    return 0;
}

static void send(uint16_t source, uint32_t index)
{
    model_msi(m, source, 0xfee00010 | (uint64_t)index << 5, 0);
}

// A wrong sender: what people read, what tools read.
static void test_one(void **state)
{
    send(PCI_BDF(0, 5, 0), irq.chip_handle);
    assert_int_equal(m->events, 1);
    assert_int_equal(m->event_data, 0xf2);
    assert_int_equal(m->event_address, 0x00000300fee01000);
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 1);
    assert_int_equal(told.errors, 1);
    assert_string_equal(told.error_what, "vtd-fault");
    assert_non_null(strstr(told.error, "0000:00:05.0 through entry 0 (nvme0q3)"));
    assert_non_null(strstr(told.error, "another sender (0000:00:04.0)"));
    assert_int_equal(told.objects, 1);
    assert_non_null(strstr(told.object, "{\"type\":\"fault\",\"unit\":\"0xfed90000\","
                                        "\"source\":\"0000:00:05.0\",\"index\":0,\"reason\":38,"
                                        "\"what\":\"irte-source\",\"message\":\"VT-d unit"));
    assert_int_equal(m->fsts & 0xff, 0);

    vtd_report_faults(); // nothing more
    assert_int_equal(vtd_fault_count(), 1);
    assert_int_equal(told.errors, 1);

    send(PCI_BDF(0, 5, 0), irq.chip_handle); // the event comes again
    assert_int_equal(m->events, 2);
}

// A device that we don't use is no reason to fail.
static void test_stranger(void **state)
{
    struct irq idle = { .name = "idle", .dev = &machine_devs[1] };
    assert_true(vtd_chip_remapped.alloc(&idle, &p)); // not routed: it fits nobody
    send(PCI_BDF(0, 20, 0), 99);
    model_msi(m, PCI_BDF(0, 20, 0), 0xfee01000, 0x31); // compatibility format
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 2);
    assert_int_equal(told.errors, 0);
    assert_int_equal(told.warnings, 2);
    assert_non_null(strstr(told.warning, "0000:00:14.0: messages in compatibility format"));
    assert_null(strstr(told.object, "\"index\""));
    assert_non_null(strstr(told.object, "\"what\":\"msi-compatibility\""));
}

// The same from a device of ours: its interrupt is lost.
static void test_ours_without_index(void **state)
{
    model_msi(m, PCI_BDF(0, 4, 0), 0xfee01000, 0x31);
    vtd_report_faults();
    assert_int_equal(told.errors, 1);
    assert_int_equal(told.warnings, 0);
}

// From the record that came first, round the ring.
static void test_ring(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        send(PCI_BDF(0, 20, 0), 100 + i);
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 3);
    for (unsigned i = 0; i < 3; i++) // records 3, 0, 1
        send(PCI_BDF(0, 20, 0), 200 + i);
    assert_int_equal(m->fsts >> 8, 3);
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 6);
    assert_non_null(strstr(told.warning, "entry 202"));
    assert_int_equal(m->fsts & 0xff, 0);
}

// A burst in the middle of a round: it is recorded from the second record on, where the unit sets
// PPF anew, and reaches round to the first. The round ends before it comes there again, and the
// unit goes on naming the second one, which is free by then.
static void burst_when_none_is_pending(void)
{
    if (storm && !(m->fsts & M_FSTS_PPF)) {
        storm = false;
        for (unsigned i = 0; i < 4; i++)
            send(PCI_BDF(0, 20, 0), 100 + i);
    }
}

static void test_burst_in_a_round(void **state)
{
    send(PCI_BDF(0, 20, 0), 99);
    storm = true;
    model_between = burst_when_none_is_pending;
    vtd_report_faults();
    model_between = NULL;
    assert_int_equal(vtd_fault_count(), 4);
    assert_int_equal(m->fsts & 0xff02, 0x0102);
    assert_int_equal(m->records[1][1] >> 63, 0);
    assert_int_equal(m->records[0][1] >> 63, 1);
    vtd_report_faults();
    model_arrive(m);
    assert_int_equal(vtd_fault_count(), 5);
    assert_int_equal(m->fsts & 0xff, 0);
}

// More faults than records: the rest is lost, said so, and later ones are recorded again.
static void test_overflow(void **state)
{
    for (unsigned i = 0; i < 9; i++)
        send(PCI_BDF(0, 20, 0), 100 + i);
    assert_true(m->fsts & M_FSTS_PFO);
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 4);
    assert_int_equal(m->fsts & 0xff, 0);
    assert_non_null(strstr(told.warning, "than the units have records for"));
    assert_non_null(strstr(told.object, "\"lost\":true"));
    send(PCI_BDF(0, 20, 0), 300);
    assert_int_equal(m->events, 2);
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 5);
}

// Ten sentences, then one summary a second.
static void test_rate(void **state)
{
    for (unsigned i = 0; i < 10; i++) {
        send(PCI_BDF(0, 20, 0), 100);
        vtd_report_faults();
    }
    assert_int_equal(told.warnings, 10);
    assert_int_equal(told.objects, 10);
    assert_null(machine_timer);
    for (unsigned i = 0; i < 30; i++) {
        send(i == 17 ? PCI_BDF(0, 5, 0) : PCI_BDF(0, 20, 0), i == 17 ? irq.chip_handle : 100);
        vtd_report_faults();
    }
    assert_int_equal(vtd_fault_count(), 40);
    assert_int_equal(told.warnings, 10);
    assert_int_equal(told.objects, 10);
    assert_non_null(machine_timer); // somebody has to say the rest

    assert_in_range(machine_timer_due, model_now, model_now + NS_PER_S);
    model_now = machine_timer_due;
    machine_timer->fn(machine_timer);
    assert_int_equal(told.errors, 1); // one of them was ours
    assert_non_null(strstr(told.error, "30 more VT-d faults; the last one recorded: VT-d unit"));
    assert_non_null(strstr(told.object, "\"suppressed\":30,\"lost\":false"));

    send(PCI_BDF(0, 20, 0), 100); // the next summary is a second away
    machine_timer = NULL;
    vtd_report_faults();
    assert_int_equal(told.objects, 11);
    assert_non_null(machine_timer);
    model_now += NS_PER_S;
    machine_timer->fn(machine_timer);
    assert_int_equal(told.warnings, 11);
    assert_memory_equal(told.warning, "1 more VT-d faults;", 19);
    assert_non_null(strstr(told.object, "\"suppressed\":1,"));
}

// A device that faults faster than records are read can't hold the loop.
static void fault_if_storm(void)
{
    if (storm)
        send(PCI_BDF(0, 20, 0), 100);
}

static void test_storm(void **state)
{
    storm = true;
    send(PCI_BDF(0, 20, 0), 100);
    model_between = fault_if_storm;
    for (unsigned i = 0; i < 5; i++) {
        unsigned events = m->events;
        machine_timer = NULL;
        vtd_report_faults();
        assert_in_range(vtd_fault_count(), i + 1, 4 * (i + 1)); // at most one round each time
        if (m->events > events)                                 // and somebody comes again
            continue;
        assert_non_null(machine_timer);
        assert_in_range(machine_timer_due, model_now, model_now + 20 * NS_PER_MS);
    }
    storm = false;
    vtd_report_faults();
    model_arrive(m);
    assert_int_equal(m->fsts & 0xff, 0);
    model_between = NULL;
}

// Errors of device TLBs would hold back all events; those of the queue are its owner's.
static void test_other_status(void **state)
{
    m->fsts |= M_FSTS_ICE | M_FSTS_IQE;
    vtd_report_faults();
    assert_int_equal(m->fsts & 0xff, M_FSTS_IQE);
    assert_non_null(machine_timer); // no event comes of a fault as long as that is set
    m->fsts = 0;
    machine_timer->fn(machine_timer);
    assert_int_equal(vtd_fault_count(), 0);
}

// Faults of before are neither told nor counted, and a pending event is not sent twice.
static void test_enable_again(void **state)
{
    send(PCI_BDF(0, 20, 0), 100);
    machine_enable();
    m->events = 0;
    vtd_report_faults();
    assert_int_equal(vtd_fault_count(), 0);
    send(PCI_BDF(0, 20, 0), 100);
    assert_int_equal(m->events, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_stranger, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_ours_without_index, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_ring, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_burst_in_a_round, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_overflow, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_rate, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_storm, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_other_status, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_enable_again, set_up, check_rules),
    };
    return run_on_both_kinds(tests);
}
