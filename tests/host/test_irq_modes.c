// SPDX-License-Identifier: BSD-2-Clause
// Changes of the mode: from any to any other, whatever was pending, wherever irqs and CPUs are.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_hotplug.h"

static const enum irq_mode modes[] = { IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE, IRQ_POLL };

static struct irq_mode_change change;
static unsigned ended;

static void end(struct irq_mode_change *c)
{
    assert_int_equal(world.current, 0);
    assert_ptr_equal(c, &change);
    ended++;
}

static void ask_with(enum irq_mode mode, unsigned loops)
{
    ended = 0;
    change = (struct irq_mode_change){ .mode = mode, .loops = loops, .done = end };
    irq_set_mode(&change);
    assert_int_equal(ended, 0); // later, from the loop
}

static void ask(enum irq_mode mode)
{
    ask_with(mode, 0);
}

static void change_to(enum irq_mode mode)
{
    ask(mode);
    hotplug_turns();
    assert_int_equal(ended, 1);
    assert_true(change.ok);
}

static bool is_posted(const struct irq *irq)
{
    return world.routes[irq->chip_handle].posted;
}

static void one_msi(struct irq *irq)
{
    if (is_posted(irq)) {
        post(irq->cpu, irq->vector);
    } else {
        world.current = irq->cpu;
        irq_take_device(irq->vector);
    }
    world.current = irq->cpu;
    irq_poll();
    world.current = 0;
}

// ---- from any to any ----

static void check_cpu(const struct cpu *cpu, enum irq_mode mode)
{
    bool suppress = mode == IRQ_ADAPTIVE || mode == IRQ_POLL;
    assert_int_equal(cpu->irq_mode, mode);
    assert_int_equal(cpu->loop_harvests, suppress);
    assert_int_equal(cpu->pi.control & (PI_CONTROL_ON | PI_CONTROL_SN),
                     suppress ? PI_CONTROL_SN : 0);
    assert_int_equal(field_get(PI_CONTROL_NDST, cpu->pi.control), cpu->apic_id);
    assert_int_equal(field_get(PI_CONTROL_NV, cpu->pi.control), VECTOR_NOTIFY);
}

static void from_to(enum irq_mode from, enum irq_mode to)
{
    start_on(3, (struct irq_config){ .mode = from });
    struct irq *irqs[3];
    for (unsigned i = 0; i < 3; i++)
        irqs[i] = new_irq(i, i);
    change_to(to);
    assert_int_equal(irq_get_mode(), to);
    for (unsigned i = 0; i < 3; i++) {
        check_cpu(&cpus[i], to);
        assert_int_equal(is_posted(irqs[i]), to != IRQ_REMAPPED);
        one_msi(irqs[i]);
        assert_int_equal(world.handled[i], 1);
    }
    assert_int_equal(is_posted(new_irq(1, 7)), to != IRQ_REMAPPED);
}

static void any_mode_follows_any_other(void **state)
{
    for (unsigned from = 0; from < ARRAY_SIZE(modes); from++)
        for (unsigned to = 0; to < ARRAY_SIZE(modes); to++)
            from_to(modes[from], modes[to]);
}

// By the rules of the mode before: with SN set nobody was told; with ON set, someone will be.
static void pending(enum irq_mode from, enum irq_mode to, bool notified)
{
    start_on(2, (struct irq_config){ .mode = from });
    struct irq *posted = new_irq(1, 1), *taken = new_irq(1, 2);
    pi_post(&cpus[1].pi, posted->vector, false);
    world.current = 1;
    irq_take_device(taken->vector);
    change_to(to);
    world.current = 1;
    if (notified)
        irq_take_notification();
    irq_poll();
    assert_int_equal(world.handled[1], 1);
    assert_int_equal(world.handled[2], 1);
    check_cpu(&cpus[1], to);
}

static void what_is_pending_is_handled_in_the_new_mode(void **state)
{
    for (unsigned from = 1; from < ARRAY_SIZE(modes); from++)
        for (unsigned to = 0; to < ARRAY_SIZE(modes); to++)
            for (unsigned notified = 0; notified < 2; notified++)
                pending(modes[from], modes[to], notified);
}

// One CPU has changed and the other not: what comes by the old route is handled in either mode.
static void each_cpu_takes_both_routes(void **state)
{
    for (unsigned mode = 0; mode < ARRAY_SIZE(modes); mode++) {
        struct problem p;
        start_on(2, (struct irq_config){ .mode = IRQ_ADAPTIVE });
        struct irq *posted = new_irq(1, 1), *remapped = new_irq(1, 2);
        world.current = 1;
        assert_true(irq_set_posted(remapped, false, &p));
        world.current = 0;
        ask(modes[mode]);
        hotplug_turn(0);
        hotplug_turn(1); // has changed; the irqs have not
        check_cpu(&cpus[1], modes[mode]);
        one_msi(posted);
        one_msi(remapped);
        assert_int_equal(world.handled[1], 1);
        assert_int_equal(world.handled[2], 1);
    }
}

// ---- what else changes, and what doesn't ----

static uint64_t harvests_of_one_notification(struct irq *irq)
{
    memset(cpus[0].stats.loops, 0, sizeof(cpus[0].stats.loops));
    irq_set_immediate(irq);
    post(0, irq->vector);
    for (unsigned i = 0; i < CPU_STATS_LOOPS; i++)
        if (cpus[0].stats.loops[i])
            return i;
    return UINT64_MAX;
}

static struct irq *endless;

static void post_again(void *arg)
{
    pi_post(&cpus[0].pi, endless->vector, false);
}

static void loops_change_too(void **state)
{
    struct problem p;
    start_on(2, (struct irq_config){ .mode = IRQ_ADAPTIVE, .loops = 2 });
    endless = irq_alloc(&world.device, 0, 0, post_again, NULL, "endless", &p);
    ask_with(IRQ_POSTED, 5);
    hotplug_turns();
    assert_int_equal(irq_get_config()->loops, 5);
    assert_int_equal(harvests_of_one_notification(endless), 5 + 1);
    change_to(IRQ_POSTED); // 0: as before
    assert_int_equal(harvests_of_one_notification(endless), 5 + 1);
    ask_with(IRQ_POSTED, 1);
    hotplug_turns();
    assert_int_equal(harvests_of_one_notification(endless), 1 + 1);
}

static void the_window_is_adaptives_alone(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
    change_to(IRQ_POSTED);
    assert_int_equal(cpus[0].window_ns, 0);
    assert_int_equal(world.timer_at, 0);
    world.now_ns = 5000;
    change_to(IRQ_ADAPTIVE);
    assert_int_equal(cpus[0].window_ns, 6000);
    assert_int_equal(cpus[1].window_ns, 6000);
    assert_int_equal(world.timer_at, 6000);
}

static void only_adaptive_sleeps_by_mwait(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_POSTED, .mwait = true });
    assert_false(irq_sleeps_by_mwait());
    change_to(IRQ_ADAPTIVE);
    assert_true(irq_sleeps_by_mwait());
    change_to(IRQ_REMAPPED);
    assert_false(irq_sleeps_by_mwait());
}

static void note_order(uint32_t id, uint8_t vector)
{
    assert_int_equal(vector, VECTOR_NOTIFY);
    assert_true(cpus[1].pi.control & PI_CONTROL_ON);
}

static void urgent_irqs_stay_urgent(void **state)
{
    struct problem p;
    start_on(2, (struct irq_config){ .mode = IRQ_ADAPTIVE });
    struct irq *irq = new_irq(1, 1);
    assert_true(irq_set_urgent(irq, true, &p));
    change_to(IRQ_REMAPPED);
    one_msi(irq);
    assert_int_equal(world.handled[1], 1);
    change_to(IRQ_POLL);
    world.on_send = note_order;
    irq_raise(irq);
    assert_int_equal(world.notifies, 1);
}

static void immediate_irqs_run_where_they_are_found(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_POLL });
    struct irq *irq = new_irq(1, 1);
    irq_set_immediate(irq);
    pi_post(&cpus[1].pi, irq->vector, false); // no one has looked yet
    change_to(IRQ_POSTED);
    world.current = 1;
    irq_poll();
    assert_int_equal(world.handled[1], 1);
    post(1, irq->vector);
    assert_int_equal(world.handled[1], 2);
    change_to(IRQ_REMAPPED);
    world.current = 1;
    irq_take_device(irq->vector);
    assert_int_equal(world.handled[1], 3);
}

// The other one's message is routed anew, and they have none.
static void irqs_that_come_through_another_stay_as_they_are(void **state)
{
    static const struct irq_chip through = { .name = "through", .through = true };
    start_on(2, (struct irq_config){ .mode = IRQ_POSTED });
    struct irq *other = new_irq(1, 1), *irq = new_irq(1, 2);
    irq->chip = &through;
    irq->cpu = 3; // nobody's turn: it is not asked for either
    change_to(IRQ_REMAPPED);
    assert_ptr_equal(irq->chip, &through);
    assert_false(is_posted(other));
    irq->cpu = 1;
    irq->chip = other->chip;
}

// Mask and message are the device's own, and stay as they are.
static void masked_irqs_stay_masked(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_POSTED });
    struct irq *irq = new_irq(1, 1);
    irq_disable(irq);
    world.mask_writes = 0;
    world.last_msg = (struct msi_msg){ 0 };
    change_to(IRQ_REMAPPED);
    assert_false(is_posted(irq));
    assert_int_equal(world.mask_writes, 0);
    assert_int_equal(world.last_msg.address, 0);
}

// ---- what can't be ----

static void what_the_platform_lacks_is_named(void **state)
{
    static const struct problem no_post = { .what = "vtd-no-posting", .message = "bit 59 is 0" };
    struct problem p;
    start_with((struct irq_config){ .mode = IRQ_REMAPPED, .no_post = &no_post });
    struct irq *irq = new_irq(1, 1);
    for (unsigned i = 1; i < ARRAY_SIZE(modes); i++) {
        assert_false(irq_mode_is_possible(modes[i], &p));
        ask_with(modes[i], 7);
        hotplug_turns();
        assert_int_equal(ended, 1);
        assert_false(change.ok);
        assert_string_equal(change.problem.what, "irq-mode");
        assert_non_null(strstr(change.problem.message, irq_mode_name(modes[i])));
        assert_non_null(strstr(change.problem.message, "bit 59 is 0"));
        assert_int_equal(irq_get_mode(), IRQ_REMAPPED);
        assert_int_equal(irq_get_config()->loops, 3);
        check_cpu(&cpus[1], IRQ_REMAPPED);
        assert_false(is_posted(irq));
    }
    change_to(IRQ_REMAPPED);
}

static void plain_msis_stay_plain(void **state)
{
    struct problem p;
    start(IRQ_MSI);
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        assert_false(irq_mode_is_possible(modes[i], &p));
        assert_non_null(strstr(p.message, irq_mode_name(modes[i])));
    }
    change_to(IRQ_MSI);
    start(IRQ_REMAPPED);
    assert_false(irq_mode_is_possible(IRQ_MSI, &p));
}

static unsigned routes;

static void no_route_for_one(void)
{
    world.route_fails = routes++ / 2 >= 2; // it is called before and after
}

// One that can't be changed works as it did.
static void an_irq_that_stays_is_told_of(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_POSTED });
    struct irq *irqs[3] = { new_irq(0, 0), new_irq(1, 1), new_irq(0, 2) }; // by CPU: 0, 2, 1
    routes = 0;
    world.on_route = no_route_for_one;
    ask(IRQ_REMAPPED);
    hotplug_turns();
    assert_int_equal(ended, 1);
    assert_false(change.ok);
    assert_string_equal(change.problem.what, "route");
    assert_string_equal(irqs[1]->chip->name, "post");
    assert_ptr_equal(irqs[0]->chip, &chip);
    assert_ptr_equal(irqs[2]->chip, &chip);
    assert_int_equal(irq_get_mode(), IRQ_REMAPPED);
    post(1, irqs[1]->vector);
    world.current = 1;
    assert_int_equal(irq_poll(), 1);
}

// ---- meanwhile ----

static void an_irq_that_moves_is_found(void **state)
{
    struct problem p;
    hotplug_begin(3, IRQ_ADAPTIVE);
    struct irq *irq = hotplug_irq(2, 1);
    ask(IRQ_REMAPPED);
    hotplug_turn(0);
    hotplug_turn(1); // has had its turn, when the irq comes
    world.current = 2;
    assert_true(irq_move_here(irq, 1, &p));
    hotplug_turn(2);
    world.current = 1; // the message is on its way here
    assert_true(irq_move_here(irq, 0, &p));
    hotplug_turn(1);
    assert_true(is_posted(irq));
    hotplug_turn(0);
    assert_false(is_posted(irq));
    hotplug_turns();
    assert_int_equal(ended, 1);
    one_msi(irq);
    assert_int_equal(world.handled[1], 1);
}

static void a_cpu_that_is_away_follows_when_it_returns(void **state)
{
    hotplug_begin(3, IRQ_POSTED);
    struct irq *irq = hotplug_irq(1, 1);
    hotplug_leave();
    change_to(IRQ_POLL);
    check_cpu(&cpus[2], IRQ_POLL);
    assert_int_equal(cpus[1].irq_mode, IRQ_POSTED);
    hotplug_come_back();
    check_cpu(&cpus[1], IRQ_POLL);
    assert_int_equal(irq->cpu, 1);
    one_msi(irq);
    assert_int_equal(world.handled[1], 1);
}

// The message finds it gone, and the boot CPU sends it on.
static void a_cpu_that_leaves_meanwhile_is_passed_over(void **state)
{
    hotplug_begin(4, IRQ_POSTED);
    struct irq *irq = hotplug_irq(1, 1);
    ask(IRQ_ADAPTIVE);
    cpu_offline(&hotplug.change);
    hotplug_turns();
    assert_int_equal(ended, 1);
    assert_true(hotplug.ended && hotplug.halted[1]);
    check_cpu(&cpus[0], IRQ_ADAPTIVE);
    check_cpu(&cpus[2], IRQ_ADAPTIVE);
    check_cpu(&cpus[3], IRQ_ADAPTIVE);
    assert_int_not_equal(irq->cpu, 1);
    one_msi(irq);
    assert_int_equal(world.handled[1], 1);
}

static void change_mode_now(void)
{
    world.on_route = NULL;
    world.current = 0;
    ask(IRQ_POLL);
    hotplug_turn(0);
    hotplug_turn(2);
    world.current = 1;
}

// Told of as offline for a moment, so the round passed it over.
static void a_cpu_that_cannot_leave_follows(void **state)
{
    hotplug_begin(3, IRQ_POSTED);
    hotplug_irq(1, 1);
    new_irq(1, 2); // stays
    cpu_offline(&hotplug.change);
    world.on_route = change_mode_now; // the first one's move
    hotplug_turn(1);
    hotplug_turns();
    assert_int_equal(ended, 1);
    assert_true(hotplug.ended && !hotplug.change.ok && cpus[1].online);
    for (unsigned i = 0; i < 3; i++)
        check_cpu(&cpus[i], IRQ_POLL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_mode_follows_any_other),
        cmocka_unit_test(what_is_pending_is_handled_in_the_new_mode),
        cmocka_unit_test(each_cpu_takes_both_routes),
        cmocka_unit_test(loops_change_too),
        cmocka_unit_test(the_window_is_adaptives_alone),
        cmocka_unit_test(only_adaptive_sleeps_by_mwait),
        cmocka_unit_test(urgent_irqs_stay_urgent),
        cmocka_unit_test(immediate_irqs_run_where_they_are_found),
        cmocka_unit_test(irqs_that_come_through_another_stay_as_they_are),
        cmocka_unit_test(masked_irqs_stay_masked),
        cmocka_unit_test(what_the_platform_lacks_is_named),
        cmocka_unit_test(plain_msis_stay_plain),
        cmocka_unit_test(an_irq_that_stays_is_told_of),
        cmocka_unit_test(an_irq_that_moves_is_found),
        cmocka_unit_test(a_cpu_that_is_away_follows_when_it_returns),
        cmocka_unit_test(a_cpu_that_leaves_meanwhile_is_passed_over),
        cmocka_unit_test(a_cpu_that_cannot_leave_follows),
    };
    return cmocka_run_group_tests_name("irq modes", tests, NULL, NULL);
}
