// SPDX-License-Identifier: BSD-2-Clause
// Units that are unlike the others, or that lie: registers at odd places, capabilities that come
// alone, time-outs, answers that can't be, and a unit that is gone in the middle of a request.

#include "vtd_machine.h"

static struct problem p;

static struct irq irq;

static bool route(uint8_t vector)
{
    return vtd_chip_remapped.route(&irq, (struct irq_place){ 1, vector }, &p);
}

static struct model_result send(struct model_unit *m)
{
    return model_msi(m, irq.dev->requester, 0xfee00010 | irq.chip_handle << 5, 0);
}

static struct model_unit *with_one_irq(void)
{
    struct model_unit *m = machine_one_unit();
    machine_enable();
    irq = (struct irq){ .name = "nvme0q1", .dev = &machine_devs[0] };
    assert_true(vtd_chip_remapped.alloc(&irq, &p));
    assert_true(route(0x41));
    return m;
}

// ---- what a unit has ----

// Abort-DMA mode, which firmware has left in RTADDR, without scalable mode.
static void test_adms_alone(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->ecap |= M_ECAP_ADMS;
    m->ttm = 3;
    machine_enable();
    assert_rules_kept(m);
    assert_int_equal(m->iqa & 0xfff, 1 << 11); // 256-bit descriptors
    assert_int_equal(m->global_invalidations, 1);
}

// Protected memory: either kind alone, and one that firmware is just about to end.
static void test_protected_memory(void **state)
{
    static const struct {
        uint64_t cap;
        uint32_t pmen;
    } cases[] = {
        { M_CAP_PLMR, 0x80000001 }, { M_CAP_PHMR, 0x80000001 }, { M_CAP_PLMR, 0x80000000 },
        { M_CAP_PHMR, 0x00000001 }, { M_CAP_PLMR, 0x00001000 }, { M_CAP_PLMR, 0x80001001 },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = machine_one_unit();
        m->cap |= cases[i].cap;
        m->pmen = cases[i].pmen;
        m->pmen_reads = m->delay = 20;
        assert_true(vtd_init(&p));
        assert_rules_kept(m);
        assert_int_equal(m->pmen, cases[i].pmen & 0x1000); // the rest of it is kept
    }
}

// A unit without remapping has no table register; the machine goes on without it.
static void test_no_remapping(void **state)
{
    struct model_unit *m = machine_one_unit();
    m->ecap &= ~(M_ECAP_IR | M_ECAP_EIM);
    m->gsts = M_TE;
    assert_problem(vtd_init(&p), "vtd-no-ir");
    model_arrive(m);
    assert_string_equal(m->log, "TE-");
    assert_rules_kept(m);
}

// Each event that the unit has is masked: firmware's vectors are ours to use now.
static void test_page_requests(void **state)
{
    for (unsigned queue = 0; queue < 2; queue++) {
        struct model_unit *m = machine_one_unit();
        m->ecap = (m->ecap & ~M_ECAP_QI) | M_ECAP_PRS | (queue ? M_ECAP_QI : 0);
        m->fectl = m->iectl = m->pectl = 0x5;
        assert_int_equal(vtd_init(&p), queue);
        model_arrive(m);
        assert_int_equal(m->fectl, 0x80000005);
        assert_int_equal(m->iectl, queue ? 0x80000005 : 0x5);
        assert_int_equal(m->pectl, 0x80000005);
        assert_rules_kept(m);
    }
}

// Registers up to the last byte of a page, and one byte more.
static void test_mapped_as_far_as_needed(void **state)
{
    static const struct {
        unsigned records_at, records, iotlb_at;
        size_t mapped;
    } cases[] = {
        { 0x220, 4, 0x100, 0x1000 },    { 0xfe0, 2, 0x100, 0x1000 },
        { 0xff0, 2, 0x100, 0x2000 },    { 0x220, 4, 0xff0, 0x1000 },
        { 0x220, 4, 0x1000, 0x2000 },   { 0x1000, 256, 0x100, 0x2000 },
        { 0x2010, 256, 0x100, 0x4000 }, { 0x3ff0, 1, 0x2ff0, 0x4000 },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = machine_one_unit();
        m->cap = M_CAP_RECORDS(cases[i].records_at, cases[i].records);
        m->ecap = (M_ECAP_C | M_ECAP_QI | M_ECAP_IR | M_ECAP_EIM | M_ECAP_IRO(cases[i].iotlb_at));
        machine_enable();
        assert_rules_kept(m);
        assert_int_equal(m->mapped, cases[i].mapped);
        // Each record is one that is read, wherever the ring begins.
        const unsigned batches[] = { cases[i].records, (cases[i].records * 7 + 7) / 8,
                                     cases[i].records };
        for (unsigned n = 0, sum = 0; n < ARRAY_SIZE(batches); n++) {
            for (unsigned faults = 0; faults < batches[n]; faults++)
                model_fault(m, 0x22, PCI_BDF(0, 20, 0), 0);
            vtd_report_faults();
            assert_int_equal(vtd_fault_count(), sum += batches[n]);
        }
        assert_rules_kept(m);
    }
}

// ---- the queue ----

// An invalidation time-out (FSTS.ITE): what waited is aborted, and the unit fetches nothing until it
// is cleared. Told as what it is, the old entry is back, and the queue goes on.
static void test_time_out(void **state)
{
    struct model_unit *m = with_one_irq();
    m->time_outs = 1;
    uint64_t before = model_now;
    assert_problem(route(0x42), "vtd-queue-error");
    assert_in_range(model_now - before, 0, 100 * NS_PER_MS);
    assert_non_null(strstr(p.message, "a device TLB didn't answer"));
    assert_non_null(strstr(p.message, "the queue goes on"));
    assert_int_equal(m->fsts & M_FSTS_ITE, 0);
    assert_int_equal(send(m).vector, 0x41);
    for (unsigned i = 0; i < 600; i++) { // the ring has its order still
        assert_true(route((uint8_t)(0x43 + i % 16)));
        assert_int_equal(send(m).vector, 0x43 + i % 16);
    }
    assert_rules_kept(m);
}

// Both the request and the one that restores the old entry time out: then the caller knows, and the
// next one works.
static void test_two_time_outs(void **state)
{
    struct model_unit *m = with_one_irq();
    m->time_outs = 2;
    assert_problem(route(0x42), "vtd-queue-error");
    assert_true(route(0x43));
    assert_int_equal(send(m).vector, 0x43);
    assert_rules_kept(m);
}

// What firmware left: a queue that has timed out is at rest, and neither its error nor the one of
// its faults stops ours.
static void test_left_timed_out(void **state)
{
    static const uint32_t errors[] = { M_FSTS_IQE, M_FSTS_ITE, M_FSTS_ICE, M_FSTS_PFO };
    for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
        struct model_unit *m = machine_one_unit();
        m->gsts = M_QIE;
        m->iqa = mem_phys(mem_alloc(4096, 4096, NODE_ANY));
        m->iqt = errors[i] & (M_FSTS_IQE | M_FSTS_ITE) ? 0x40 : 0;
        m->last_was_wait = true;
        m->fsts = errors[i];
        machine_enable();
        assert_rules_kept(m);
        assert_string_equal(m->log, "QIE- QIE+ SIRTP+ IEC IRE+");
        assert_int_equal(m->fsts & 0xff, 0);
    }
}

// Nobody but the CPU that waits for the queue clears its errors.
static void test_errors_of_the_queue_stay(void **state)
{
    struct model_unit *m = with_one_irq();
    static const uint32_t errors[] = { M_FSTS_IQE, M_FSTS_ITE };
    for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
        m->fsts = errors[i];
        vtd_report_faults();
        model_arrive(m);
        assert_int_equal(m->fsts & 0xff, errors[i]);
    }
}

// A reason that no specification lists yet, and heads that point nowhere, one right behind the ring.
static void test_false_answers(void **state)
{
    static const uint64_t heads[] = { 0x1000, 0x7fff0, 0x1008, 0x8, ~0ull };
    for (unsigned i = 0; i < ARRAY_SIZE(heads); i++) {
        struct model_unit *m = with_one_irq();
        m->bad_requests = 1;
        m->refusal = 8 + i;
        m->false_head = heads[i];
        assert_problem(route(0x42), "vtd-queue-error");
        assert_non_null(strstr(p.message, "unknown details"));
        assert_non_null(strstr(p.message, "its queue is stuck now"));
        uint64_t before = model_now;
        assert_problem(route(0x43), "vtd-queue-stuck");
        assert_in_range(model_now - before, 0, NS_PER_MS); // not asked again
    }
}

// Nor do faults wait for ever behind an error that the unit never lets go of.
static void test_faults_behind_a_stuck_queue(void **state)
{
    struct model_unit *m = with_one_irq();
    m->bad_requests = 1;
    m->refusal = 4;
    m->false_head = 0x1000;
    assert_problem(route(0x42), "vtd-queue-error");
    vtd_report_faults(); // the event of the error
    unsigned events = m->events;
    for (unsigned i = 1; i <= 3; i++) {
        model_fault(m, 0x22, PCI_BDF(0, 20, 0), 0);
        assert_int_equal(m->events, events);
        assert_non_null(machine_timer);
        machine_timer->fn(machine_timer);
        assert_int_equal(vtd_fault_count(), i);
    }
}

// The unit disappears while it is waited for: everything reads as ones from then on.

static unsigned gone_after;

static void disappear(void)
{
    if (gone_after && --gone_after == 0)
        model_units[0].gone = true;
}

static void test_gone(void **state)
{
    for (unsigned at = 1; at < 40; at++) {
        struct model_unit *m = with_one_irq();
        gone_after = at;
        model_between = disappear;
        uint64_t before = model_now;
        bool ok = route(0x42);
        model_between = NULL;
        assert_in_range(model_now - before, 0, 3 * NS_PER_S);
        if (!m->gone) {
            assert_true(ok);
            assert_true(at > 4);
            return;
        }
        if (!ok)
            assert_true(!strcmp(p.what, "vtd-queue-error") || !strcmp(p.what, "vtd-queue-stuck"));
        assert_false(route(0x43));
        vtd_report_faults(); // ends, whatever the unit says
    }
    fail_msg("a move has more moments than that");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adms_alone),
        cmocka_unit_test(test_protected_memory),
        cmocka_unit_test(test_no_remapping),
        cmocka_unit_test(test_page_requests),
        cmocka_unit_test(test_mapped_as_far_as_needed),
        cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_two_time_outs),
        cmocka_unit_test(test_left_timed_out),
        cmocka_unit_test(test_errors_of_the_queue_stay),
        cmocka_unit_test(test_false_answers),
        cmocka_unit_test(test_faults_behind_a_stuck_queue),
        cmocka_unit_test(test_gone),
    };
    return run_on_both_kinds(tests);
}
