// SPDX-License-Identifier: BSD-2-Clause
// Under app=selftest: irqs that move and change, and CPUs that come and go, on a fake machine. Include
// it once in a test.
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/hotplug.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static struct {
    uint64_t moves, most_at_once, at_once;
    uint64_t posted, remapped; // changes to it
    uint64_t leaves, returns;
    uint64_t modes, modes_seen[IRQ_MSI];                    // changes of the mode, and by what to
    uint64_t fail_move, fail_change, fail_leave, fail_mode; // the how manyth fails; 0: none
    bool lies;           // a move or change is done that did not happen
    bool lies_of_mode;   // as lies, of irq_get_mode()
    bool stays, is_lost; // a CPU doesn't leave, or come back, but says so
    bool stuck;          // no move or change ends any more
    unsigned moves_to[FAKE_CPUS], leaves_of[FAKE_CPUS];
    struct irq_config config;
    bool away[FAKE_CPUS];
    unsigned posting_runs;  // of the app that test=posting is,
    bool posting_is_absent; // unless the image has none
} hooks;

static void posting_run(const struct cmdline *c)
{
    hooks.posting_runs++;
}

const struct app *app_find(const char *name)
{
    static const struct app posting = { .name = "posting", .run = posting_run };
    return hooks.posting_is_absent || strcmp(name, posting.name) ? NULL : &posting;
}

bool report_failed(void)
{
    return fake.errors;
}

unsigned cpu_index(void)
{
    return fake.current;
}

// ---- moves ----

static void move_done(struct cpu_msg *msg)
{
    struct irq_move *move = container_of(msg, struct irq_move, msg);
    assert_int_equal(fake.current, move->from_cpu);
    hooks.at_once--;
    move->done(move);
}

static void move_here(struct cpu_msg *msg)
{
    struct irq_move *move = container_of(msg, struct irq_move, msg);
    if (fake.current != move->irq->cpu) { // its CPU has left meanwhile
        cpu_post(move->irq->cpu, msg);
        return;
    }
    move->ok = ++hooks.moves != hooks.fail_move ||
               problem_set(&move->problem, "irq-affinity", "this one failed");
    if (move->ok && !hooks.lies)
        move->irq->cpu = move->to;
    msg->fn = move_done;
    cpu_post(move->from_cpu, msg);
}

void irq_set_affinity(struct irq_move *move)
{
    assert_true(move->to < fake.cpus && move->to != move->irq->cpu);
    assert_non_null(move->irq->moved);
    move->from_cpu = fake.current;
    hooks.moves_to[move->to]++;
    if (hooks.stuck)
        return;
    hooks.most_at_once = MAX(hooks.most_at_once, ++hooks.at_once);
    move->msg.fn = move_here;
    cpu_post(move->irq->cpu, &move->msg);
}

static void can_move(void *arg, unsigned cpu)
{
}

// ---- delivery ----

static const struct irq_chip posted_chip = { .name = "VTD-POST" };
static const struct irq_chip remapped_chip = { .name = "VTD-REMAP" };

const struct irq_config *irq_get_config(void)
{
    return &hooks.config;
}

bool irq_set_posted(struct irq *irq, bool posted, struct problem *p)
{
    const struct irq_chip *chip = posted ? &posted_chip : &remapped_chip;
    assert_int_equal(fake.current, irq->cpu);
    assert_ptr_not_equal(irq->chip, chip); // each step is a change
    hooks.posted += posted;
    hooks.remapped += !posted;
    if (hooks.posted + hooks.remapped == hooks.fail_change)
        return problem_set(p, "vtd-queue", "this one failed");
    if (!hooks.lies)
        irq->chip = chip;
    return true;
}

// ---- the mode ----

bool irq_mode_is_possible(enum irq_mode mode, struct problem *p)
{
    return hooks.config.chip_post || problem_set(p, "irq-mode", "not here");
}

static void mode_changed(struct cpu_msg *msg)
{
    struct irq_mode_change *change = container_of(msg, struct irq_mode_change, msg);
    change->done(change);
}

static void change_irqs(enum irq_mode mode)
{
    for (struct irq *irq = &fake.irqs[0]; irq; irq = irq->next)
        if (!irq->chip->through)
            irq->chip = irq_mode_posts(mode) ? &posted_chip : &remapped_chip;
}

void irq_set_mode(struct irq_mode_change *change)
{
    assert_int_equal(fake.current, 0);
    assert_in_range(change->loops, 1, 8);
    change->ok = ++hooks.modes != hooks.fail_mode ||
                 problem_set(&change->problem, "irq-mode", "this one failed");
    hooks.modes_seen[change->mode]++;
    if (change->ok && !hooks.lies_of_mode) {
        fake.mode = change->mode;
        hooks.config.loops = change->loops;
    }
    if (change->ok && !hooks.lies)
        change_irqs(change->mode);
    change->msg.fn = mode_changed;
    cpu_post(0, &change->msg);
}

// ---- offline ----

bool cpu_is_online(unsigned cpu)
{
    return !hooks.away[cpu];
}

static void move_irqs_away(unsigned cpu)
{
    for (struct irq *irq = &fake.irqs[0]; irq; irq = irq->next)
        if (irq->cpu == cpu)
            irq->cpu = 0;
}

static void has_left(struct cpu_msg *msg)
{
    struct cpu_change *change = container_of(msg, struct cpu_change, msg);
    change->done(change);
}

void cpu_offline(struct cpu_change *change)
{
    assert_int_equal(fake.current, 0);
    assert_in_range(change->cpu, 1, fake.cpus - 1);
    assert_false(hooks.away[change->cpu]);
    for (size_t i = 0; i < fake.in_flight_count; i++)
        assert_int_not_equal(fake.in_flight[i]->cpu, change->cpu);
    change->ok = ++hooks.leaves != hooks.fail_leave ||
                 problem_set(&change->problem, "cpu-offline", "this one failed");
    hooks.leaves_of[change->cpu]++;
    hooks.away[change->cpu] = change->ok && !hooks.stays;
    if (change->ok)
        move_irqs_away(change->cpu);
    change->msg.fn = has_left;
    cpu_post(0, &change->msg);
}

void cpu_online(struct cpu_change *change)
{
    assert_int_equal(fake.current, 0);
    hooks.returns++;
    hooks.away[change->cpu] = hooks.is_lost;
    change->ok = true;
    change->msg.fn = has_left;
    cpu_post(0, &change->msg);
}

// ---- for tests ----

static void start(unsigned cpus, unsigned disks)
{
    memset(&hooks, 0, sizeof(hooks));
    hooks.config = (struct irq_config){ .chip = &remapped_chip, .chip_post = &posted_chip };
    fake_start(cpus, disks, 512, FAKE_LBAS);
    for (unsigned i = 0; i < cpus; i++)
        fake.irqs[i].moved = can_move;
}
