// SPDX-License-Identifier: BSD-2-Clause
// Machines with several units: each device's interrupts go through its own unit and no other, and
// what holds for the first unit is asked of every one.

#include "vtd_machine.h"

static struct problem p;
static struct model_unit *units[3];

// Device 0 is behind the second unit, device 1 behind the third, device 2 (segment 9) behind the
// first.
static int set_up(void **state)
{
    machine_one_unit();
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 9, MACHINE_BASE);
    size_t at = dmar_drhd(&machine_dmar, false, 0, MACHINE_BASE + 0x1000);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(4, 0));
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE + 0x2000);
    dmar_rhsa(&machine_dmar, MACHINE_BASE + 0x1000, 7);
    blob_finish(&machine_dmar);
    for (unsigned i = 0; i < 3; i++)
        units[i] = machine_unit(i, MACHINE_BASE + 0x1000 * i);
    return 0;
}

static int check_rules(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        assert_rules_kept(units[i]);
    return 0;
}

static struct model_result send(const struct irq *irq, struct model_unit *through)
{
    return model_msi(through, irq->dev->requester, 0xfee00010 | irq->chip_handle << 5, 0);
}

static void test_own_unit(void **state)
{
    static const unsigned unit_of[] = { 1, 2, 0 };
    machine_enable();
    for (unsigned dev = 0; dev < ARRAY_SIZE(unit_of); dev++) {
        struct irq irq = { .name = "nvme0q1", .dev = &machine_devs[dev], .cpu = 1 };
        assert_true(vtd_chip_remapped.alloc(&irq, &p));
        for (unsigned i = 0; i < 3; i++)
            units[i]->log[0] = 0;
        assert_true(
            vtd_chip_remapped.route(&irq, (struct irq_place){ 0, (uint8_t)(0x40 + dev) }, &p));
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(send(&irq, units[i]).reason, i == unit_of[dev] ? 0 : 0x22);
            assert_string_equal(units[i]->log, i == unit_of[dev] ? "IEC0" : "");
        }
        assert_int_equal(send(&irq, units[unit_of[dev]]).vector, 0x40 + dev);
        vtd_chip_remapped.free(&irq);
        assert_int_equal(send(&irq, units[unit_of[dev]]).reason, 0x22);
    }
}

// A unit's structures lie on its own node: the ring of its queue, and the table.
static void test_nodes(void **state)
{
    machine_enable();
    assert_int_equal(model_node_of(units[1]->irta_in_use & ~0xfffull), 7);
    assert_int_equal(model_node_of(units[1]->iqa & ~0xfffull), 7);
    assert_int_equal(model_node_of(units[2]->irta_in_use & ~0xfffull), NODE_ANY);
}

// One unit that lacks something takes nothing from the others, and is told of.
static void test_each_may_lack(void **state)
{
    static const struct {
        uint64_t lacks;
        const char *what;
    } cases[] = {
        { M_ECAP_QI, "vtd-no-qi" },
        { M_ECAP_IR, "vtd-no-ir" },
        { M_ECAP_EIM, "vtd-no-eim" },
    };
    for (unsigned i = 0; i < 3; i++) {
        char base[32];
        snprintf(base, sizeof(base), "0x%llx", MACHINE_BASE + 0x1000 * i);
        for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
            set_up(NULL);
            units[i]->ecap &= ~cases[n].lacks;
            machine_enable();
            assert_int_equal(told.warnings, 1);
            assert_string_equal(told.warning_what, cases[n].what);
            assert_non_null(strstr(told.warning, base));
            for (unsigned other = 0; other < 3; other++)
                assert_int_equal(!!(units[other]->gsts & M_IRE), other != i);
            check_rules(NULL);
        }
        set_up(NULL);
        units[i]->cap &= ~M_CAP_PI;
        assert_true(vtd_init(&p));
        assert_problem(vtd_can_post(false, &p), "vtd-no-posting");
        assert_non_null(strstr(p.message, base));
    }
}

// Firmware leaves each of them on; all are taken over before any is judged.
static void test_each_is_taken_over(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        units[i]->gsts = M_TE | M_SRTP | M_IRE | M_SIRTP;
    units[0]->ecap &= ~M_ECAP_EIM;
    assert_true(vtd_init(&p));
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(units[i]->log, "IRE- TE-");
}

// One that isn't there, whichever it is, takes nothing from the others.
static void test_each_may_be_absent(void **state)
{
    for (unsigned absent = 0; absent < 3; absent++) {
        set_up(NULL);
        units[absent]->cap = units[absent]->ecap = ~0ull;
        machine_enable();
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(!!(units[i]->gsts & M_IRE), i != absent);
        check_rules(NULL);
    }
}

// What people and tools are told of each unit.
static const char *object_of[8];

static void keep_object(const char *text)
{
    object_of[told.objects % ARRAY_SIZE(object_of)] = strdup(text);
}

static void test_report(void **state)
{
    units[0]->cap &= ~M_CAP_PI;
    units[0]->ecap &= ~M_ECAP_C;
    units[1]->gsts = M_TE | M_SRTP;
    model_memory_free = 0;
    machine_enable();
    machine_on_object = keep_object;
    told.objects = told.infos = 0;
    vtd_print();
    assert_int_equal(told.objects, 3);
    assert_int_equal(told.infos, 3);
    assert_string_equal(object_of[1],
                        "{\"type\":\"vtd_unit\",\"unit\":\"0xfed90000\",\"segment\":9,"
                        "\"all_other_devices\":true,\"version\":\"4.0\","
                        "\"cap\":\"0x0000030c222f0606\","
                        "\"ecap\":\"0x000000000000101a\",\"posting\":false,"
                        "\"coherent\":false,\"entries\":4096,\"fault_records\":4,"
                        "\"left_on\":\"\"}");
    assert_string_equal(object_of[2],
                        "{\"type\":\"vtd_unit\",\"unit\":\"0xfed91000\",\"segment\":0,"
                        "\"all_other_devices\":false,\"version\":\"4.0\","
                        "\"cap\":\"0x0800030c222f0606\","
                        "\"ecap\":\"0x000000000000101b\",\"posting\":true,"
                        "\"coherent\":true,\"entries\":4096,\"fault_records\":4,"
                        "\"node\":7,\"left_on\":\"translation\"}");
    assert_string_equal(told.info,
                        "VT-d unit 0xfed92000: segment 0 (all others), version 4.0, posts, "
                        "coherent, 4096 entries");
    for (unsigned i = 1; i <= 3; i++)
        free((void *)object_of[i]);
}

// Faults of each unit are told, by its own segment.
static void test_faults_of_each(void **state)
{
    static const char *const names[] = { "0009:00:14.0", "0000:00:14.0", "0000:00:14.0" };
    machine_enable();
    for (unsigned i = 0; i < 3; i++) {
        model_fault(units[i], 0x22, PCI_BDF(0, 20, 0), 5ull << 48);
        assert_int_equal(units[i]->events, 1);
        vtd_report_faults();
        assert_int_equal(vtd_fault_count(), i + 1);
        assert_non_null(strstr(told.warning, names[i]));
    }
}

// What the first unit lost, or still has, isn't forgotten where the later ones have nothing.

static void fault_of_first(void)
{
    model_fault(units[0], 0x22, PCI_BDF(0, 20, 0), 5ull << 48);
}

static void fault_while_read(void)
{
    bool room = !(units[0]->records[units[0]->next_record][1] >> 63);
    if (units[0]->fsts & M_FSTS_PPF && room) // no event comes for this one
        fault_of_first();
}

static void test_overflow_of_first(void **state)
{
    machine_enable();
    for (unsigned i = 0; i < 9; i++)
        fault_of_first();
    vtd_report_faults();
    assert_non_null(strstr(told.warning, "than the units have records for"));
}

static void test_storm_of_first(void **state)
{
    machine_enable();
    fault_of_first();
    model_between = fault_while_read;
    vtd_report_faults();
    model_between = NULL;
    assert_true(units[0]->fsts & M_FSTS_PPF);
    assert_non_null(machine_timer);
    assert_in_range(machine_timer_due, model_now, model_now + 20 * NS_PER_MS);
    machine_timer->fn(machine_timer);
    assert_int_equal(units[0]->fsts & 0xff, 0);
    machine_timer = NULL; // and nothing is asked for any more
    machine_timer_due = 0;
    model_now += 10 * NS_PER_S;
    vtd_report_faults();
    vtd_report_faults();
    assert_null(machine_timer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_unit, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_nodes, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_each_may_lack, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_each_is_taken_over, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_each_may_be_absent, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_report, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_faults_of_each, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_overflow_of_first, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_storm_of_first, set_up, check_rules),
    };
    return run_on_both_kinds(tests);
}
