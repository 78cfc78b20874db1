// SPDX-License-Identifier: BSD-2-Clause
// The two irq chips against the register-level model: where a device's message arrives after each
// alloc(), route() and free(), given that the unit caches entries until they are invalidated; and
// what becomes of units that refuse or forget an invalidation.

#include "vtd_machine.h"

#include <pthread.h>
#include <sched.h>

static struct problem p;
static struct model_unit *m;

static int set_up(void **state)
{
    m = machine_one_unit();
    machine_enable();
    m->log[0] = 0;
    return 0;
}

static int check_rules(void **state)
{
    assert_rules_kept(m);
    return 0;
}

static struct irq make(const struct irq_chip *chip, unsigned dev, unsigned cpu, uint8_t vector)
{
    struct irq irq = { .name = "nvme0q1", .dev = &machine_devs[dev], .cpu = cpu, .vector = vector };
    assert_true(chip->alloc(&irq, &p));
    return irq;
}

static struct model_result send(const struct irq_chip *chip, const struct irq *irq, uint16_t source)
{
    struct msi_msg msg;
    chip->compose(irq, machine_place(irq), &msg);
    return model_msi(m, source, msg.address, msg.data);
}

#define assert_arrives(irq, id, vec)                                                               \
    do {                                                                                           \
        struct model_result r_ = send(&vtd_chip_remapped, irq, (irq)->dev->requester);             \
        assert_int_equal(r_.reason, 0);                                                            \
        assert_false(r_.posted);                                                                   \
        assert_int_equal(r_.destination, id);                                                      \
        assert_int_equal(r_.vector, vec);                                                          \
    } while (0)

static void test_remapped(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    assert_string_equal(chip->name, "VTD-REMAP");
    struct irq irq = make(chip, 0, 0, 0x41);
    assert_int_equal(send(chip, &irq, irq.dev->requester).reason, 0x22); // not routed yet
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    assert_arrives(&irq, 0x301, 0x41);

    irq.cpu = 1; // moved; the message stays
    irq.vector = 0x52;
    assert_arrives(&irq, 0x301, 0x41);
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    assert_arrives(&irq, 0x12345, 0x52);

    assert_int_equal(send(chip, &irq, 0x0028).reason, 0x26); // another device
    chip->free(&irq);
    assert_int_equal(send(chip, &irq, irq.dev->requester).reason, 0x22);
    assert_int_equal(told.errors, 0);
}

// Whoever writes its message, and whatever else is changed meanwhile.
static void test_shut(void **state)
{
    const struct irq_chip *const chips[] = { &vtd_chip_remapped, &vtd_chip_posted };
    struct irq irq = make(chips[1], 0, 0, 0x41);
    assert_true(chips[1]->route(&irq, machine_place(&irq), &p));
    irq.shut = true;
    for (unsigned i = 0; i < 2; i++) {
        irq.cpu = i;
        assert_true(chips[i]->route(&irq, machine_place(&irq), &p));
        assert_int_equal(send(chips[i], &irq, irq.dev->requester).reason, 0x22);
    }
    irq.shut = false;
    assert_true(chips[0]->route(&irq, machine_place(&irq), &p));
    assert_int_equal(send(chips[0], &irq, irq.dev->requester).reason, 0);
}

static void test_posted(void **state)
{
    const struct irq_chip *chip = &vtd_chip_posted;
    assert_string_equal(chip->name, "VTD-POST");
    struct irq irq = make(chip, 0, 0, 0xc5);
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    struct model_result r = send(chip, &irq, irq.dev->requester);
    assert_int_equal(r.reason, 0);
    assert_true(r.posted);
    assert_ptr_equal(r.descriptor, &machine_pi[0]);
    assert_int_equal(machine_pi[0].pir[3], 1ull << (0xc5 - 192));

    irq.cpu = 1;
    irq.vector = 0x20;
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    r = send(chip, &irq, irq.dev->requester);
    assert_ptr_equal(r.descriptor, &machine_pi[1]);
    assert_int_equal(machine_pi[1].pir[0], 1ull << 0x20);
    assert_int_equal(send(chip, &irq, 0x0028).reason, 0x26);
}

// From posted to remapped and back, without a moment of half an entry.
static void test_change_kind(void **state)
{
    struct irq irq = make(&vtd_chip_posted, 0, 0, 0x30);
    assert_true(vtd_chip_posted.route(&irq, machine_place(&irq), &p));
    assert_true(send(&vtd_chip_posted, &irq, irq.dev->requester).posted);
    assert_true(vtd_chip_remapped.route(&irq, machine_place(&irq), &p));
    assert_arrives(&irq, 0x301, 0x30);
    assert_true(vtd_chip_posted.route(&irq, machine_place(&irq), &p));
    assert_true(send(&vtd_chip_posted, &irq, irq.dev->requester).posted);
}

// Each change is followed by an invalidation of that entry, which has ended when route() returns.
static void test_invalidates(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    struct irq first = make(chip, 0, 0, 0x41), second = make(chip, 0, 0, 0x42);
    char expected[64];
    m->lag = 50;
    for (unsigned i = 0; i < 3; i++) {
        m->log[0] = 0;
        assert_true(chip->route(&first, machine_place(&first), &p));
        snprintf(expected, sizeof(expected), "IEC%u", first.chip_handle);
        assert_string_equal(m->log, expected);
        assert_true(chip->route(&second, machine_place(&second), &p));
        snprintf(expected, sizeof(expected), "IEC%u IEC%u", first.chip_handle, second.chip_handle);
        assert_string_equal(m->log, expected);
        assert_int_equal(m->iqh, m->iqt);
    }
}

// A unit that doesn't snoop sees only what was flushed, the empty table included.
static void test_not_coherent(void **state)
{
    m = machine_one_unit();
    m->ecap &= ~M_ECAP_C;
    machine_enable();
    for (unsigned index = 0; index < 4096; index += 117)
        assert_int_equal(model_msi(m, 0, 0xfee00010 | index << 5, 0).reason, 0x22);
    struct irq irq = make(&vtd_chip_remapped, 0, 0, 0x41);
    for (unsigned i = 0; i < 3; i++) {
        irq.vector = (uint8_t)(0x50 + i);
        assert_true(vtd_chip_remapped.route(&irq, machine_place(&irq), &p));
        assert_arrives(&irq, 0x301, 0x50 + i);
    }
}

// Many rounds of the ring, with both widths of descriptors.
static void test_wraps(void **state)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        m = machine_one_unit();
        m->ecap |= wide ? M_ECAP_SMTS : 0;
        machine_enable();
        struct irq irq = make(&vtd_chip_remapped, 0, 0, 0x41);
        for (unsigned i = 0; i < 700; i++) {
            irq.vector = (uint8_t)(0x40 + i % 100);
            assert_true(vtd_chip_remapped.route(&irq, machine_place(&irq), &p));
            assert_arrives(&irq, 0x301, 0x40 + i % 100);
        }
        assert_rules_kept(m);
    }
}

// ---- entries ----

// Few enough to take them all.
static int set_up_small_table(void **state)
{
    m = machine_one_unit();
    model_memory_free = 0;
    machine_enable();
    return 0;
}

static void test_entries(void **state)
{
    static struct irq irqs[4096];
    const struct irq_chip *chip = &vtd_chip_remapped;
    static bool taken[4096];
    memset(taken, 0, sizeof(taken));

    // One that was just given back is not the next one given out: a late message of its old device
    // still faults.
    irqs[0] = make(chip, 0, 0, 0x41);
    chip->free(&irqs[0]);
    irqs[1] = make(chip, 0, 0, 0x41);
    assert_int_not_equal(irqs[0].chip_handle, irqs[1].chip_handle);
    chip->free(&irqs[1]);

    for (unsigned i = 0; i < 4096; i++) {
        irqs[i] = make(chip, 0, 0, 0x41);
        assert_in_range(irqs[i].chip_handle, 0, 4095);
        assert_false(taken[irqs[i].chip_handle]);
        taken[irqs[i].chip_handle] = true;
    }
    struct irq more = { .name = "nvme0q2", .dev = &machine_devs[0] };
    assert_false(chip->alloc(&more, &p));
    assert_string_equal(p.what, "vtd-table-full");
    assert_non_null(strstr(p.message, "all 4096 entries"));
    assert_non_null(strstr(p.message, "(cpus=), fewer queues (nvme.queues=) or fewer disks"));

    chip->free(&irqs[1234]);
    assert_true(chip->alloc(&more, &p));
    assert_int_equal(more.chip_handle, irqs[1234].chip_handle);
}

static void test_no_unit(void **state)
{
    struct irq irq = { .dev = &machine_devs[2] };
    assert_false(vtd_chip_remapped.alloc(&irq, &p));
    assert_string_equal(p.what, "vtd-no-unit");
    assert_non_null(strstr(p.message, "0009:00:06.0"));
}

static void test_no_descriptor(void **state)
{
    struct irq irq = make(&vtd_chip_posted, 0, 0, 0x41);
    machine_posts = false;
    assert_false(vtd_chip_posted.route(&irq, machine_place(&irq), &p));
    assert_string_equal(p.what, "vtd-no-descriptor");
    assert_string_equal(m->log, ""); // nothing was written
}

// Entries of a device behind a PCIe-to-PCI bridge, and of one with an id not its own.
static void test_aliases(void **state)
{
    struct pci_dev bridge = { .bdf = PCI_BDF(1, 0, 0), .secondary = 2, .subordinate = 3 };
    struct pci_dev old = { .bdf = PCI_BDF(2, 3, 0), .requester = 0x0200, .parent = &bridge };
    struct pci_dev vmd = { .bdf = PCI_BDF(9, 0, 0), .requester = 0x0018 };
    struct irq irq = { .name = "old", .dev = &old, .vector = 0x60 };
    const struct irq_chip *chip = &vtd_chip_remapped;
    assert_true(chip->alloc(&irq, &p));
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    assert_int_equal(send(chip, &irq, 0x0200).reason, 0);
    assert_int_equal(send(chip, &irq, 0x0218).reason, 0);
    assert_int_equal(send(chip, &irq, 0x0100).reason, 0x26);
    assert_int_equal(send(chip, &irq, 0x0300).reason, 0x26);

    irq = (struct irq){ .name = "vmd", .dev = &vmd, .vector = 0x61 };
    assert_true(chip->alloc(&irq, &p));
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    assert_int_equal(send(chip, &irq, 0x0018).reason, 0);
    assert_int_equal(send(chip, &irq, 0x0900).reason, 0x26);
}

// ---- the queue in trouble ----

// One refused request: told, and the queue goes on.
static void test_refused(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    struct irq irq = make(chip, 0, 0, 0x41);
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    m->bad_requests = 1;
    irq.vector = 0x42;
    assert_false(chip->route(&irq, machine_place(&irq), &p));
    assert_arrives(&irq, 0x301, 0x41); // the old entry is back
    assert_string_equal(p.what, "vtd-queue-error");
    assert_non_null(strstr(p.message, "invalid descriptor type"));
    assert_non_null(strstr(p.message, "the queue goes on"));
    assert_int_equal(m->fsts & M_FSTS_IQE, 0);
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    assert_arrives(&irq, 0x301, 0x42);
}

static struct irq astray;

static void send_meanwhile(void)
{
    send(&vtd_chip_remapped, &astray, astray.dev->requester);
}

// An MSI comes after the entry was stored: the unit has the new one in its cache when it refuses to
// forget the old one.
static void test_refused_too_late(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    astray = make(chip, 0, 0, 0x41);
    assert_true(chip->route(&astray, machine_place(&astray), &p));
    m->bad_requests = 1;
    model_between = send_meanwhile;
    assert_false(chip->route(&astray, (struct irq_place){ .cpu = 1, .vector = 0x42 }, &p));
    model_between = NULL;
    assert_arrives(&astray, 0x301, 0x41);
}

// No answer: a problem within the deadline, and none is waited for again.
static void test_hung(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    struct irq irq = make(chip, 0, 0, 0x41);
    m->hang_waits = true;
    uint64_t before = model_now;
    assert_false(chip->route(&irq, machine_place(&irq), &p));
    assert_string_equal(p.what, "vtd-queue-stuck");
    assert_in_range(model_now - before, NS_PER_S, 2 * NS_PER_S);
    assert_non_null(strstr(p.message, "0xfed90000"));
    before = model_now;
    assert_false(chip->route(&irq, machine_place(&irq), &p));
    assert_string_equal(p.what, "vtd-queue-stuck");
    assert_in_range(model_now - before, 0, NS_PER_MS);
}

// The answer comes just before the deadline.
static void test_late(void **state)
{
    struct irq irq = make(&vtd_chip_remapped, 0, 0, 0x41);
    m->lag = NS_PER_S / MODEL_TIME_STEP_NS - 10;
    assert_true(vtd_chip_remapped.route(&irq, machine_place(&irq), &p));
    assert_arrives(&irq, 0x301, 0x41);
}

// An entry that the unit may still have in its cache is given to nobody else.
static void test_free_unconfirmed(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    struct irq irq = make(chip, 0, 0, 0x41);
    uint32_t lost = irq.chip_handle;
    assert_true(chip->route(&irq, machine_place(&irq), &p));
    m->bad_requests = 1;
    chip->free(&irq);
    assert_int_equal(told.errors, 1);
    assert_string_equal(told.error_what, "vtd-queue-error");
    for (unsigned i = 0; i < 4095; i++)
        assert_int_not_equal(make(chip, 0, 0, 0x41).chip_handle, lost);
    assert_false(chip->alloc(&irq, &p));
}

// ---- several CPUs ----

#define THREADS 3
#define ROUNDS 60

// Between two actions of one CPU, another one runs.
static void let_others_run(void)
{
    sched_yield();
}

static void *route_often(void *arg)
{
    struct irq *irq = arg;
    struct problem mine;
    for (unsigned i = 0; i < ROUNDS; i++) {
        irq->vector = (uint8_t)(0x40 + i % 64);
        if (!vtd_chip_remapped.route(irq, machine_place(irq), &mine))
            return irq;
    }
    return NULL;
}

// The unit's lock also covers all that the model does meanwhile: without it, the queue's tail and
// the model break.
static void test_threads(void **state)
{
    struct irq irqs[THREADS];
    pthread_t threads[THREADS];
    m->lag = 0;
    model_between = let_others_run;
    for (unsigned i = 0; i < THREADS; i++)
        irqs[i] = make(&vtd_chip_remapped, i % 2, 0, 0x41);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, route_often, &irqs[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    model_between = NULL;
    for (unsigned i = 0; i < THREADS; i++)
        assert_arrives(&irqs[i], 0x301, 0x40 + (ROUNDS - 1) % 64);
    assert_int_equal(m->entry_invalidations, THREADS * ROUNDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_remapped, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_shut, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_posted, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_change_kind, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_invalidates, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_not_coherent, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_wraps, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_entries, set_up_small_table, check_rules),
        cmocka_unit_test_setup_teardown(test_no_unit, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_no_descriptor, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_aliases, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_refused, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_refused_too_late, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_hung, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_late, set_up, check_rules),
        cmocka_unit_test_setup_teardown(test_free_unconfirmed, set_up_small_table, check_rules),
        cmocka_unit_test_setup_teardown(test_threads, set_up, check_rules),
    };
    return run_on_both_kinds(tests);
}
