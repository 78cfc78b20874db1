// SPDX-License-Identifier: BSD-2-Clause
// Disks that leave their slots and come to them while others are read: what goes in comes out, once,
// under the right name, and nobody waits for it.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/recover.h"
#include "kernel/base/cpus.h"
#include "kernel/irq/irq.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

static struct model *in_slot, *other;

static struct block_dev *begin_with_disk(void)
{
    other = model_new();
    in_slot = model_new();
    in_slot->has_slot = true;
    return start(in_slot);
}

// The models of each disk in the slot have lost what they knew, as by a reset.
static void forget(struct model *m)
{
    model_reset(m);
    m->cc = m->csts = 0;
    m->lost_config = true;
    memset(m->lost_message, true, sizeof(m->lost_message));
    memset(m->masked, true, sizeof(m->masked));
}

static void take_out(void)
{
    in_slot->button = true;
    world_pass(3 * NS_PER_S);
    assert_true(in_slot->removed);
    in_slot->slot_empty = in_slot->swapped = true;
    world_pass(2 * NS_PER_S);
}

static void put_in(void)
{
    forget(in_slot);
    in_slot->slot_empty = false;
    in_slot->swapped = true;
}

static bool was_told(const char *words)
{
    return world_last_warning() && strstr(world_last_warning(), words);
}

static void the_same_disk_returns(void **state)
{
    struct world_read r;
    struct block_dev *dev = begin_with_disk();
    reads_well(dev, 0);
    take_out();
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_round();
    ends(&r, BLOCK_GONE);
    put_in();
    world_pass(3 * NS_PER_S);
    assert_true(was_told("it is back in its slot"));
    struct block_dev *now = world_disk(in_slot, 1);
    assert_non_null(now);
    assert_string_equal(now->name, dev->name);
    reads_well(now, 0);
    reads_well(now, 1);
    assert_int_equal(in_slot->scans, 0);
    assert_int_equal(world_errors(NULL), 0);
}

// Somebody has changed it meanwhile: another size is the same disk, another format isn't.
static void it_returns_changed(void **state)
{
    struct block_dev *dev = begin_with_disk();
    struct nvme_identify_namespace *data = &in_slot->namespaces[0].data;
    in_slot->changed = true; // for all that the host knows
    take_out();
    assert_null(world_disk(in_slot, 1));
    data->nsze = 5000;
    put_in();
    world_pass(3 * NS_PER_S);
    assert_ptr_equal(world_disk(in_slot, 1), dev);
    assert_int_equal(dev->blocks, 5000);
    reads_well(dev, 1);
    take_out();
    data->lbaf[0] = 12 << 16;
    put_in();
    world_pass(3 * NS_PER_S);
    assert_true(dev->gone);
    assert_ptr_not_equal(world_disk(in_slot, 1), dev);
    assert_int_equal(world_disk(in_slot, 1)->block_size, 4096);
    struct world_read r;
    world_read_start(&r, world_disk(in_slot, 1), 0, 7, 2, 0);
    finish(&r);
}

static void another_is_another(void **state)
{
    struct world_read r;
    struct block_dev *dev = begin_with_disk();
    unsigned left = irq_vectors_left(0);
    take_out();
    in_slot->id.sn[0] = 'T';
    put_in();
    world_pass(5 * NS_PER_S);
    struct block_dev *now = world_disk(in_slot, 1);
    assert_ptr_not_equal(now, dev);
    assert_string_not_equal(now->name, dev->name);
    assert_string_not_equal(now->serial, dev->serial);
    reads_well(now, 0);
    reads_well(now, 1);
    world_read_start(&r, dev, 1, 5, 1, 0);
    world_round();
    world_round();
    ends(&r, BLOCK_GONE);
    assert_int_equal(irq_vectors_left(0), left); // it has those of the one before
    assert_int_equal(world_errors(NULL), 0);
}

// ---- under load ----

#define LOAD 16
static unsigned submitted, completed, gone_ends;

static void again(struct block_req *req)
{
    completed++;
    assert_true(req->status == BLOCK_OK || req->status == BLOCK_GONE);
    if (req->status == BLOCK_GONE) {
        gone_ends++;
        container_of(req, struct world_read, req)->done = true;
        return;
    }
    submitted++;
    block_resubmit(req);
}

static void start_load(struct world_read *reads, struct block_dev *dev)
{
    for (unsigned i = 0; i < LOAD; i++) {
        submitted++;
        world_read_start_for(&reads[i], dev, i % 2, i, i % 3 ? 1 : 20, 0, again);
    }
}

// Twenty times, with reads in flight each time.
static void in_and_out_under_load(void **state)
{
    struct world_read reads[LOAD], others[LOAD];
    struct block_dev *dev = begin_with_disk();
    submitted = completed = gone_ends = 0;
    start_load(others, world_disk(other, 1));
    for (unsigned i = 0; i < 20; i++) {
        start_load(reads, dev);
        world_pass(NS_PER_S / 10);
        unsigned before = completed;
        take_out();
        assert_int_equal(gone_ends, LOAD * (i + 1)); // each once
        assert_int_equal(submitted - completed, LOAD);
        assert_true(completed > before + LOAD); // the other goes on
        for (unsigned r = 0; r < LOAD; r++) {
            assert_true(reads[r].done);
            world_read_free(&reads[r]);
        }
        put_in();
        world_pass(3 * NS_PER_S);
        dev = world_disk(in_slot, 1);
        assert_non_null(dev);
    }
    reads_well(dev, 0);
    assert_int_equal(world_errors(NULL), 0);
    other->removed = true;
    world_pass(5 * NS_PER_S);
    for (unsigned r = 0; r < LOAD; r++)
        world_read_free(&others[r]);
    assert_int_equal(submitted, completed);
}

// ---- several in one slot ----

static void two_in_one_slot(void **state)
{
    struct world_read r;
    other = model_new();
    in_slot = model_new();
    struct model *second = model_new();
    in_slot->has_slot = true;
    second->in_slot_of = in_slot;
    start(in_slot);
    struct block_dev *one = world_disk(in_slot, 1), *two = world_disk(second, 1);
    in_slot->button = true;
    world_pass(3 * NS_PER_S);
    second->removed = true;
    world_read_start(&r, two, 0, 5, 1, 0);
    world_round();
    ends(&r, BLOCK_GONE);
    in_slot->slot_empty = in_slot->swapped = true;
    world_pass(2 * NS_PER_S);
    forget(second);
    second->removed = false;
    put_in();
    world_pass(3 * NS_PER_S);
    assert_string_equal(world_disk(in_slot, 1)->name, one->name);
    reads_well(world_disk(in_slot, 1), 0);
    reads_well(world_disk(second, 1), 1);
}

// ---- those that don't work ----

// Whatever it waits for, nobody else does: no turn of the loop takes long.
static void passes_quickly(uint64_t ns)
{
    for (uint64_t end = world_now() + ns; world_now() < end;) {
        uint64_t before = world_now();
        world_round();
        assert_in_range(world_now() - before, 0, 20 * NS_PER_MS);
        world_skip(NS_PER_MS);
    }
}

static void a_new_one_that_never_gets_ready(void **state)
{
    begin_with_disk();
    take_out();
    in_slot->never_ready = true;
    put_in();
    passes_quickly(60 * NS_PER_S);
    assert_null(world_disk(in_slot, 1)); // the old one was dropped
    reads_well(world_disk(other, 1), 0);
    assert_true(was_told("CSTS.RDY did not become 1"));
    assert_int_equal(world_errors(NULL), 0);
    in_slot->never_ready = false;
    in_slot->button = true; // off, and out, and in again
    world_pass(3 * NS_PER_S);
    in_slot->swapped = true;
    forget(in_slot);
    world_pass(5 * NS_PER_S);
    reads_well(world_disk(in_slot, 1), 0);
}

static void one_that_does_not_answer(void **state)
{
    begin_with_disk();
    take_out();
    in_slot->deaf = true;
    put_in();
    passes_quickly(10 * NS_PER_S);
    assert_true(was_told("it doesn't answer: the slot's power is off"));
    assert_true(in_slot->slot_off);
    in_slot->deaf = false;
    in_slot->swapped = true;
    world_pass(5 * NS_PER_S);
    reads_well(world_disk(in_slot, 1), 0);
}

// Presence and link bounce while it works: it is left alone.
static void a_bad_contact(void **state)
{
    struct block_dev *dev = begin_with_disk();
    unsigned resets = in_slot->resets;
    for (unsigned i = 0; i < 20; i++) {
        in_slot->slot_empty = i % 2;
        in_slot->swapped = true;
        world_pass(NS_PER_S);
    }
    reads_well(dev, 0);
    assert_int_equal(in_slot->resets, resets);
    assert_int_equal(world_errors(NULL), 0);
}

// Pulled without a word, and put back.
static void pulled_and_put_back(void **state)
{
    struct block_dev *dev = begin_with_disk();
    in_slot->removed = in_slot->slot_empty = in_slot->swapped = true;
    nvme_recover_reset(world_ctrl(in_slot));
    world_pass(20 * NS_PER_S);
    assert_int_equal(world_errors("nvme-gone"), 1);
    put_in();
    world_pass(5 * NS_PER_S);
    assert_string_equal(world_disk(in_slot, 1)->name, dev->name);
    reads_well(world_disk(in_slot, 1), 0);
}

// The run ends with one half-way up.
static void the_end_comes_first(void **state)
{
    begin_with_disk();
    take_out();
    in_slot->id.sn[0] = 'T';
    put_in();
    in_slot->ready_delay_ns = 4 * NS_PER_S;
    world_pass(8 * NS_PER_S);
}

#define slot_test(name) cmocka_unit_test_setup_teardown(name, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        slot_test(the_same_disk_returns),    slot_test(it_returns_changed),
        slot_test(another_is_another),       slot_test(in_and_out_under_load),
        slot_test(two_in_one_slot),          slot_test(a_new_one_that_never_gets_ready),
        slot_test(one_that_does_not_answer), slot_test(a_bad_contact),
        slot_test(pulled_and_put_back),      slot_test(the_end_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
