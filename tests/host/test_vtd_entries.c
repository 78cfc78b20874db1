// SPDX-License-Identifier: BSD-2-Clause
// Entries at every place of the largest table and of the smallest, and what each kind of entry has
// the unit do: to whom, whether it notifies, and whom it blames for what is blocked.

#include "vtd_machine.h"

static struct problem p;
static struct model_unit *m;

static const uint16_t sender = PCI_BDF(0, 4, 0); // of machine_devs[0]

static struct model_result send_from(uint16_t source, uint32_t index)
{
    struct irq any = { .chip_handle = index };
    struct msi_msg msg;
    vtd_chip_remapped.compose(&any, (struct irq_place){ 0, 0 }, &msg);
    return model_msi(m, source, msg.address, msg.data);
}

static void begin(uint64_t memory, uint64_t ecap)
{
    m = machine_one_unit();
    m->ecap = (m->ecap & ~M_ECAP_C) | ecap;
    m->lag = m->pace = 0;
    model_memory_free = memory;
    machine_enable();
}

// ---- each place of the table ----

// Every entry is given out once, is empty to begin with, and moves on its own: its neighbours, and
// those whose index has the same low bits, stay as they are.
static void each_entry_moves(uint32_t count, uint64_t ecap)
{
    static struct irq irqs[65536];
    static const uint32_t indexes[] = { 0,     1,     2,     3,     4,     5,     6,
                                        7,     255,   256,   257,   511,   512,   4094,
                                        4095,  4096,  16383, 16384, 16385, 32767, 32768,
                                        32769, 49152, 65532, 65533, 65534, 65535 };
    for (uint32_t i = 0; i < count; i++) {
        irqs[i] = (struct irq){ .name = "any", .dev = &machine_devs[0] };
        assert_true(vtd_chip_remapped.alloc(&irqs[i], &p));
        assert_int_equal(irqs[i].chip_handle, i);
        assert_int_equal(send_from(sender, i).reason, 0x22);
    }
    struct irq more = { .name = "more", .dev = &machine_devs[0] };
    assert_false(vtd_chip_remapped.alloc(&more, &p));
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < ARRAY_SIZE(indexes) && indexes[i] < count; i++) {
            struct irq_place to = { round, (uint8_t)(0x30 + i) };
            assert_true(vtd_chip_remapped.route(&irqs[indexes[i]], to, &p));
            for (unsigned n = 0; n < ARRAY_SIZE(indexes) && indexes[n] < count; n++) {
                struct model_result r = send_from(sender, indexes[n]);
                bool routed = round || n <= i;
                assert_int_equal(r.reason, routed ? 0 : 0x22);
                if (routed)
                    assert_int_equal(r.vector, 0x30 + n);
                if (routed)
                    assert_int_equal(r.destination, cpu_apic_id(round && n <= i));
            }
        }
    assert_rules_kept(m);
}

static void test_each_entry(void **state)
{
    begin(GIB, M_ECAP_C);
    each_entry_moves(65536, M_ECAP_C);
    begin(GIB, 0);
    each_entry_moves(65536, 0);
    begin(0, 0);
    each_entry_moves(4096, 0);
}

// The write buffer of old chipsets has nothing to do with snooping.
static void test_snooping_and_write_buffer(void **state)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        m = machine_one_unit();
        m->ecap &= kind & 1 ? ~0ull : ~M_ECAP_C;
        m->cap |= kind & 2 ? M_CAP_RWBF : 0;
        machine_enable();
        struct irq irq = { .name = "any", .dev = &machine_devs[0] };
        assert_true(vtd_chip_remapped.alloc(&irq, &p));
        for (uint8_t vector = 0x40; vector < 0x43; vector++) {
            assert_true(vtd_chip_remapped.route(&irq, (struct irq_place){ 1, vector }, &p));
            assert_int_equal(send_from(sender, irq.chip_handle).vector, vector);
        }
        assert_rules_kept(m);
    }
}

// ---- what an entry has the unit do ----

// Urgent ones notify although the CPU polls, the others don't; without SN both do, once.
static void test_notifications(void **state)
{
    for (unsigned urgent = 0; urgent < 2; urgent++)
        for (unsigned suppressed = 0; suppressed < 2; suppressed++) {
            begin(GIB, M_ECAP_C);
            struct irq irq = { .name = "any", .dev = &machine_devs[0], .urgent = urgent };
            assert_true(vtd_chip_posted.alloc(&irq, &p));
            assert_true(vtd_chip_posted.route(&irq, (struct irq_place){ 1, 0x77 }, &p));
            pi_init(&machine_pi[1], 0x12345, 0xef, suppressed);
            struct model_result r = send_from(sender, irq.chip_handle);
            assert_true(r.posted);
            assert_int_equal(r.reason, 0);
            assert_int_equal(r.notifies, urgent || !suppressed);
            assert_false(send_from(sender, irq.chip_handle).notifies); // ON is set, or SN still
            assert_int_equal(machine_pi[1].pir[1], 1ull << (0x77 - 64));
            assert_int_equal(machine_pi[0].pir[1], 0);
        }
}

// A descriptor is 64 bytes on a 64-byte boundary: the entry has no bits for any other.
static void test_crooked_descriptor(void **state)
{
    begin(GIB, M_ECAP_C);
    struct irq irq = { .name = "any", .dev = &machine_devs[0] };
    assert_true(vtd_chip_posted.alloc(&irq, &p));
    for (machine_pi_offset = 8; machine_pi_offset < 64; machine_pi_offset *= 2) {
        assert_false(vtd_chip_posted.route(&irq, (struct irq_place){ 0, 0x41 }, &p));
        assert_string_equal(p.what, "vtd-descriptor-address");
    }
    assert_int_equal(send_from(sender, irq.chip_handle).reason, 0x22);
}

// Behind a bridge, or with an id not its own: both kinds of entries let the right senders in.
static void test_senders(void **state)
{
    struct pci_dev bridge = { .bdf = PCI_BDF(1, 0, 0), .secondary = 2, .subordinate = 9 };
    struct pci_dev lower = { .bdf = PCI_BDF(2, 1, 0), .secondary = 4, .parent = &bridge };
    struct pci_dev old = { .bdf = PCI_BDF(4, 3, 0), .requester = 0x0200, .parent = &lower };
    struct pci_dev vmd = { .bdf = 0x0018, .requester = 0x0018 };
    struct pci_domain domain = { .host = &vmd };
    struct pci_dev port = { .bdf = PCI_BDF(0, 1, 0), .secondary = 9, .domain = &domain };
    struct pci_dev drive = {
        .bdf = PCI_BDF(9, 0, 0), .requester = 0x0018, .parent = &port, .domain = &domain
    };
    const struct irq_chip *chips[] = { &vtd_chip_remapped, &vtd_chip_posted };
    for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
        begin(GIB, M_ECAP_C);
        struct irq irq = { .name = "old", .dev = &old };
        assert_true(chips[i]->alloc(&irq, &p));
        assert_true(chips[i]->route(&irq, (struct irq_place){ 0, 0x60 }, &p));
        for (uint32_t source = 0; source < 65536; source++)
            assert_int_equal(send_from((uint16_t)source, irq.chip_handle).reason,
                             source >= 0x0200 && source < 0x0500 ? 0 : 0x26);
        irq = (struct irq){ .name = "drive", .dev = &drive };
        assert_true(chips[i]->alloc(&irq, &p));
        assert_true(chips[i]->route(&irq, (struct irq_place){ 0, 0x61 }, &p));
        for (uint32_t source = 0; source < 65536; source++)
            assert_int_equal(send_from((uint16_t)source, irq.chip_handle).reason,
                             source == 0x0018 ? 0 : 0x26);
    }
}

// ---- whom it blames ----

// What is blocked at an entry of ours is told, whatever kind it is.
static void test_blocked_is_told(void **state)
{
    const struct irq_chip *chips[] = { &vtd_chip_remapped, &vtd_chip_posted };
    for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
        begin(GIB, M_ECAP_C);
        struct irq irq = { .name = "nvme0q3", .dev = &machine_devs[0] };
        assert_true(chips[i]->alloc(&irq, &p));
        assert_true(chips[i]->route(&irq, (struct irq_place){ 0, 0x60 }, &p));
        assert_int_equal(send_from(PCI_BDF(0, 5, 0), irq.chip_handle).reason, 0x26);
        vtd_report_faults();
        assert_int_equal(vtd_fault_count(), 1);
        assert_non_null(strstr(told.error, "(nvme0q3)"));
    }
}

// Indexes beyond a small table, its last one, and one that nobody has (again).
static void test_blocked_elsewhere(void **state)
{
    static const uint32_t indexes[] = { 4095, 4096, 4097, 32768, 65535 };
    begin(0, M_ECAP_C);
    for (unsigned i = 0; i < ARRAY_SIZE(indexes); i++) {
        assert_int_equal(send_from(sender, indexes[i]).reason, indexes[i] < 4096 ? 0x22 : 0x21);
        vtd_report_faults();
        assert_int_equal(vtd_fault_count(), i + 1);
        assert_non_null(strstr(told.warning, "(not in use)"));
    }
    assert_int_equal(told.errors, 0);
}

// A message in compatibility format names no entry: it is ours only while some entry lets its sender
// in, and then it is told with that one's name.

static void test_blocked_without_index(void **state)
{
    begin(GIB, M_ECAP_C);
    struct irq irq = { .name = "nvme0q3", .dev = &machine_devs[0] };
    struct irq other = { .name = "nvme1q1", .dev = &machine_devs[1] };
    assert_true(vtd_chip_remapped.alloc(&other, &p));
    assert_true(vtd_chip_remapped.route(&other, (struct irq_place){ 0, 0x61 }, &p));
    assert_true(vtd_chip_remapped.alloc(&irq, &p)); // not the first of the table
    assert_true(vtd_chip_remapped.route(&irq, (struct irq_place){ 0, 0x60 }, &p));
    model_msi(m, sender, 0xfee01000, 0x31);
    vtd_report_faults();
    assert_int_equal(told.errors, 1);
    vtd_chip_remapped.free(&irq);
    model_msi(m, sender, 0xfee01000, 0x31);
    vtd_report_faults();
    assert_int_equal(told.errors, 1);
    assert_int_equal(told.warnings, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_entry),        cmocka_unit_test(test_snooping_and_write_buffer),
        cmocka_unit_test(test_notifications),     cmocka_unit_test(test_crooked_descriptor),
        cmocka_unit_test(test_senders),           cmocka_unit_test(test_blocked_is_told),
        cmocka_unit_test(test_blocked_elsewhere), cmocka_unit_test(test_blocked_without_index),
    };
    return run_on_both_kinds(tests);
}
