// SPDX-License-Identifier: BSD-2-Clause
// An event between any two actions. The unit looks at an entry whenever a message comes: here one
// comes at each moment of a change, between any two accesses of the driver or even any two of its
// instructions, and what arrives must be the old way or the new one, never a mixture, and the old
// one never again once the change has ended.

#include "vtd_machine.h"

#include "drivers/vtd/unit.h"
#include "single_step.h"

static struct problem p;
static struct model_unit *m;
static struct irq irq;
static unsigned moments; // that the event came

static const struct irq_place old_place = { .cpu = 0, .vector = 0x41 };
static const struct irq_place new_place = { .cpu = 1, .vector = 0x52 };

static struct model_result send(void)
{
    struct msi_msg msg;
    vtd_chip_remapped.compose(&irq, old_place, &msg);
    return model_msi(m, irq.dev->requester, msg.address, msg.data);
}

static bool goes_to(struct model_result r, const struct irq_chip *chip, struct irq_place to)
{
    if (r.reason || r.vector != to.vector || r.posted != (chip == &vtd_chip_posted))
        return false;
    return r.posted ? r.descriptor == (uint64_t)(uintptr_t)&machine_pi[to.cpu]
                    : r.destination == cpu_apic_id(to.cpu);
}

// Units that snoop and don't, that answer at once and don't.
static void begin(unsigned kind)
{
    m = machine_one_unit();
    if (kind & 1)
        m->ecap &= ~M_ECAP_C;
    if (kind & 2) {
        m->delay = m->lag = m->pace = 0;
        m->posts_writes = false;
    }
    machine_enable();
    irq = (struct irq){ .name = "nvme0q1", .dev = &machine_devs[0] };
    moments = 0;
}

// ---- between two accesses ----

static const struct irq_chip *from, *to;
static bool arrived_anew, wrong;

static void message_during_move(void)
{
    struct model_result r = send();
    bool new_way = goes_to(r, to, new_place);
    moments++;
    wrong |= !new_way && !goes_to(r, from, old_place);
    wrong |= arrived_anew && !new_way; // the old way is back
    arrived_anew |= new_way;
}

static void move_under_fire(const struct irq_chip *from_chip, const struct irq_chip *to_chip)
{
    from = from_chip;
    to = to_chip;
    arrived_anew = wrong = false;
    assert_true(from->alloc(&irq, &p));
    assert_true(from->route(&irq, old_place, &p));
    assert_true(goes_to(send(), from, old_place));
    model_between = message_during_move;
    assert_true(to->route(&irq, new_place, &p));
    model_between = NULL;
    assert_false(wrong);
    assert_true(moments >= 4);
    assert_true(goes_to(send(), to, new_place));
    assert_rules_kept(m);
}

static void test_moves(void **state)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        begin(kind);
        move_under_fire(&vtd_chip_remapped, &vtd_chip_remapped);
        begin(kind);
        move_under_fire(&vtd_chip_posted, &vtd_chip_posted);
        begin(kind);
        move_under_fire(&vtd_chip_remapped, &vtd_chip_posted);
        begin(kind);
        move_under_fire(&vtd_chip_posted, &vtd_chip_remapped);
    }
}

static void message(void)
{
    moments++;
    send();
}

// A device that signals on while its irq is freed: nothing of it arrives afterwards, whoever has the
// entry next.
static void test_frees(void **state)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        begin(kind);
        assert_true(vtd_chip_remapped.alloc(&irq, &p));
        assert_true(vtd_chip_remapped.route(&irq, old_place, &p));
        model_between = message;
        vtd_chip_remapped.free(&irq);
        model_between = NULL;
        assert_true(moments >= 4);
        assert_int_equal(send().reason, 0x22);
        assert_rules_kept(m);
    }
}

// Entries of firmware's table are in the unit's cache again as often as a message can bring them
// there: none of them is left when remapping is on.
static void message_of_firmware(void)
{
    moments++;
    for (uint32_t i = 0; i < 8; i++)
        model_msi(m, PCI_BDF(0, 20, 0), 0xfee00010 | i << 5, 0);
}

static void test_start(void **state)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        m = machine_one_unit();
        uint64_t *table = mem_alloc(4096, 4096, NODE_ANY);
        for (unsigned i = 0; i < 256; i++)
            table[2 * i] = 1; // present, to CPU 0, from anybody
        m->gsts = M_IRE | M_SIRTP;
        m->irta = m->irta_in_use = mem_phys(table) | 1 << 11 | 7;
        m->cap |= kind ? M_CAP_ESIRTPS : 0;
        model_between = message_of_firmware;
        machine_enable();
        model_between = NULL;
        assert_true(moments > 20);
        for (uint32_t i = 0; i < 8; i++)
            assert_int_equal(model_msi(m, PCI_BDF(0, 20, 0), 0xfee00010 | i << 5, 0).reason, 0x22);
        assert_rules_kept(m);
    }
}

// ---- between two instructions ----

static struct model_entry *entry_in_memory(void)
{
    uint64_t table = m->irta_in_use & ~0xfffull;
    return (struct model_entry *)(uintptr_t)table + irq.chip_handle;
}

static struct model_entry old_entry, new_entry;

static bool same(struct model_entry a, struct model_entry b)
{
    return a.low == b.low && a.high == b.high;
}

// The unit reads all 16 bytes at once, at any time.
static bool look_at_entry(void)
{
    moments++;
    wrong |= !same(*entry_in_memory(), old_entry) && !same(*entry_in_memory(), new_entry);
    return true;
}

static void test_entry_is_whole(void **state)
{
    begin(2);
    assert_true(vtd_chip_posted.alloc(&irq, &p));
    assert_true(vtd_chip_remapped.route(&irq, new_place, &p));
    new_entry = *entry_in_memory();
    assert_true(vtd_chip_posted.route(&irq, old_place, &p));
    old_entry = *entry_in_memory();
    assert_true(old_entry.low != new_entry.low && old_entry.high != new_entry.high);
    wrong = false;
    single_step_start(look_at_entry);
    bool ok = vtd_chip_remapped.route(&irq, new_place, &p);
    single_step_stop();
    assert_true(ok);
    assert_true(moments > 100);
    assert_false(wrong);
    assert_true(same(*entry_in_memory(), new_entry));
}

// A message between any two instructions, of a unit whose cache keeps nothing for long.
static bool message_at_instruction(void)
{
    if (model_busy)
        return true;
    m->cached[irq.chip_handle] = false;
    message_during_move();
    return true;
}

static void test_moves_by_instruction(void **state)
{
    begin(2);
    from = &vtd_chip_posted;
    to = &vtd_chip_remapped;
    arrived_anew = wrong = false;
    assert_true(from->alloc(&irq, &p));
    assert_true(from->route(&irq, old_place, &p));
    single_step_start(message_at_instruction);
    bool ok = to->route(&irq, new_place, &p);
    single_step_stop();
    assert_true(ok);
    assert_true(moments > 100);
    assert_false(wrong);
    assert_true(goes_to(send(), to, new_place));
    assert_rules_kept(m);
}

// Something else writes into the entry at one instruction or another around the store: it is
// noticed, or it came before the entry was looked at, or after the change.
static unsigned store_at, scribble_at;

static bool find_store(void)
{
    moments++;
    if (same(*entry_in_memory(), old_entry))
        return true;
    store_at = moments;
    return false;
}

static bool scribble(void)
{
    if (++moments < scribble_at)
        return true;
    entry_in_memory()->low ^= 1 << 8; // AVAIL
    return false;
}

static bool move_by_instruction(bool (*call)(void))
{
    assert_true(vtd_chip_remapped.route(&irq, old_place, &p));
    old_entry = *entry_in_memory();
    moments = 0;
    single_step_start(call);
    bool ok = vtd_chip_remapped.route(&irq, new_place, &p);
    single_step_stop();
    return ok;
}

static void test_foreign_writes(void **state)
{
    unsigned noticed = 0, before = 0, after = 0;
    begin(2);
    assert_true(vtd_chip_remapped.alloc(&irq, &p));
    assert_true(vtd_chip_remapped.route(&irq, new_place, &p));
    new_entry = *entry_in_memory();
    assert_true(move_by_instruction(find_store));
    for (scribble_at = store_at - MIN(store_at, 100u); scribble_at < store_at + 3; scribble_at++) {
        bool ok = move_by_instruction(scribble);
        if (!ok)
            assert_string_equal(p.what, "vtd-entry-changed");
        noticed += !ok;
        before += ok && same(*entry_in_memory(), new_entry);
        after += ok && !same(*entry_in_memory(), new_entry);
    }
    assert_true(noticed && before && after);
}

// Whatever CPUs share of a unit changes under its lock alone: the queue, the entries and their
// owners, and where the search for a free one goes on.
static struct shared {
    uint64_t tail, number, next, owner;
    struct model_entry entry;
} shared;
static unsigned changes;

static bool look_at_lock(void)
{
    const struct vtd_unit *u = vtd_unit_get(0);
    struct shared now = { u->queue.tail, u->queue.number, u->table.next,
                          (uint64_t)(uintptr_t)u->table.owners[irq.chip_handle],
                          *entry_in_memory() };
    if (memcmp(&now, &shared, sizeof(now))) {
        changes++;
        wrong |= u->lock.next == u->lock.serving;
        shared = now;
    }
    return true;
}

static void test_changes_under_lock(void **state)
{
    const struct irq_chip *chip = &vtd_chip_remapped;
    begin(2);
    wrong = false;
    look_at_lock();
    wrong = false; // that was none
    changes = 0;
    single_step_start(look_at_lock);
    bool ok = chip->alloc(&irq, &p) && chip->route(&irq, old_place, &p);
    chip->free(&irq);
    single_step_stop();
    assert_true(ok);
    assert_false(wrong);
    assert_in_range(changes, 8, 20);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_frees),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_entry_is_whole),
        cmocka_unit_test(test_moves_by_instruction),
        cmocka_unit_test(test_foreign_writes),
        cmocka_unit_test(test_changes_under_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
