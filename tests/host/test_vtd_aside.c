// SPDX-License-Identifier: BSD-2-Clause
// Units that are put aside on the way up, against the register-level model: nothing of ours stays in one,
// but for translation that may never turn off, since a display could hang.

#include "vtd_fenced.h"

#define ASIDE_BASE (MACHINE_BASE + 0x1000)

static struct model_unit *disks, *aside;

// DISK is behind the one; OTHER, which nobody drives, is alone behind the other.
static void two_units(void)
{
    disks = fenced_unit();
    dmar_begin(&machine_dmar, 1);
    size_t at = dmar_drhd(&machine_dmar, false, 0, ASIDE_BASE);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(5, 0));
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    blob_finish(&machine_dmar);
    aside = machine_unit(1, ASIDE_BASE);
}

// Firmware draws by it, and it is of a kind that may hang.
static void make_display(void)
{
    OTHER->class_code = 0x030000;
    OTHER->vendor = 0x8086;
    OTHER->device = 0x46a6;
    aside->gsts = M_TE | M_SRTP;
}

static int tear_down(void **state)
{
    OTHER->vendor = OTHER->device = 0;
    return end(state);
}

static void assert_forgotten(const struct model_unit *m)
{
    assert_int_equal(m->gsts & (M_IRE | M_QIE), 0);
    assert_int_equal(m->irta | m->iqa | m->fedata | m->feaddr | m->feuaddr, 0);
    assert_true(m->fectl & 1u << 31);
}

static void assert_put_aside(void)
{
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, "vtd-unit-left");
    assert_non_null(strstr(told.warning, "0xfed91000"));
    assert_non_null(strstr(told.warning, "put aside"));
    assert_true(disks->gsts & M_IRE);
    assert_forgotten(aside);
}

// Whether vtd_fence_print() tells that the unit is no fence, and no untruth.
static bool is_told_unfenced(void)
{
    told.warnings = 0;
    vtd_fence_print();
    if (!told.warnings)
        return false;
    assert_string_equal(told.warning_what, "dma-unit");
    assert_non_null(strstr(told.warning, "0xfed91000"));
    assert_null(strstr(told.warning, "firmware"));
    return true;
}

// ---- any unit ----

// At each step that comes after a change to it.
static void test_nothing_stays(void **state)
{
    static const uint32_t deaf[] = { M_QIE, M_SIRTP, M_SRTP, M_TE, M_IRE };
    for (unsigned i = 0; i < ARRAY_SIZE(deaf); i++) {
        two_units();
        aside->deaf = deaf[i];
        machine_enable();
        assert_put_aside();
        assert_int_equal(aside->gsts & M_TE, 0);
        assert_int_equal(aside->rtaddr, 0);
        assert_int_equal(writes(aside, OTHER, PIECE), 0);
        assert_true(is_told_unfenced());
    }
}

static void test_firmware_s_fence_stays(void **state)
{
    two_units();
    aside->gsts = M_TE | M_SRTP;
    aside->deaf = M_SIRTP; // before it is ours
    machine_enable();
    assert_put_aside();
    assert_true(aside->gsts & M_TE);
}

// ---- a display's ----

static void test_a_display_of_another_mode(void **state)
{
    two_units();
    make_display();
    aside->ecap |= M_ECAP_SMTS;
    aside->cap |= M_CAP_PLMR | M_CAP_PHMR;
    aside->ttm = 1;
    machine_enable();
    assert_put_aside();
    assert_non_null(strstr(told.warning, "display"));
    assert_string_equal(aside->log, "QIE+ SIRTP+ IEC QIE-");
    assert_true(aside->gsts & M_TE);
    assert_int_equal(aside->ttm, 1);
    assert_int_equal(aside->pmen, 0);
    assert_rules_kept(aside);
    assert_true(is_told_unfenced());
}

// Its fence stands by then, and stays.
static void test_a_display_whose_unit_does_not_remap(void **state)
{
    two_units();
    make_display();
    aside->deaf = M_IRE;
    machine_enable();
    assert_put_aside();
    assert_null(strstr(aside->log, "TE"));
    assert_true(aside->gsts & M_TE);
    assert_int_equal(aside->rtaddr, aside->root);
    assert_true(writes(aside, OTHER, PIECE));
    assert_false(is_told_unfenced());
}

static void test_a_display_and_a_failure_elsewhere(void **state)
{
    two_units();
    make_display();
    disks->deaf = M_IRE;
    assert_true(vtd_init(&p));
    assert_problem(vtd_enable(0xf2, 0x301, &p), "vtd-timeout");
    assert_int_equal(disks->gsts & M_TE, 0);
    assert_string_equal(aside->log, "QIE+ SIRTP+ IEC SRTP+ CC TLB IRE+ IRE- QIE-");
    assert_true(aside->gsts & M_TE);
    assert_rules_kept(aside);
}

static void test_a_display_at_the_end(void **state)
{
    two_units();
    make_display();
    machine_enable();
    assert_int_equal(told.warnings, 0);
    vtd_hand_back();
    assert_string_equal(aside->log, "QIE+ SIRTP+ IEC SRTP+ CC TLB IRE+ IRE- QIE-");
    assert_forgotten(aside);
    assert_int_equal(aside->rtaddr, aside->root); // which it goes on walking
    assert_int_equal(disks->rtaddr, 0);
    assert_rules_kept(aside);
    assert_rules_kept(disks);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_nothing_stays, tear_down),
        cmocka_unit_test_teardown(test_firmware_s_fence_stays, tear_down),
        cmocka_unit_test_teardown(test_a_display_of_another_mode, tear_down),
        cmocka_unit_test_teardown(test_a_display_whose_unit_does_not_remap, tear_down),
        cmocka_unit_test_teardown(test_a_display_and_a_failure_elsewhere, tear_down),
        cmocka_unit_test_teardown(test_a_display_at_the_end, tear_down),
    };
    return run_on_both_kinds(tests);
}
