// SPDX-License-Identifier: BSD-2-Clause
// Giving the remapping units back, against the register-level model: in order, and with nothing of
// ours left in them.

#include "vtd_machine.h"

static void assert_as_found(const struct model_unit *m)
{
    assert_rules_kept(m);
    assert_int_equal(m->gsts & (M_IRE | M_QIE | M_TE), 0);
    assert_true(m->fectl & 1u << 31);
    assert_true(m->iectl & 1u << 31);
    assert_int_equal(m->irta, 0);
    assert_int_equal(m->iqa, 0);
    assert_int_equal(m->iqt, 0);
    assert_int_equal(m->fedata | m->feaddr | m->feuaddr, 0);
    assert_int_equal(m->fsts, 0);
}

static void test_in_order(void **state)
{
    struct model_unit *m = machine_one_unit();
    machine_enable();
    m->log[0] = 0;
    vtd_hand_back();
    assert_string_equal(m->log, "IRE- QIE-");
    assert_as_found(m);
    assert_int_equal(told.warnings + told.errors, 0);
}

static void test_faults_are_cleared(void **state)
{
    struct model_unit *m = machine_one_unit();
    machine_enable();
    m->fsts |= M_FSTS_PFO;
    vtd_hand_back();
    assert_as_found(m);
}

// The next kernel, ours for once, finds a unit that it can use.
static void test_the_next_one_can_use_it(void **state)
{
    struct model_unit *m = machine_one_unit();
    machine_enable();
    vtd_hand_back();
    m->log[0] = 0;
    machine_enable();
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC IRE+");
}

static void test_all_units(void **state)
{
    struct model_unit *first = machine_one_unit();
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    dmar_drhd(&machine_dmar, true, 3, MACHINE_BASE + 0x2000);
    blob_finish(&machine_dmar);
    struct model_unit *second = model_reset(1, MACHINE_BASE + 0x2000, MACHINE_CAP, MACHINE_ECAP);
    machine_enable();
    first->deaf = M_IRE; // it never follows
    vtd_hand_back();
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, "vtd-timeout");
    assert_as_found(second); // all the same
}

// With irq=msi, or where none was taken into use.
static void test_units_that_were_never_on(void **state)
{
    struct problem p;
    struct model_unit *m = machine_one_unit();
    assert_true(vtd_init(&p));
    m->log[0] = 0;
    vtd_hand_back();
    assert_string_equal(m->log, "");
    assert_as_found(m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_faults_are_cleared),
        cmocka_unit_test(test_the_next_one_can_use_it),
        cmocka_unit_test(test_all_units),
        cmocka_unit_test(test_units_that_were_never_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
