// SPDX-License-Identifier: BSD-2-Clause
// Immediate handlers: where and in which order they run, and that none is entered twice.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

static char order[8]; // who was handled, in order
static unsigned order_count;
static bool enabled_in_handler;
static unsigned eois_in_handler;
static unsigned depth, deepest; // of handlers within handlers
static void (*during)(void);    // the first call

static void note(void *arg)
{
    void (*now)(void) = during;
    order[order_count++] = (char)(uintptr_t)arg;
    order[order_count] = 0;
    enabled_in_handler = world.enabled;
    eois_in_handler = world.eois;
    during = NULL;
    deepest = MAX(deepest, ++depth);
    if (now)
        now();
    depth--;
}

static struct irq *noted(char name, uint8_t vector)
{
    struct problem p;
    keep_vectors(0, vector);
    struct irq *irq = irq_alloc(&world.device, 0, 0, note, (void *)(uintptr_t)name, "noted", &p);
    give_vectors_back(0);
    return irq;
}

static struct irq *immediate(char name, uint8_t vector)
{
    struct irq *irq = noted(name, vector);
    irq_set_immediate(irq);
    return irq;
}

static void begin(struct irq_config config)
{
    start_with(config);
    order_count = depth = deepest = 0;
    order[0] = 0;
    during = NULL;
}

static void begin_in(enum irq_mode mode)
{
    begin((struct irq_config){ .mode = mode });
}

// ---- where and when ----

static void they_run_in_each_word(void **state)
{
    static const uint8_t vectors[] = { 32, 64, 128, 192, VECTOR_DEVICE_LAST };
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        begin_in(IRQ_POSTED);
        immediate('i', vectors[i]);
        world.enabled = false;
        post(0, vectors[i]);
        assert_string_equal(order, "i");
        assert_int_equal(irq_poll(), 0);
    }
}

static void a_devices_own_vector_ends_behind_its_handler(void **state)
{
    begin_in(IRQ_REMAPPED);
    struct irq *irq = immediate('i', 40);
    world.enabled = false;
    irq_take_device(irq->vector);
    assert_string_equal(order, "i");
    assert_int_equal(eois_in_handler, 0);
    assert_int_equal(world.eois, 1);
}

// In the loop's harvest, too, they don't wait for those in front of them.
static void the_loop_runs_them_first(void **state)
{
    begin_in(IRQ_ADAPTIVE);
    noted('a', 40);
    noted('b', 41);
    immediate('i', 42);
    for (uint8_t vector = 40; vector <= 42; vector++)
        pi_post(&cpus[0].pi, vector, false);
    assert_int_equal(irq_poll(), 3);
    assert_string_equal(order, "iab");
    assert_true(world.enabled);
}

static void urgent_ones_run_with_interrupts_off(void **state)
{
    struct problem p;
    begin_in(IRQ_ADAPTIVE);
    struct irq *both = immediate('i', 42);
    assert_true(irq_set_urgent(both, true, &p));
    pi_post(&cpus[0].pi, 42, false);
    enabled_in_handler = true;
    irq_poll();
    assert_string_equal(order, "i");
    assert_false(enabled_in_handler);
    assert_true(world.enabled);

    noted('a', 43);
    irq_take_device(43);
    cpus[0].ready[0] |= BIT64(42); // a move's harvest left it
    cpus[0].urgent_due = true;
    irq_poll();
    assert_string_equal(order, "iai");
    assert_false(enabled_in_handler);
}

// ---- nested interrupts ----

static void window_comes(void)
{
    pi_post(&cpus[0].pi, 42, false); // for the handler that runs
    world.now_ns += 1000;
    bool was = world.enabled;
    world.enabled = false;
    irq_take_timer();
    world.enabled = was;
}

// The timer gets in while an urgent post's handler runs, and its window harvests for the same one.
static void none_is_entered_twice(void **state)
{
    struct problem p;
    begin((struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
    struct irq *irq = immediate('i', 42);
    assert_true(irq_set_urgent(irq, true, &p));
    during = window_comes;
    assert_true(pi_post(&cpus[0].pi, 42, true));
    world.enabled = false;
    irq_take_notification();
    assert_string_equal(order, "ii"); // one behind the other
    assert_int_equal(deepest, 1);
    assert_false(irq_pending());
}

// What was not run goes with the next: the guard is open again.
static void they_run_again(void **state)
{
    begin_in(IRQ_POSTED);
    immediate('i', 42);
    for (unsigned i = 0; i < 3; i++) {
        world.enabled = false;
        post(0, 42);
    }
    assert_string_equal(order, "iii");
}

// ---- changes ----

// The vector's next irq is none, unless it says so.
static void a_freed_vector_is_no_longer_immediate(void **state)
{
    struct problem p;
    begin_in(IRQ_POSTED);
    struct irq *irq = immediate('i', 42);
    assert_true(irq_set_urgent(irq, true, &p));
    irq_free(irq);
    assert_int_equal(cpus[0].immediate[0] | cpus[0].urgent[0], 0);
    struct irq *next = noted('n', 42);
    assert_int_equal(next->vector, 42);
    post(0, 42);
    assert_string_equal(order, "");
    assert_int_equal(irq_poll(), 1);
    assert_string_equal(order, "n");
    assert_true(enabled_in_handler);
}

static void moved(void *arg, unsigned cpu)
{
}

// Immediate and urgent it stays where it goes, and neither is left where it was.
static void they_move(void **state)
{
    struct problem p;
    begin_in(IRQ_POSTED);
    struct irq *irq = immediate('i', 42);
    assert_true(irq_set_urgent(irq, true, &p));
    irq_on_move(irq, moved);
    keep_vectors(1, 130);
    assert_true(irq_move_here(irq, 1, &p));
    assert_int_equal(irq->vector, 130);
    assert_int_equal(cpus[0].immediate[0] | cpus[0].urgent[0], 0);
    assert_int_equal(cpus[1].immediate[2], BIT64(2));
    assert_int_equal(cpus[1].urgent[2], BIT64(2));
    assert_true(cpus[1].has_immediate && cpus[1].has_urgent);
    world.enabled = false;
    post(1, 130);
    assert_string_equal(order, "i");
}

static void they_are_of_their_own_cpu(void **state)
{
    begin_in(IRQ_POSTED);
    irq_set_immediate(new_irq(1, 1));
    assert_int_equal(cpus[0].immediate[0], 0);
    assert_int_equal(cpus[1].immediate[0], BIT64(VECTOR_DEVICE_FIRST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_run_in_each_word),
        cmocka_unit_test(a_devices_own_vector_ends_behind_its_handler),
        cmocka_unit_test(the_loop_runs_them_first),
        cmocka_unit_test(urgent_ones_run_with_interrupts_off),
        cmocka_unit_test(none_is_entered_twice),
        cmocka_unit_test(they_run_again),
        cmocka_unit_test(a_freed_vector_is_no_longer_immediate),
        cmocka_unit_test(they_move),
        cmocka_unit_test(they_are_of_their_own_cpu),
    };
    return cmocka_run_group_tests_name("irq, immediate", tests, NULL, NULL);
}
