// SPDX-License-Identifier: BSD-2-Clause
// What a CPU is told that it has to do, what it counts, and errors of its local APIC.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

static struct irq *irq_at(uint8_t vector)
{
    keep_vectors(0, vector);
    struct irq *irq = new_irq(0, vector);
    give_vectors_back(0);
    assert_int_equal(irq->vector, vector);
    return irq;
}

// ---- pending ----

static void what_is_ready_is_pending_in_each_word(void **state)
{
    static const uint8_t vectors[] = { 32, 63, 64, 127, 128, 191, 192, VECTOR_DEVICE_LAST };
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        start(IRQ_REMAPPED);
        irq_at(vectors[i]);
        assert_false(irq_pending());
        irq_take_device(vectors[i]);
        assert_true(irq_pending());
        assert_int_equal(irq_poll(), 1);
        assert_int_equal(world.handled[vectors[i]], 1);
        assert_false(irq_pending());
    }
}

// Where the loop harvests, it looks as far as there are irqs, and takes what it sees.
static void what_is_posted_is_pending_where_the_loop_harvests(void **state)
{
    static const enum irq_mode modes[] = { IRQ_ADAPTIVE, IRQ_POLL };
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        start(modes[i]);
        irq_at(VECTOR_DEVICE_LAST);
        irq_at(128);
        pi_post(&cpus[0].pi, 128, false);
        pi_post(&cpus[0].pi, VECTOR_DEVICE_LAST, false);
        assert_true(irq_pending());
        assert_int_equal(irq_poll(), 2);
        assert_false(irq_pending());
    }
    start(IRQ_ADAPTIVE);
    irq_at(128);
    pi_post(&cpus[0].pi, 192, false); // nobody's: found before sleep
    assert_false(irq_pending());
}

static void what_is_posted_waits_for_its_notification_elsewhere(void **state)
{
    start(IRQ_POSTED);
    irq_at(200);
    pi_post(&cpus[0].pi, 200, false);
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
    irq_take_notification();
    assert_true(irq_pending());
}

static void a_fault_event_is_pending(void **state)
{
    start(IRQ_POSTED);
    irq_take_fault();
    assert_true(irq_pending());
}

static unsigned faults;

static void fault_again(void)
{
    if (++faults == 1)
        irq_take_fault(); // another one, while the log is read
}

static void a_fault_event_while_faults_are_read_is_handled(void **state)
{
    start(IRQ_POSTED);
    faults = 0;
    irq_set_fault_handler(fault_again);
    irq_take_fault();
    assert_int_equal(irq_poll(), 1);
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(faults, 2);
    assert_false(irq_pending());
}

// An irq that was alone in its word leaves, and one in a lower word arrives.
static void the_loop_looks_as_far_as_ever(void **state)
{
    start(IRQ_ADAPTIVE);
    irq_at(200);
    irq_at(40);
    irq_at(100);
    pi_post(&cpus[0].pi, 200, false);
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(world.handled[200], 1);
}

static void what_nobody_knows_keeps_none_from_its_handler(void **state)
{
    start(IRQ_POSTED);
    struct irq *gone = irq_at(40);
    irq_at(41);
    pi_post(&cpus[0].pi, 40, false);
    post(0, 41);
    irq_take_notification();
    irq_free(gone); // ready, and gone before its turn
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(world.handled[41], 1);
    assert_int_equal(world.handled[40], 0);
}

// ---- counts ----

// Bucket n: 2^(n-1) < vectors <= 2^n.
static void harvests_are_counted_by_what_they_found(void **state)
{
    static const struct {
        unsigned vectors, bucket;
    } cases[] = {
        { 1, 0 }, { 2, 1 }, { 3, 2 }, { 4, 2 }, { 5, 3 }, { 8, 3 }, { 9, 4 }, { 207, 8 }
    };
    static const enum irq_mode modes[] = { IRQ_POSTED, IRQ_ADAPTIVE };
    for (unsigned i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(modes); i++) {
        unsigned vectors = cases[i / 2].vectors;
        start(modes[i % 2]);
        irq_at(VECTOR_DEVICE_LAST);
        for (unsigned v = 0; v < vectors; v++)
            pi_post(&cpus[0].pi, (uint8_t)(VECTOR_DEVICE_LAST - v), false);
        if (modes[i % 2] == IRQ_POSTED)
            irq_take_notification();
        irq_poll();
        for (unsigned b = 0; b < CPU_STATS_BUCKETS; b++)
            assert_int_equal(cpus[0].stats.per_harvest[b], b == cases[i / 2].bucket);
        assert_int_equal(cpus[0].stats.msis, 1);
        assert_int_equal(cpus[0].stats.spurious, vectors - 1);
    }
}

static unsigned posts_left;

static void post_again(void *arg)
{
    if (posts_left) {
        posts_left--;
        pi_post(&cpus[0].pi, 40, false);
    }
}

static unsigned loops_bucket(unsigned posts)
{
    struct problem p;
    start_with((struct irq_config){ .mode = IRQ_POSTED, .loops = 20 });
    keep_vectors(0, 40);
    irq_set_immediate(irq_alloc(&world.device, 0, 0, post_again, NULL, "again", &p));
    posts_left = posts;
    post_again(NULL);
    world.enabled = false;
    irq_take_notification();
    assert_false(pi_any(&cpus[0].pi));
    unsigned bucket = 0;
    while (bucket < CPU_STATS_LOOPS && !cpus[0].stats.loops[bucket])
        bucket++;
    return bucket;
}

static void notifications_are_counted_by_their_harvests(void **state)
{
    for (unsigned posts = 0; posts < 12; posts++)
        assert_int_equal(loops_bucket(posts), MIN(posts, CPU_STATS_LOOPS - 1u));
}

static void msis_are_counted_where_they_came(void **state)
{
    start(IRQ_REMAPPED);
    struct irq *irq = new_irq(0, 1);
    irq_take_device(irq->vector);
    struct irq *other = new_irq(1, 2);
    world.current = 1;
    irq_take_device(other->vector);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(irq->counts[1], 0);
    assert_int_equal(other->counts[0], 0);
    assert_int_equal(other->counts[1], 1);
    assert_int_equal(cpus[1].stats.msis, 1);
}

static void urgent_and_immediate_msis_are_counted(void **state)
{
    struct problem p;
    start(IRQ_ADAPTIVE);
    struct irq *urgent = irq_at(60), *immediate = irq_at(61);
    assert_true(irq_set_urgent(urgent, true, &p));
    irq_set_immediate(immediate);
    pi_post(&cpus[0].pi, 60, false);
    pi_post(&cpus[0].pi, 61, false);
    pi_post(&cpus[0].pi, 62, false); // nobody's
    irq_poll();
    assert_int_equal(urgent->counts[0], 1);
    assert_int_equal(immediate->counts[0], 1);
    assert_int_equal(cpus[0].stats.msis, 2);
    assert_int_equal(cpus[0].stats.spurious, 1);
    assert_int_equal(cpus[0].stats.per_harvest[2], 1); // of three
}

static void every_interrupt_is_counted(void **state)
{
    start(IRQ_POSTED);
    irq_take_notification();
    irq_take_timer();
    irq_take_ipi();
    irq_take_fault();
    irq_take_spurious();
    const struct cpu_stats *s = &cpus[0].stats;
    assert_int_equal(s->notifications, 1);
    assert_int_equal(s->timers, 1);
    assert_int_equal(s->ipis, 1);
    assert_int_equal(s->faults, 1);
    assert_int_equal(s->spurious, 1);
    assert_int_equal(s->loops[0], 1); // it found nothing
    assert_true(cpus[0].timer_due);
}

static void errors_of_the_local_apic_are_kept(void **state)
{
    start(IRQ_POSTED);
    world.esr_pending = 0x40;
    irq_take_error();
    assert_int_equal(cpus[0].apic_errors, 0x40);
    world.esr_pending = 0x80;
    irq_take_error();
    assert_int_equal(cpus[0].apic_errors, 0xc0);
    assert_int_equal(cpus[0].stats.spurious, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ready_is_pending_in_each_word),
        cmocka_unit_test(what_is_posted_is_pending_where_the_loop_harvests),
        cmocka_unit_test(what_is_posted_waits_for_its_notification_elsewhere),
        cmocka_unit_test(a_fault_event_is_pending),
        cmocka_unit_test(a_fault_event_while_faults_are_read_is_handled),
        cmocka_unit_test(the_loop_looks_as_far_as_ever),
        cmocka_unit_test(what_nobody_knows_keeps_none_from_its_handler),
        cmocka_unit_test(harvests_are_counted_by_what_they_found),
        cmocka_unit_test(notifications_are_counted_by_their_harvests),
        cmocka_unit_test(msis_are_counted_where_they_came),
        cmocka_unit_test(urgent_and_immediate_msis_are_counted),
        cmocka_unit_test(every_interrupt_is_counted),
        cmocka_unit_test(errors_of_the_local_apic_are_kept),
    };
    return cmocka_run_group_tests_name("irq, pending", tests, NULL, NULL);
}
