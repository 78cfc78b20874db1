// SPDX-License-Identifier: BSD-2-Clause
// What follows what in a slot: pure, against a slot that does as it likes.

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/nvme/slot_plan.h"

#define MS NS_PER_MS

static struct nvme_slot_plan plan;
static struct nvme_slot_input in;

// An empty slot without power.
static int begin(void **state)
{
    plan = (struct nvme_slot_plan){ 0 };
    in = (struct nvme_slot_input){ .now_ns = 1000 * NS_PER_S, .look = { .tells_link = true } };
    return 0;
}

// Events are of one look.
static enum nvme_slot_action step(void)
{
    enum nvme_slot_action action = nvme_slot_step(&plan, &in);
    in.now_ns += nvme_slot_wait_ns(&plan);
    in.look.pressed = in.look.swapped = in.look.relinked = false;
    return action;
}

#define is(action, state_)                                                                         \
    do {                                                                                           \
        assert_int_equal(step(), NVME_SLOT_DO_##action);                                           \
        assert_int_equal(plan.state, NVME_SLOT_##state_);                                          \
    } while (0)

static void put_in(void)
{
    in.look.present = in.look.swapped = true;
    is(POWER_ON, RISING);
    in.look.power = true;
}

static void link_up(void)
{
    in.look.link = in.look.relinked = true;
    is(NOTHING, SETTLING);
    for (unsigned i = 0; i < 9; i++)
        is(NOTHING, SETTLING);
    is(NOTHING, PROBING);
}

static void a_new_disk(void **state)
{
    put_in();
    is(NOTHING, RISING);
    link_up();
    is(NOTHING, PROBING);
    in.answers = true;
    is(RETURN, RETURNING);
    is(SCAN, STARTING);
    in.busy = true;
    is(START, STARTING);
    is(START, STARTING);
    in.busy = false;
    in.in_use = true;
    is(NOTHING, IDLE);
    is(NOTHING, IDLE);
}

static void the_same_disk(void **state)
{
    put_in();
    link_up();
    in.answers = true;
    is(RETURN, RETURNING);
    in.busy = true;
    for (unsigned i = 0; i < 2000; i++) // it has its own time-outs
        is(NOTHING, RETURNING);
    in.busy = false;
    in.in_use = true;
    is(WELCOME, IDLE);
}

// Its requests end, and then its power goes off; that its link falls with it is no reason to go on.
static void the_button(void **state)
{
    in.in_use = in.look.present = in.look.link = in.look.power = true;
    is(NOTHING, IDLE);
    in.look.pressed = true;
    is(REMOVE, REMOVING);
    in.look.pressed = true; // impatience
    is(REMOVE, REMOVING);
    in.in_use = false;
    is(POWER_OFF, IDLE);
    in.look.power = in.look.link = false;
    in.look.relinked = true;
    is(NOTHING, IDLE);
    in.look.pressed = true; // it was left in
    is(POWER_ON, RISING);
}

static void a_press_where_nothing_is_used(void **state)
{
    in.look.present = in.look.link = in.look.power = true;
    in.look.pressed = true;
    is(POWER_OFF, IDLE);
    in.look = (struct pci_slot_look){ .pressed = true };
    is(NOTHING, IDLE); // and where nothing is at all
}

// It was pulled without a word: its registers told before the slot did, or after.
static void pulled_and_put_back(void **state)
{
    in.in_use = in.look.present = in.look.link = in.look.power = true;
    in.look.present = in.look.link = false;
    in.look.swapped = in.look.relinked = true;
    is(NOTHING, IDLE);
    in.in_use = false;
    is(NOTHING, IDLE);
    put_in();
}

// Between two looks, with the old one not yet known to be gone.
static void swapped_unseen(void **state)
{
    in.in_use = in.look.present = in.look.link = in.look.power = in.look.swapped = true;
    is(NOTHING, IDLE);
    is(NOTHING, IDLE);
    in.in_use = false;
    is(POWER_ON, RISING);
}

// So it is while the first is on its way up.
static void swapped_on_the_way(void **state)
{
    put_in();
    link_up();
    in.answers = true;
    is(RETURN, RETURNING);
    in.look.swapped = true;
    is(SCAN, STARTING);
    in.busy = true;
    is(START, STARTING);
    in.busy = false;
    is(NOTHING, IDLE);
    is(POWER_ON, RISING);
}

// A disk that works is left alone, whatever its slot says.
static void a_bad_contact(void **state)
{
    in.in_use = in.look.power = true;
    for (unsigned i = 0; i < 100; i++) {
        in.look.present = i % 2;
        in.look.link = i % 3;
        in.look.swapped = in.look.relinked = true;
        is(NOTHING, IDLE);
    }
}

// One that died is not tried again and again.
static void a_dead_disk_is_left(void **state)
{
    in.look.present = in.look.link = in.look.power = true;
    for (unsigned i = 0; i < 100; i++)
        is(NOTHING, IDLE);
}

static void a_link_that_flaps(void **state)
{
    put_in();
    for (unsigned i = 0;; i++) {
        assert_true(i < 1000);
        in.look.link = i % 5;
        enum nvme_slot_action action = step();
        if (action == NVME_SLOT_DO_GIVE_UP)
            break;
        assert_int_equal(action, NVME_SLOT_DO_NOTHING);
        assert_int_not_equal(plan.state, NVME_SLOT_PROBING);
    }
    assert_int_equal(plan.state, NVME_SLOT_IDLE);
    is(NOTHING, IDLE);
}

static void taken_out_on_the_way(void **state)
{
    put_in();
    link_up();
    in.look.present = in.look.link = false;
    is(POWER_OFF, IDLE);
}

static void a_link_that_falls_while_probed(void **state)
{
    put_in();
    link_up();
    in.look.link = false;
    in.answers = true;
    is(NOTHING, RISING);
}

static void no_answer(void **state)
{
    put_in();
    link_up();
    while (plan.state == NVME_SLOT_PROBING)
        if (step() == NVME_SLOT_DO_GIVE_UP)
            break;
    assert_int_equal(plan.state, NVME_SLOT_IDLE);
    assert_in_range(in.now_ns - plan.begun_ns, 5 * NS_PER_S, 7 * NS_PER_S);
}

// The port says nothing of its link: a second has to do.
static void no_word_of_the_link(void **state)
{
    in.look.tells_link = false;
    put_in();
    in.look.link = true;
    is(NOTHING, SETTLING);
    for (unsigned i = 0; i < 99; i++)
        is(NOTHING, SETTLING);
    is(NOTHING, PROBING);
}

// Whatever it is told: it takes nothing in use but by the button, powers nothing off that is in use,
// and comes to rest once the slot does.
static void anything(void **state)
{
    srand(1);
    for (unsigned i = 0; i < 200000; i++) {
        enum nvme_slot_state before = plan.state;
        bool calm = i % 2000 > 1000;
        if (!calm) {
            in.look.present = rand() % 2;
            in.look.link = rand() % 2;
            in.look.power = rand() % 2;
            in.look.pressed = !(rand() % 8);
            in.look.swapped = !(rand() % 4);
            in.look.relinked = !(rand() % 4);
            in.answers = rand() % 2;
            in.in_use = rand() % 2;
        }
        in.busy = !calm && rand() % 2;
        in.in_use &= !calm || plan.state != NVME_SLOT_REMOVING; // it heeds
        bool pressed = in.look.pressed;
        enum nvme_slot_action action = step();
        if (action == NVME_SLOT_DO_REMOVE)
            assert_true(pressed || before == NVME_SLOT_REMOVING);
        if (action == NVME_SLOT_DO_SCAN)
            assert_false(in.in_use);
        if (i % 2000 == 1999)
            assert_int_equal(plan.state, NVME_SLOT_IDLE);
    }
}

#define plan_test(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plan_test(a_new_disk),
        plan_test(the_same_disk),
        plan_test(the_button),
        plan_test(a_press_where_nothing_is_used),
        plan_test(pulled_and_put_back),
        plan_test(swapped_unseen),
        plan_test(swapped_on_the_way),
        plan_test(a_bad_contact),
        plan_test(a_dead_disk_is_left),
        plan_test(a_link_that_flaps),
        plan_test(taken_out_on_the_way),
        plan_test(a_link_that_falls_while_probed),
        plan_test(no_answer),
        plan_test(no_word_of_the_link),
        plan_test(anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
