// SPDX-License-Identifier: BSD-2-Clause
// Finding and enabling remapping units, against the register-level model: the order of the steps, what
// units may lack, and units that don't answer.

#include "drivers/vtd/unit.h"
#include "vtd_machine.h"

static struct problem p;

// ---- a clean unit ----

static void test_order(void **state)
{
    struct model_unit *m = machine_one_unit();
    machine_enable();
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC IRE+");
    assert_int_equal(m->gsts, M_QIE | M_SIRTP | M_IRE);
    assert_int_equal(m->irta_in_use & 0xfff, 1 << 11 | 15);    // EIME, 65536 entries
    assert_int_equal(m->irta_in_use % 0x100000, 1 << 11 | 15); // aligned to its size
    assert_int_equal(m->iqa & 0xfff, 0);
    assert_int_equal(told.warnings + told.errors, 0);
}

// A command that a unit carries out at once, and one that takes long but not too long.
static void test_speeds(void **state)
{
    static const unsigned delays[] = { 0, 1, 50000 };
    for (unsigned i = 0; i < ARRAY_SIZE(delays); i++) {
        struct model_unit *m = machine_one_unit();
        m->delay = delays[i];
        m->lag = delays[i];
        machine_enable();
        assert_rules_kept(m);
        assert_string_equal(m->log, "QIE+ SIRTP+ IEC IRE+");
    }
}

static void test_compatibility_off(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->gsts = M_CFI;
    machine_enable();
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC IRE+ CFI-");
}

static void test_write_buffer(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->cap |= M_CAP_RWBF;
    machine_enable();
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE+ WBF+ SIRTP+ IEC IRE+");
    m = machine_one_unit();
    m->cap |= M_CAP_RWBF;
    m->deaf = M_WBF;
    assert_true(vtd_init(&p));
    assert_problem(vtd_enable(0xf2, 0, &p), "vtd-timeout");
}

// A unit that invalidates by itself is asked all the same.
static void test_esirtps(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->cap |= M_CAP_ESIRTPS;
    machine_enable();
    assert_rules_kept(m);
    assert_int_equal(m->global_invalidations, 1);
}

static void test_table_size(void **state)
{
    static const struct {
        uint64_t free;
        unsigned s;
    } sizes[] = { { 64 * GIB, 15 },
                  { 24 * MIB, 15 },
                  { 24 * MIB - 1, 14 },
                  { 12 * MIB - 1, 13 },
                  { 3 * MIB, 12 },
                  { 3 * MIB - 1, 11 },
                  { 0, 11 } };
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct model_unit *m = machine_one_unit();
        model_memory_free = sizes[i].free;
        machine_enable();
        assert_int_equal(m->irta_in_use & 0xf, sizes[i].s);
    }
}

static void test_node(void **state)
{
    machine_one_unit();
    machine_dmar.length = 0;
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    dmar_rhsa(&machine_dmar, MACHINE_BASE, 5);
    blob_finish(&machine_dmar);
    struct model_unit *m = &model_units[0];
    machine_enable();
    assert_int_equal(model_node_of(m->irta_in_use & ~0xfffull), 5);
    assert_int_equal(model_node_of(m->iqa & ~0xfffull), 5);
}

// The fault event goes to a 32-bit APIC id: 7:0 in address 19:12, 31:8 above bit 32 (VT-d 5.1.6.2).
static void test_fault_event(void **state)
{
    struct model_unit *m = machine_one_unit();
    assert_true(vtd_init(&p));
    assert_true(vtd_enable(0xf2, 0x12345678, &p));
    assert_rules_kept(m);
    assert_int_equal(m->fedata, 0xf2);
    assert_int_equal(m->feaddr, 0xfee78000);
    assert_int_equal(m->feuaddr, 0x12345600);
    assert_false(m->fectl & 1u << 31);
}

// Fault records may lie beyond the first page.
static void test_far_records(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->cap = M_CAP_RECORDS(0x3f10, 16);
    machine_enable();
    assert_rules_kept(m);
    assert_int_equal(m->mapped, 0x5000);
    m = machine_one_unit();
    m->ecap |= M_ECAP_IRO(0x1000);
    machine_enable();
    assert_int_equal(m->mapped, 0x2000);
}

// ---- a unit that stops answering while it is turned on ----

static void test_deaf_enable(void **state)
{
    static const uint32_t bits[] = { M_QIE, M_SIRTP, M_IRE, M_CFI };
    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        struct model_unit *m = machine_one_unit();
        m->gsts = M_CFI;
        assert_true(vtd_init(&p));
        m->deaf = bits[i];
        uint64_t before = model_now;
        assert_problem(vtd_enable(0xf2, 0, &p), "vtd-timeout");
        assert_in_range(model_now - before, NS_PER_S, 4 * NS_PER_S);
    }
}

static void test_hung_queue(void **state)
{
    struct model_unit *m = machine_one_unit();
    assert_true(vtd_init(&p));
    m->hang_waits = true;
    uint64_t before = model_now;
    assert_problem(vtd_enable(0xf2, 0, &p), "vtd-queue-stuck");
    assert_in_range(model_now - before, NS_PER_S, 4 * NS_PER_S);
    assert_false(m->gsts & M_IRE);
}

// The second unit fails: the first must not stay on.
static void test_half(void **state)
{
    struct model_unit *first = machine_one_unit();
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, false, 0, MACHINE_BASE);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE + 0x1000);
    blob_finish(&machine_dmar);
    struct model_unit *second = model_reset(1, MACHINE_BASE + 0x1000, MACHINE_CAP, MACHINE_ECAP);
    assert_true(vtd_init(&p));
    second->deaf = M_IRE;
    assert_problem(vtd_enable(0xf2, 0, &p), "vtd-timeout");
    assert_non_null(strstr(p.message, "0xfed91000"));
    assert_rules_kept(first);
    assert_int_equal(first->gsts & (M_IRE | M_QIE), 0);

    // And once more, now that it works.
    model_reset(1, MACHINE_BASE + 0x1000, MACHINE_CAP, MACHINE_ECAP);
    machine_enable();
    assert_true(first->gsts & second->gsts & M_IRE);
    assert_rules_kept(first);
}

// ---- what is refused ----

static void test_no_table(void **state)
{
    machine_one_unit();
    machine_has_dmar = false;
    assert_problem(vtd_init(&p), "no-vtd");

    struct model_unit *m = machine_one_unit();
    machine_dmar.bytes[37] = 0; // INTR_REMAP
    blob_finish(&machine_dmar);
    m->gsts = M_TE;
    assert_problem(vtd_init(&p), "no-vtd");
    assert_string_equal(m->log, "TE-"); // taken over all the same

    machine_one_unit();
    machine_dmar.length = 48;
    blob_finish(&machine_dmar);
    assert_problem(vtd_init(&p), "no-vtd");

    machine_one_unit();
    machine_dmar.bytes[40] ^= 1;
    assert_problem(vtd_init(&p), "dmar-checksum");
}

static void test_capabilities(void **state)
{
    static const struct {
        uint64_t lacks;
        const char *what, *name;
    } cases[] = {
        { M_ECAP_QI, "vtd-no-qi", "ECAP.QI (bit 1)" },
        { M_ECAP_IR, "vtd-no-ir", "ECAP.IR (bit 3)" },
        { M_ECAP_EIM, "vtd-no-eim", "ECAP.EIM (bit 4)" },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = machine_one_unit();
        m->ecap &= ~cases[i].lacks;
        m->gsts = M_TE;
        assert_problem(vtd_init(&p), cases[i].what);
        assert_non_null(strstr(p.message, cases[i].name));
        assert_non_null(strstr(p.message, "0xfed90000"));
        assert_string_equal(m->log, "TE-");
        assert_rules_kept(m);
    }
    struct model_unit *m = machine_one_unit();
    assert_true(vtd_init(&p));
    assert_true(vtd_can_post(false, &p));
    m->cap &= ~M_CAP_PI;
    assert_true(vtd_init(&p));
    assert_problem(vtd_can_post(false, &p), "vtd-no-posting");
    assert_non_null(strstr(p.message, "CAP.PI (bit 59) of VT-d unit 0xfed90000"));
}

static void test_opt_out(void **state)
{
    machine_one_unit();
    machine_dmar.bytes[37] = 3;
    blob_finish(&machine_dmar);
    machine_enable();
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, "x2apic-opt-out");
    assert_non_null(strstr(told.warning, "x2APIC"));
}

// A unit that the table names and that isn't there: left out, and its devices told apart.
static void test_absent(void **state)
{
    struct model_unit *m = machine_one_unit();
    dmar_begin(&machine_dmar, 1);
    size_t at = dmar_drhd(&machine_dmar, false, 0, MACHINE_BASE + 0x1000);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(4, 0));
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    blob_finish(&machine_dmar);
    model_reset(1, MACHINE_BASE + 0x1000, ~0ull, ~0ull);
    machine_enable();
    assert_rules_kept(m);
    assert_true(m->gsts & M_IRE);
    assert_int_equal(told.warnings, 1);
    assert_non_null(strstr(told.warning, "0xfed91000"));
    assert_null(vtd_unit_named(0)->regs); // so that nobody asks it by mistake
    assert_non_null(vtd_unit_named(1)->regs);

    struct irq irq = { .dev = &machine_devs[0] };
    assert_problem(vtd_chip_remapped.alloc(&irq, &p), "vtd-unit-absent");
    irq.dev = &machine_devs[1];
    assert_true(vtd_chip_remapped.alloc(&irq, &p));

    machine_one_unit(); // alone, it is as good as none
    model_reset(0, MACHINE_BASE, ~0ull, ~0ull);
    assert_problem(vtd_init(&p), "no-vtd");
}

// A unit that serves no device of ours is turned on too.

static void test_idle_unit(void **state)
{
    struct model_unit *first = machine_one_unit();
    dmar_begin(&machine_dmar, 1);
    size_t at = dmar_drhd(&machine_dmar, false, 0, MACHINE_BASE + 0x1000);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(30, 0));
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    dmar_drhd(&machine_dmar, true, 3, MACHINE_BASE + 0x2000);
    blob_finish(&machine_dmar);
    struct model_unit *idle = model_reset(1, MACHINE_BASE + 0x1000, MACHINE_CAP, MACHINE_ECAP);
    struct model_unit *far = model_reset(2, MACHINE_BASE + 0x2000, MACHINE_CAP, MACHINE_ECAP);
    machine_enable();
    assert_rules_kept(first);
    assert_rules_kept(idle);
    assert_rules_kept(far);
    assert_true(first->gsts & idle->gsts & far->gsts & M_IRE);
    assert_true(idle->irta != far->irta && idle->iqa != far->iqa);

    vtd_print();
    assert_int_equal(told.infos, 3);
    assert_int_equal(told.objects, 3);
    assert_non_null(strstr(told.object, "\"type\":\"vtd_unit\""));
    assert_non_null(strstr(told.object, "\"unit\":\"0xfed92000\""));
    assert_non_null(strstr(told.object, "\"segment\":3"));
    assert_non_null(strstr(told.object, "\"version\":\"4.0\""));
    assert_non_null(strstr(told.object, "\"posting\":true"));
    assert_non_null(strstr(told.object, "\"entries\":65536"));
    assert_non_null(strstr(told.object, "\"fault_records\":4"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_speeds),
        cmocka_unit_test(test_compatibility_off),
        cmocka_unit_test(test_write_buffer),
        cmocka_unit_test(test_esirtps),
        cmocka_unit_test(test_table_size),
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_fault_event),
        cmocka_unit_test(test_far_records),
        cmocka_unit_test(test_deaf_enable),
        cmocka_unit_test(test_hung_queue),
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_opt_out),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_idle_unit),
    };
    return run_on_both_kinds(tests);
}
