// SPDX-License-Identifier: BSD-2-Clause
// What irq_init() leaves on each of several CPUs, and calls that are for another CPU than the caller's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

static void start_three(struct irq_config config)
{
    start_on(3, config);
}

// ---- each CPU's descriptor ----

static void descriptors_notify_their_own_cpu(void **state)
{
    static const struct {
        enum irq_mode mode;
        bool suppress;
    } cases[] = {
        { IRQ_REMAPPED, false },
        { IRQ_POSTED, false },
        { IRQ_ADAPTIVE, true },
        { IRQ_POLL, true },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        start_three((struct irq_config){ .mode = cases[i].mode });
        for (unsigned cpu = 0; cpu < 3; cpu++) {
            uint64_t control = cpus[cpu].pi.control;
            assert_int_equal(field_get(PI_CONTROL_NDST, control), cpus[cpu].apic_id);
            assert_int_equal(field_get(PI_CONTROL_NV, control), VECTOR_NOTIFY);
            assert_int_equal(field_get(PI_CONTROL_SN, control), cases[i].suppress);
            assert_int_equal(field_get(PI_CONTROL_ON, control), 0);
            assert_int_equal(cpus[cpu].loop_harvests, cases[i].suppress);
        }
    }
}

static void only_platforms_that_post_have_descriptors(void **state)
{
    static const struct problem no_post;
    start_with((struct irq_config){ .mode = IRQ_REMAPPED, .no_post = &no_post });
    assert_null(irq_pi_desc(1));
    start(IRQ_REMAPPED); // the mode may change
    assert_ptr_equal(irq_pi_desc(1), &cpus[1].pi);
}

// A CPU begins by itself: it may be asleep by another mode's rules. Its configuration is there by then.
static void every_cpu_begins(void **state)
{
    start_three((struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
    for (unsigned cpu = 0; cpu < 3; cpu++)
        assert_int_equal(cpus[cpu].window_ns, 1000);
    assert_true(world.enabled);
}

static unsigned begun_with_window;

static void begin_at_once(uint32_t id, uint8_t vector)
{
    assert_int_equal(vector, VECTOR_IPI);
    for (unsigned i = 1; i < 3; i++)
        if (cpus[i].apic_id == id) {
            world.current = i;
            cpu_run_messages(&cpus[i]);
            begun_with_window += cpus[i].window_ns == 500;
            world.current = 0;
        }
}

// Sleepers are woken, and find what is new.
static void sleepers_are_woken(void **state)
{
    struct irq_config config = { .mode = IRQ_ADAPTIVE, .window_ns = 1000, .loops = 3 };
    start_three(config);
    cpus[1].sleeping = cpus[2].sleeping = true;
    world.on_send = begin_at_once;
    begun_with_window = 0;
    config.window_ns = 500;
    irq_init(&config);
    assert_int_equal(world.ipis, 2);
    assert_int_equal(begun_with_window, 2);
}

// With interrupts off: a notification would change the descriptor, and the window the timer.
static void beginning_is_not_interrupted(void **state)
{
    start_three((struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
    assert_true(world.clock_reads > 0); // for the window
    assert_int_equal(world.clock_reads_enabled, 0);
    assert_true(world.enabled);
}

// ---- calls for other CPUs ----

static void others_irqs_are_raised_there(void **state)
{
    start_three((struct irq_config){ .mode = IRQ_POSTED });
    struct irq *irq = new_irq(2, 1);
    irq_raise(irq);
    assert_true(pi_any(&cpus[2].pi));
    assert_false(pi_any(&cpus[0].pi));
    assert_int_equal(world.last_sent_to, cpus[2].apic_id);
    start_three((struct irq_config){ .mode = IRQ_REMAPPED });
    irq = new_irq(2, 1);
    irq_raise(irq);
    assert_int_equal(world.vector_sent, irq->vector);
    assert_int_equal(world.last_sent_to, cpus[2].apic_id);
}

static void others_irqs_are_urgent_there(void **state)
{
    struct problem p;
    start_three((struct irq_config){ .mode = IRQ_POSTED });
    struct irq *irq = new_irq(2, 1);
    assert_true(irq_set_urgent(irq, true, &p));
    assert_int_equal(cpus[2].urgent[0], BIT64(irq->vector));
    assert_int_equal(cpus[0].urgent[0], 0);
    assert_true(cpus[2].has_urgent);
    assert_true(irq_set_urgent(irq, false, &p));
    assert_int_equal(cpus[2].urgent[0], 0);
}

// A device that was reset knows none of it: masked while it is told its message, and then as before.
static void a_lost_message_is_written_again(void **state)
{
    start_three((struct irq_config){ .mode = IRQ_REMAPPED });
    struct irq *irq = new_irq(1, 1);
    struct msi_msg msg = world.last_msg;
    for (unsigned enabled = 0; enabled < 2; enabled++) {
        if (enabled)
            irq_enable(irq);
        world.last_msg = (struct msi_msg){ 0 };
        world.mask_writes = 0;
        irq_rewrite(irq);
        assert_int_equal(world.last_msg.address, msg.address);
        assert_int_equal(world.last_msg.data, msg.data);
        assert_int_equal(world.mask_writes, 2 | !enabled);
    }
}

static void irqs_go_to_any_cpu(void **state)
{
    start_three((struct irq_config){ .mode = IRQ_POSTED });
    struct irq *irqs[3];
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        irqs[cpu] = new_irq(cpu, cpu);
        assert_int_equal(world.routed.cpu, cpu);
        assert_int_equal(world.routed.vector, VECTOR_DEVICE_FIRST);
        assert_int_equal(irqs[cpu]->home, cpu);
    }
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        world.current = cpu;
        assert_int_equal(irq_poll(), 0);
        post(cpu, irqs[cpu]->vector);
        assert_int_equal(irq_poll(), 1);
        assert_int_equal(world.handled[cpu], 1);
        assert_int_equal(irqs[cpu]->counts[cpu], 1);
    }
}

// ---- limits ----

// 255 is everyone (SDM vol. 3, 11.6.2.1).
static void plain_msis_reach_ids_up_to_254(void **state)
{
    struct problem p;
    struct irq irq = { .name = "x" };
    struct irq_place place = { .cpu = 1, .vector = 0x41 };
    struct msi_msg msg;
    start(IRQ_MSI);
    cpus[1].apic_id = 254;
    assert_true(irq_chip_msi.route(&irq, place, &p));
    irq_chip_msi.compose(&irq, place, &msg);
    assert_int_equal(msg.address, 0xfeefe000);
    cpus[1].apic_id = 255;
    assert_false(irq_chip_msi.route(&irq, place, &p));
}

static void a_fault_event_without_a_handler_is_passed_over(void **state)
{
    start(IRQ_POSTED);
    irq_set_fault_handler(NULL);
    irq_take_fault();
    assert_int_equal(irq_poll(), 1);
    assert_false(irq_pending());
}

static void modes_have_names(void **state)
{
    assert_string_equal(irq_mode_name(IRQ_REMAPPED), "remapped");
    assert_string_equal(irq_mode_name(IRQ_POSTED), "posted");
    assert_string_equal(irq_mode_name(IRQ_ADAPTIVE), "adaptive");
    assert_string_equal(irq_mode_name(IRQ_POLL), "poll");
    assert_string_equal(irq_mode_name(IRQ_MSI), "msi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_notify_their_own_cpu),
        cmocka_unit_test(only_platforms_that_post_have_descriptors),
        cmocka_unit_test(every_cpu_begins),
        cmocka_unit_test(sleepers_are_woken),
        cmocka_unit_test(beginning_is_not_interrupted),
        cmocka_unit_test(others_irqs_are_raised_there),
        cmocka_unit_test(others_irqs_are_urgent_there),
        cmocka_unit_test(a_lost_message_is_written_again),
        cmocka_unit_test(irqs_go_to_any_cpu),
        cmocka_unit_test(plain_msis_reach_ids_up_to_254),
        cmocka_unit_test(a_fault_event_without_a_handler_is_passed_over),
        cmocka_unit_test(modes_have_names),
    };
    return cmocka_run_group_tests_name("irq, set-up", tests, NULL, NULL);
}
