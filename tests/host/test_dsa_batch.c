// SPDX-License-Identifier: BSD-2-Clause
// Requests of a round of the loop that go out as one descriptor: each of them ends once, as its own record says.
#include "tests/host/dsa_requests.h"

#include "kernel/cpu/work.h"
#include "kernel/run/loop.h"

static struct copy_dev *batches_of(unsigned count)
{
    dsa_boot("");
    copy_first()->set_batch(copy_first(), count);
    return copy_first();
}

static void a_round_is_one_descriptor(void **state)
{
    batches_of(64);
    ask_many(0, 10);
    assert_int_equal(m->submitted, 0);
    loop_flush();
    assert_int_equal(m->submitted, 1);
    assert_int_equal(ended[0], 0);
    work();
    check(0, 10, COPY_OK);
    assert_int_equal(m->batches, 1);
    assert_int_equal(m->members, 10);
    assert_int_equal(m->interrupts, 1);
}

// What is full goes out at once; one left alone needs no batch.
static void as_many_as_were_asked_for(void **state)
{
    batches_of(4);
    ask_many(0, 9);
    assert_int_equal(m->submitted, 2);
    work();
    check(0, 9, COPY_OK);
    assert_int_equal(m->submitted, 3);
    assert_int_equal(m->batches, 2);
    assert_int_equal(m->members, 8);
}

static void more_than_there_are_batches(void **state)
{
    batches_of(2);
    ask_many(0, REQUESTS);
    work();
    check(0, REQUESTS, COPY_OK);
    assert_int_equal(m->batches, 16);
    assert_int_equal(m->dropped, 0);
}

static void again_and_again(void **state)
{
    batches_of(8);
    again = 5000;
    for (unsigned i = 0; i < 40; i++)
        ask(i, i % 2 ? COPY_COMPARE : COPY_FILL, copy_first());
    loop_flush();
    for (unsigned n = 0; dsa_model_work(m, 1 + n % 7); n++) {
        m->backwards = n % 3 == 0;
        dsa_run_cpus();
    }
    unsigned sum = 0;
    for (unsigned i = 0; i < 40; i++)
        sum += ended[i];
    assert_int_equal(sum, 5040);
    assert_int_equal(m->dropped, 0);
    assert_true(m->batches > 500);
}

static void off_again(void **state)
{
    struct copy_dev *dev = batches_of(8);
    ask_many(0, 8);
    work();
    dev->set_batch(dev, 0);
    ask_many(8, 8);
    assert_int_equal(m->submitted, 1 + 8);
    work();
    check(0, 16, COPY_OK);
    assert_int_equal(m->batches, 1);
}

// ---- trouble ----

static void one_member_fails(void **state)
{
    batches_of(8);
    m->bad_member = 3;
    ask_many(0, 16);
    work();
    for (unsigned i = 0; i < 16; i++)
        check(i, 1, i % 8 == 2 ? COPY_ERROR : COPY_OK);
    assert_int_equal(reqs[2].detail, 0x20);
    assert_int_equal(told.warnings, 1);
    assert_non_null(strstr(told.warning,
                           "dsa0 (0000:00:04.0): WQ 0: a CRC of 256 bytes failed: a read of "
                           "memory that isn't granted to it"));
}

// The batch itself can't be read to its end: what it had done counts.
static void the_list_faults(void **state)
{
    batches_of(8);
    m->batch_end = 5;
    ask_many(0, 8);
    work();
    check(0, 5, COPY_OK);
    check(5, 3, COPY_ERROR);
    assert_int_equal(reqs[5].detail, 0x06);
    assert_int_equal(told.warnings, 1);
    assert_non_null(strstr(told.warning,
                           "a batch of 8 descriptors failed: a page fault as the batch was read"));
}

static void its_record_is_lost(void **state)
{
    batches_of(8);
    ask_many(0, 8);
    m->no_records = true;
    dsa_model_work(m, 1);
    m->no_records = false;
    ask_many(8, 8);
    work();
    check(0, 8, COPY_ERROR);
    check(8, 8, COPY_OK);
    assert_int_equal(reqs[0].detail, 0x1a);
    assert_int_equal(told.warnings, 1);
}

// In flight, waiting for a place, and still gathered.
static void halts(void **state)
{
    batches_of(8);
    ask_many(0, 20);
    dsa_model_work(m, 1);
    dsa_model_halt(m, 1);
    dsa_run_cpus();
    dsa_second();
    check(0, 8, COPY_OK);
    check(8, 12, COPY_GONE);
    assert_int_equal(told.warnings, 1);
    copy_resubmit(&reqs[0]);
    dsa_run_cpus();
    assert_int_equal(ended[0], 2);
    assert_int_equal(reqs[0].status, COPY_GONE);
}

// Whatever comes before the end of a round, where batches go out.
static void run_without_flush(void)
{
    for (unsigned i = 0; i < 20; i++)
        for (world.current = 0; world.current < 2; world.current++) {
            irq_poll();
            cpu_run_messages(this_cpu());
        }
    world.current = 0;
}

static void gone_before_the_round_ends(void **state)
{
    batches_of(8);
    ask_many(0, 5);
    dsa_model_halt(m, 1);
    run_without_flush();
    assert_int_equal(ended[0], 0);
    work();
    check(0, 5, COPY_GONE);
    assert_int_equal(m->submitted, 0);
}

static void handles_are_revoked(void **state)
{
    dsa_model_ask_handles(m);
    batches_of(8);
    again = 3000;
    for (unsigned i = 0; i < 100; i++)
        ask(i, i % 2 ? COPY_MOVE : COPY_FILL, copy_first());
    for (unsigned n = 0; n < 20; n++) {
        dsa_model_work(m, 3);
        if (n % 2)
            dsa_run_cpus();
        dsa_model_revoke(m);
        dsa_model_work(m, n % 4);
        dsa_run_cpus();
    }
    work();
    check_again(100, 3100);
    assert_int_equal(told.warnings, 0);
    assert_int_equal(m->dropped, 0);
}

static void has_moved(struct irq_move *move)
{
    assert_true(move->ok);
}

// The queue has another owner while some are gathered: they go out before.
static void moves(void **state)
{
    static struct irq_move move;
    dsa_boot("dsa.queues=1");
    copy_first()->set_batch(copy_first(), 8);
    ask_many(0, 20);
    struct irq *irq = irq_first()->next;
    move = (struct irq_move){ .irq = irq, .to = 1, .done = has_moved };
    irq_set_affinity(&move);
    run_without_flush();
    assert_int_equal(irq->cpu, 1);
    assert_int_equal(m->submitted, 3);
    ask_many(20, 30);
    work();
    check(0, 50, COPY_OK);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(ended_on[i], 0);
}

// ---- devices without ----

static void not_every_device_has_them(void **state)
{
    dsa_model_set(m, 0x40, BIT64(0) | BIT64(3) | BIT64(4), 8);
    dsa_boot("");
    assert_int_equal(copy_first()->batch_most, 0);
    assert_null(copy_first()->set_batch);
    assert_int_equal(copy_first()->ops, BIT32(COPY_MOVE) | BIT32(COPY_FILL) | BIT32(COPY_NOOP));
}

static void no_more_than_it_takes(void **state)
{
    dsa_model_set(m, 0x10, BIT64(31) | 20 << 16 | 2 << 21, 8); // four at most
    assert_int_equal(batches_of(64)->batch_most, 4);
    ask_many(0, 9);
    assert_int_equal(m->submitted, 2);
    work();
    check(0, 9, COPY_OK);
}

// A device that says that regions differ behind their end.
static void a_difference_that_cant_be(void **state)
{
    dsa_boot("");
    ask(1, COPY_COMPARE, copy_first());
    from[1][DIFFERS_AT(1)] = to[1][DIFFERS_AT(1)];
    m->differs_at = 5000;
    work();
    assert_true(reqs[1].differs);
    assert_int_equal(reqs[1].differs_at, BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_round_is_one_descriptor),
        TEST(as_many_as_were_asked_for),
        TEST(more_than_there_are_batches),
        TEST(again_and_again),
        TEST(off_again),
        TEST(one_member_fails),
        TEST(the_list_faults),
        TEST(its_record_is_lost),
        TEST(halts),
        TEST(gone_before_the_round_ends),
        TEST(handles_are_revoked),
        TEST(moves),
        TEST(not_every_device_has_them),
        TEST(no_more_than_it_takes),
        TEST(a_difference_that_cant_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
