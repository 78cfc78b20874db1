// SPDX-License-Identifier: BSD-2-Clause
// Units as firmware really names them: switched off, without what others have, or deaf. What the driven
// devices don't need doesn't end the run, and what they do need ends it by name.

#include "vtd_machine.h"

#define OTHER_BASE (MACHINE_BASE + 0x1000)

static struct problem p;

#define assert_told(id)                                                                            \
    do {                                                                                           \
        assert_int_equal(told.warnings, 1);                                                        \
        assert_string_equal(told.warning_what, id);                                                \
        assert_non_null(strstr(told.warning, "0xfed91000"));                                       \
    } while (0)

// ---- the machine: 00:05.0, which is driven, behind one unit; 00:04.0 behind the other ----

static bool is_driven(const struct pci_dev *dev)
{
    return dev == &machine_devs[1];
}

static struct model_unit *two_units(uint64_t other_cap, uint64_t other_ecap, uint8_t other_device)
{
    struct model_unit *m = machine_one_unit();
    dmar_begin(&machine_dmar, 1);
    size_t at = dmar_drhd(&machine_dmar, false, 0, OTHER_BASE);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(other_device, 0));
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    blob_finish(&machine_dmar);
    model_reset(1, OTHER_BASE, other_cap, other_ecap);
    vtd_set_driven(is_driven);
    return m;
}

static int end(void **state)
{
    vtd_set_driven(NULL);
    machine_devs[0].class_code = machine_devs[0].vendor = machine_devs[0].device = 0;
    return 0;
}

static void works(struct model_unit *m)
{
    struct irq irq = { .dev = &machine_devs[1] };
    assert_rules_kept(m);
    assert_true(m->gsts & M_IRE);
    assert_true(vtd_chip_remapped.alloc(&irq, &p));
}

static void is_refused(unsigned dev, const char *what)
{
    struct irq irq = { .dev = &machine_devs[dev] };
    assert_problem(vtd_chip_remapped.alloc(&irq, &p), what);
    assert_non_null(strstr(p.message, machine_devs[dev].name));
}

// ---- nothing there ----

// Registers of a unit that is switched off, in each way in which they read as nonsense.
static void test_nonsense(void **state)
{
    static const uint64_t registers[][2] = {
        { 0, 0 },           { ~0ull, ~0ull },       { 0, MACHINE_ECAP }, { ~0ull, MACHINE_ECAP },
        { MACHINE_CAP, 0 }, { MACHINE_CAP, ~0ull }, { 0, ~0ull },
    };
    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        struct model_unit *m = two_units(registers[i][0], registers[i][1], 4);
        machine_enable();
        assert_told("vtd-unit-absent");
        works(m);
        is_refused(0, "vtd-unit-absent");
        assert_string_equal(model_units[1].log, ""); // nothing was done to it

        // With the driven device behind it, that one is refused, and the machine still runs.
        m = two_units(registers[i][0], registers[i][1], 5);
        machine_enable();
        is_refused(1, "vtd-unit-absent");
        assert_true(m->gsts & M_IRE);
    }
}

static void test_no_address(void **state)
{
    static const uint64_t bases[] = { 0, 0xfed91800,
                                      1ull << 50 }; // the last: past what the CPU forms
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP, 4);
        blob_set(&machine_dmar, 48 + 8, bases[i], 8);
        blob_finish(&machine_dmar);
        machine_enable();
        assert_int_equal(told.warnings, 1);
        works(m);
        is_refused(0, "vtd-unit-absent");
    }
}

// The first page may be where registers can be, and fault records, or those of the IOTLB, behind it not.
static void test_registers_that_end_nowhere(void **state)
{
    static const struct {
        uint64_t cap, ecap;
    } cases[] = {
        { M_CAP_RECORDS(0x1000, 4), MACHINE_ECAP },
        { MACHINE_CAP, (MACHINE_ECAP & ~M_ECAP_IRO(0x3ff0)) | M_ECAP_IRO(0x1000) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t base = (1ull << 46) - 0x1000;
        struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP, 4);
        model_reset(1, base, cases[i].cap, cases[i].ecap);
        blob_set(&machine_dmar, 48 + 8, base, 8);
        blob_finish(&machine_dmar);
        machine_enable();
        assert_int_equal(told.warnings, 1);
        assert_string_equal(told.warning_what, "vtd-unit-absent");
        assert_non_null(strstr(told.warning, "0x3ffffffff000"));
        works(m);
        is_refused(0, "vtd-unit-absent");
        assert_int_equal(model_units[1].mapped, 0x1000);
    }
}

// A unit that is switched off and says that it takes all other devices, before the one that does.
static void test_absent_takes_no_others(void **state)
{
    static const uint64_t bases[] = { 0, OTHER_BASE };
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        struct model_unit *m = two_units(0, 0, 4);
        dmar_begin(&machine_dmar, 1);
        dmar_drhd(&machine_dmar, true, 0, bases[i]);
        dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
        blob_finish(&machine_dmar);
        machine_enable();
        works(m);
        assert_true(vtd_can_post(true, &p));
        m = two_units(0, 0, 4);
        dmar_begin(&machine_dmar, 1);
        dmar_drhd(&machine_dmar, true, 0, bases[i]);
        dmar_drhd(&machine_dmar, true, 3, MACHINE_BASE);
        blob_finish(&machine_dmar);
        machine_enable();
        is_refused(1, "vtd-unit-absent");
    }
}

// ---- a unit that lacks what it takes ----

static void test_lacking(void **state)
{
    static const struct {
        uint64_t lacks;
        const char *what;
    } cases[] = {
        { M_ECAP_QI, "vtd-no-qi" },
        { M_ECAP_IR, "vtd-no-ir" },
        { M_ECAP_EIM, "vtd-no-eim" },
        { M_ECAP_QI | M_ECAP_IR | M_ECAP_EIM | M_ECAP_C, "vtd-no-qi" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP & ~cases[i].lacks, 4);
        model_units[1].gsts = M_TE;
        machine_enable();
        assert_told(cases[i].what);
        works(m);
        is_refused(0, cases[i].what);
        assert_string_equal(model_units[1].log, "TE-"); // taken over, and no more

        two_units(MACHINE_CAP, MACHINE_ECAP & ~cases[i].lacks, 5);
        machine_enable();
        is_refused(1, cases[i].what);
    }
}

// With nothing to remap by, the machine has no remapping; plain MSIs go on.
static void test_all_lacking(void **state)
{
    struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP & ~M_ECAP_QI, 4);
    m->ecap &= ~M_ECAP_IR;
    assert_false(vtd_init(&p));
    assert_true(vtd_is_lacking(&p));
    assert_null(strstr(p.what, "timeout"));
}

static void test_posting(void **state)
{
    two_units(MACHINE_CAP & ~M_CAP_PI, MACHINE_ECAP, 4);
    machine_enable();
    assert_problem(vtd_can_post(false, &p), "vtd-no-posting"); // irq=auto asks for all of them
    assert_true(vtd_can_post(true, &p));
    struct irq irq = { .dev = &machine_devs[0] };
    assert_problem(vtd_chip_posted.alloc(&irq, &p), "vtd-no-posting");
    irq.dev = &machine_devs[1];
    assert_true(vtd_chip_posted.alloc(&irq, &p));

    two_units(MACHINE_CAP & ~M_CAP_PI, MACHINE_ECAP, 5);
    machine_enable();
    assert_problem(vtd_can_post(true, &p), "vtd-no-posting");
    assert_non_null(strstr(p.message, "0xfed91000"));

    two_units(MACHINE_CAP & ~M_CAP_PI, MACHINE_ECAP, 30); // nothing behind it
    machine_devs[1].segment = 9;                          // nothing driven behind any
    machine_enable();
    assert_problem(vtd_can_post(true, &p), "vtd-no-posting");
    machine_devs[1].segment = 0;
}

// ---- a unit that doesn't follow ----

// Each step of the take-over, and then of turning on.
static void test_deaf(void **state)
{
    static const uint32_t before[] = { M_TE, M_IRE, M_QIE }, after[] = { M_QIE, M_SIRTP, M_IRE };
    for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
        struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP, 4);
        model_units[1].gsts = model_units[1].deaf = before[i];
        machine_enable();
        assert_told("vtd-unit-left");
        works(m);
        is_refused(0, "vtd-unit-left");

        two_units(MACHINE_CAP, MACHINE_ECAP, 5); // needed: the run ends
        model_units[1].gsts = model_units[1].deaf = before[i];
        assert_problem(vtd_init(&p), "vtd-timeout");
        assert_false(vtd_is_lacking(&p));
    }
    for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
        struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP, 4);
        model_units[1].deaf = after[i];
        machine_enable();
        assert_told("vtd-unit-left");
        works(m);
        is_refused(0, "vtd-unit-left");
        assert_false(model_units[1].gsts & M_IRE);

        m = two_units(MACHINE_CAP, MACHINE_ECAP, 5);
        model_units[1].deaf = after[i];
        assert_true(vtd_init(&p));
        assert_problem(vtd_enable(0xf2, 0, &p), "vtd-timeout");
        assert_false(m->gsts & M_IRE);
    }
    struct model_unit *m = two_units(MACHINE_CAP | M_CAP_PLMR, MACHINE_ECAP, 4);
    model_units[1].pmen = 1u << 31 | 1;
    model_units[1].deaf_pmen = true;
    machine_enable();
    assert_told("vtd-unit-left");
    works(m);
}

// ---- graphics whose unit may never answer ----

static void make_display(uint32_t class_code, uint16_t vendor, uint16_t device)
{
    machine_devs[0].class_code = class_code;
    machine_devs[0].vendor = vendor;
    machine_devs[0].device = device;
}

static void test_display(void **state)
{
    struct model_unit *m = two_units(MACHINE_CAP, MACHINE_ECAP, 4);
    make_display(0x030000, 0x8086, 0x46a6);
    model_units[1].gsts = M_TE;
    machine_enable();
    assert_told("vtd-unit-left");
    works(m);
    assert_string_equal(model_units[1].log, ""); // not even tried
    assert_true(model_units[1].gsts & M_TE);

    m = two_units(MACHINE_CAP, MACHINE_ECAP, 4); // firmware left nothing on: a unit like any other
    machine_enable();
    assert_int_equal(told.warnings, 0);
    assert_true(model_units[1].gsts & M_IRE);
}

static bool drives_nothing(const struct pci_dev *dev)
{
    return false;
}

// Other graphics, other makers, and units with another device behind them: translation is turned off.
static void test_other_displays(void **state)
{
    static const struct {
        uint32_t class_code;
        uint16_t vendor, device;
        bool shared;
    } cases[] = {
        { 0x030000, 0x8086, 0x5916, false },
        { 0x030000, 0x1002, 0x46a6, false },
        { 0x040300, 0x8086, 0x46a6, false },
        { 0x030000, 0x8086, 0x46a6, true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        two_units(MACHINE_CAP, MACHINE_ECAP, 4);
        if (cases[i].shared) { // with a device that nobody drives either
            dmar_drhd(&machine_dmar, true, 0, OTHER_BASE);
            vtd_set_driven(drives_nothing);
        }
        blob_finish(&machine_dmar);
        make_display(cases[i].class_code, cases[i].vendor, cases[i].device);
        model_units[1].gsts = M_TE;
        machine_enable();
        assert_memory_equal(model_units[1].log, "TE-", 3);
        assert_true(model_units[1].gsts & M_IRE);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_nonsense, end),
        cmocka_unit_test_teardown(test_no_address, end),
        cmocka_unit_test_teardown(test_registers_that_end_nowhere, end),
        cmocka_unit_test_teardown(test_absent_takes_no_others, end),
        cmocka_unit_test_teardown(test_lacking, end),
        cmocka_unit_test_teardown(test_all_lacking, end),
        cmocka_unit_test_teardown(test_posting, end),
        cmocka_unit_test_teardown(test_deaf, end),
        cmocka_unit_test_teardown(test_display, end),
        cmocka_unit_test_teardown(test_other_displays, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
