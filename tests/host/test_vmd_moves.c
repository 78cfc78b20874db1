// SPDX-License-Identifier: BSD-2-Clause
// Irqs whose MSIs come through a VMD's move, and so do the VMD's own, and the mode changes: nothing is
// lost, and nobody is called for what it left.

#include "tests/host/vmd_msis.h"

// ---- moves ----

static bool move_ok;

static void done(struct irq_move *move)
{
    move_ok = move->ok;
}

static void move_to(struct irq *irq, unsigned cpu)
{
    static struct irq_move move;
    move = (struct irq_move){ .irq = irq, .to = cpu, .done = done };
    move_ok = false;
    irq_set_affinity(&move);
    for (unsigned i = 0; i < world.count; i++) // nothing but the move
        for (unsigned c = 0; c < world.count; c++) {
            world.current = c;
            cpu_run_messages(this_cpu());
        }
    world.current = 0;
    assert_true(move_ok);
}

static uint32_t message_of(const struct vmd_drive *d, unsigned entry)
{
    uint32_t low;
    memcpy(&low, model_data(d->base + DRIVE_TABLE + 16 * entry, 4), 4);
    return low;
}

// To and fro: each way through the vector of the CPU where it is.
static void a_move(void **state)
{
    for_each_mode(mode)
    {
        struct vmd_fn *v = boot(mode, 3, 0x201d, 3, 2);
        struct vmd_drive *d = &v->drives[0];
        struct irq *irq = new_queue(d, 0, 0, 0);
        for (unsigned cpu = 1; cpu < 3; cpu++)
            new_queue(&v->drives[1], cpu, cpu, cpu);
        uint32_t first = message_of(d, 0);
        for (unsigned i = 1; i < 12; i++) {
            move_to(irq, i % 3);
            run_all();
            assert_int_equal(message_of(d, 0) == first, i % 3 == 0);
            unsigned ipis = world.ipis, calls = taken[0].calls;
            for (unsigned cpu = 1; cpu < 3; cpu++)
                if (cpu != irq->cpu) {
                    assert_true(signal_from(&v->drives[1], cpu));
                    run_all();
                }
            assert_int_equal(taken[0].calls, calls); // where it was, it is no more
            assert_reaches(d, irq);
            assert_int_equal(world.ipis, ipis);
        }
    }
}

// An MSI that had come to the old CPU, as the VMD's, when the irq left.
static void a_move_loses_nothing(void **state)
{
    for_each_mode(mode)
    {
        struct vmd_fn *v = boot(mode, 2, 0x201d, 2, 2);
        struct irq *irq = new_queue(&v->drives[0], 0, 0, 0);
        new_queue(&v->drives[1], 1, 1, 1);
        assert_true(signal_from(&v->drives[0], 0));
        move_to(irq, 1);
        run_all();
        assert_true(taken[0].calls >= 1);
        assert_int_equal(taken[0].cpu, 1);
        assert_reaches(&v->drives[0], irq);
    }
}

// The new CPU has none of the VMD's, and none is left: the MSIs go on by message.
static void a_move_to_where_none_is(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 3, 0x201d, 1, 1);
    struct irq *irq = new_queue(&v->drives[0], 0, 0, 0);
    for (unsigned i = 1; i < 7; i++) {
        move_to(irq, i % 3);
        run_all();
        assert_reaches(&v->drives[0], irq);
        assert_int_equal(irq->cpu, i % 3);
    }
}

// The VMD's own moves, with all that come through it left where they are.
static void the_vmds_own_moves(void **state)
{
    for_each_mode(mode)
    {
        struct vmd_fn *v = boot(mode, 3, 0x201d, 1, 2);
        struct irq *irqs[2];
        for (unsigned i = 0; i < 2; i++)
            irqs[i] = new_queue(&v->drives[i], 0, i, i);
        struct irq *own = NULL;
        for (struct irq *irq = irq_first(); irq; irq = irq->next)
            if (irq->dev == vmd_dev(v))
                own = irq;
        for (unsigned i = 1; i < 7; i++) {
            assert_true(signal_from(&v->drives[0], 0)); // and then not lost
            unsigned calls = taken[0].calls;
            move_to(own, i % 3);
            run_all();
            assert_true(taken[0].calls > calls);
            for (unsigned n = 0; n < 2; n++)
                assert_reaches(&v->drives[n], irqs[n]);
        }
    }
}

// ---- the mode changes ----

static unsigned changes;

static void changed(struct irq_mode_change *change)
{
    changes += change->ok;
}

// What comes through the VMD's vectors follows these.
static void the_mode_changes(void **state)
{
    static struct irq_mode_change change;
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 3, 0x201d, 2, 2);
    struct irq *irqs[6];
    for (unsigned i = 0; i < 6; i++)
        irqs[i] = new_queue(&v->drives[i / 3], i % 3, i % 3, i);
    for (unsigned i = 0; i < 12; i++) {
        assert_true(signal_from(&v->drives[i % 2], i % 3)); // under way meanwhile
        unsigned calls = taken[i % 2 * 3 + i % 3].calls;
        change = (struct irq_mode_change){ .mode = modes[i % 4], .done = changed };
        changes = 0;
        irq_set_mode(&change);
        for (unsigned round = 0; round < 20 && !changes; round++)
            run_all();
        assert_int_equal(changes, 1);
        assert_true(taken[i % 2 * 3 + i % 3].calls > calls);
        for (unsigned n = 0; n < 6; n++)
            assert_reaches(&v->drives[n / 3], irqs[n]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(a_move),
        test(a_move_loses_nothing),
        test(a_move_to_where_none_is),
        test(the_vmds_own_moves),
        test(the_mode_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
