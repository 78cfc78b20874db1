// SPDX-License-Identifier: BSD-2-Clause
// Taking remapping units over from firmware, against the register-level model, whatever it left on.

#include "drivers/vtd/unit.h"
#include "vtd_machine.h"

static struct problem p;

static struct model_unit *with_queue(uint64_t head, uint64_t tail)
{
    struct model_unit *m = machine_one_unit();
    m->gsts = M_QIE;
    m->iqa = mem_phys(mem_alloc(4096, 4096, NODE_ANY));
    m->iqh = head;
    m->iqt = tail;
    m->last_was_wait = true;
    return m;
}

static void test_all_left_on(void **state)
{
    struct model_unit *m = with_queue(0x40, 0x40);
    m->gsts |= M_TE | M_SRTP | M_IRE | M_SIRTP | M_CFI;
    m->irta = m->irta_in_use = 0x12345000;
    m->fectl = m->iectl = 0x00000007; // unmasked, with kept bits
    m->ecap |= M_ECAP_PRS;
    m->cap |= M_CAP_PLMR;
    m->pmen = 0x80000001;
    m->cached[5] = true;
    model_fault(m, 6, 0x100, 0x1000);
    assert_int_equal(m->events, 1);
    m->fsts |= M_FSTS_ICE;
    m->plm_limit = 0x3fffff;

    assert_true(vtd_init(&p));
    model_arrive(m);
    assert_rules_kept(m);
    const struct vtd_left *left = &vtd_unit_named(0)->left;
    assert_int_equal(left->gsts & (M_TE | M_IRE | M_QIE), M_TE | M_IRE | M_QIE);
    assert_int_equal(left->fsts & 0xff, M_FSTS_ICE | 2); // PPF
    assert_int_equal(left->fectl, 0x00000007);
    assert_int_equal(left->irta, 0x12345000);
    assert_int_equal(left->pmen, 0x80000001);
    assert_int_equal(left->low_limit, 0x3fffff);
    assert_string_equal(m->log, "IRE- TE- QIE-");
    assert_int_equal(m->gsts & (M_TE | M_IRE | M_QIE), 0);
    assert_int_equal(m->pmen, 0);
    assert_int_equal(m->fsts & 0xff, 0);
    assert_int_equal(m->records[0][1] >> 63, 0);
    assert_int_equal(m->irta, 0);
    assert_int_equal(m->fectl, 0x80000007);
    assert_int_equal(m->iectl, 0x80000007);
    assert_true(m->pectl & 1u << 31);

    assert_true(vtd_enable(0xf2, 0x301, &p));
    assert_rules_kept(m);
    assert_string_equal(m->log, "IRE- TE- QIE- QIE+ SIRTP+ IEC IRE+ CFI-");
    assert_false(m->cached[5]);

    vtd_print();
    assert_non_null(strstr(told.info, "firmware had left on: translation remapping queue "
                                      "protection"));
}

// Each alone, and no command where there is nothing to end.
static void test_each_left_on(void **state)
{
    static const struct {
        uint32_t gsts;
        const char *log;
    } cases[] = {
        { 0, "" },
        { M_SIRTP | M_SRTP | M_CFI, "" },
        { M_TE | M_SRTP, "TE-" },
        { M_IRE | M_SIRTP, "IRE-" },
        { M_QIE, "QIE-" },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = with_queue(0, 0);
        m->gsts = cases[i].gsts;
        assert_true(vtd_init(&p));
        assert_rules_kept(m);
        assert_string_equal(m->log, cases[i].log);
    }
}

// A queue that still works is waited for; one that stopped with an error is at rest.
static void test_queue_left_busy(void **state)
{
    struct model_unit *m = with_queue(0, 0x20);
    uint64_t *q = (uint64_t *)(uintptr_t)m->iqa;
    q[0] = 4; // a global invalidation, and a wait without status
    q[2] = 5;
    m->queue_due = model_ticks + 100;
    assert_true(vtd_init(&p));
    assert_rules_kept(m);
    assert_string_equal(m->log, "IEC QIE-");

    m = with_queue(0, 0x20);
    m->fsts = M_FSTS_IQE;
    assert_true(vtd_init(&p));
    model_arrive(m);
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE-");
    assert_int_equal(m->fsts, 0);

    m = with_queue(0, 0x20); // nobody works on it
    uint64_t before = model_now;
    assert_problem(vtd_init(&p), "vtd-timeout");
    assert_in_range(model_now - before, NS_PER_S, 2 * NS_PER_S);
    assert_non_null(strstr(p.message, "0xfed90000"));
}

// Requests by registers end before the queue is turned on.
static void on_tick(void)
{
    if (model_ticks == 40)
        model_units[0].ccmd = 0;
    if (model_ticks == 80)
        model_units[0].iotlb = 0;
}

static void test_register_requests(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->ccmd = m->iotlb = 1ull << 63;
    model_ticks = 0;
    model_on_tick = on_tick;
    assert_true(vtd_init(&p));
    model_on_tick = NULL;
    assert_in_range(model_ticks, 80, 100);
    assert_rules_kept(m);

    m->ccmd = 1ull << 63;
    assert_problem(vtd_init(&p), "vtd-timeout");
    assert_non_null(strstr(p.message, "last invalidation"));
    m->ccmd = 0;
    m->iotlb = 1ull << 63;
    assert_problem(vtd_init(&p), "vtd-timeout");
}

// Translation that doesn't end, remapping that doesn't, protection that doesn't.
static void test_deaf(void **state)
{
    static const uint32_t bits[] = { M_TE, M_IRE, M_QIE };
    static const char *const names[] = { "(TE) off", "(IRE) off", "(QIE) off" };
    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        struct model_unit *m = with_queue(0, 0);
        m->gsts = bits[i];
        m->deaf = bits[i];
        uint64_t before = model_now;
        assert_problem(vtd_init(&p), "vtd-timeout");
        assert_non_null(strstr(p.message, names[i]));
        assert_non_null(strstr(p.message, "0xfed90000"));
        assert_in_range(model_now - before, NS_PER_S, 2 * NS_PER_S);
    }
    struct model_unit *m = machine_one_unit();
    m->cap |= M_CAP_PLMR;
    m->pmen = 0x80000001;
    m->deaf_pmen = true;
    assert_problem(vtd_init(&p), "vtd-timeout");
    assert_non_null(strstr(p.message, "protected memory"));
}

// Scalable mode outlives translation in RTADDR; short descriptors are errors then.
static void test_left_scalable(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->ecap |= M_ECAP_SMTS;
    m->ttm = 1;
    machine_enable();
    assert_rules_kept(m);
    assert_int_equal(m->iqa & 0xfff, 1 << 11); // 256-bit descriptors
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC IRE+");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_left_on),
        cmocka_unit_test(test_each_left_on),
        cmocka_unit_test(test_queue_left_busy),
        cmocka_unit_test(test_register_requests),
        cmocka_unit_test(test_deaf),
        cmocka_unit_test(test_left_scalable),
    };
    return run_on_both_kinds(tests);
}
