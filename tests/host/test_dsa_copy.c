// SPDX-License-Identifier: BSD-2-Clause
// Requests that an accelerator carries out: each ends once, on the CPU that it came from, with what it was
// to do done; and those that it refuses.
#include "tests/host/dsa_requests.h"

#include "kernel/cpu/work.h"

// ---- no trouble ----

static void works(void **state)
{
    dsa_boot("");
    ask_many(0, 3);
    assert_int_equal(ended[0] + ended[1] + ended[2], 0); // never from within
    assert_int_equal(m->submitted, 3);
    work();
    check(0, 3, COPY_OK);
    assert_int_equal(m->interrupts, 3);
}

static void works_by_stores(void **state)
{
    dsa_set_movdir64b(false);
    dsa_model_config(m, 0x2c, 0x4f421af4, 4);
    dsa_boot("");
    ask_many(0, 200);
    work();
    check(0, 200, COPY_OK);
}

// The queue never gets more than it holds; the rest waits its turn.
static void credits(void **state)
{
    dsa_boot("");
    unsigned depth = copy_first()->depth;
    ask_many(0, REQUESTS);
    assert_int_equal(m->submitted, depth);
    dsa_model_work(m, 10);
    dsa_run_cpus();
    assert_int_equal(m->submitted, depth + 10);
    work();
    check(0, REQUESTS, COPY_OK);
    assert_int_equal(m->dropped, 0);
}

// Whatever order they end in.
static void backwards(void **state)
{
    dsa_boot("");
    m->backwards = true;
    ask_many(0, 5);
    dsa_model_work(m, 1); // four older ones are late
    dsa_run_cpus();
    assert_int_equal(ended[4], 1);
    ask_many(5, REQUESTS - 5);
    work();
    check(0, REQUESTS, COPY_OK);
    assert_int_equal(m->dropped, 0);
}

// Far behind the oldest one: found when another one ends, or by the look for lost interrupts.
static void overtakes_many(void **state)
{
    dsa_boot("");
    m->backwards = true;
    ask_many(0, 64);
    dsa_model_work(m, 59);
    dsa_run_cpus();
    assert_int_equal(ended[63], 0);
    dsa_model_work(m, 1); // the fifth
    dsa_run_cpus();
    for (unsigned i = 4; i < 64; i++)
        assert_int_equal(ended[i], 1);
    work();
    check(0, 64, COPY_OK);
    ask_many(100, 64);
    dsa_model_work(m, 1);
    for (unsigned second = 0; second < 4; second++)
        dsa_second();
    assert_int_equal(ended[163], 1);
    work();
    check(100, 64, COPY_OK);
}

static void resubmitted(void **state)
{
    dsa_boot("");
    again = 5000;
    for (unsigned i = 0; i < 40; i++)
        ask(i, i % 2 ? COPY_MOVE : COPY_FILL, copy_first());
    for (unsigned n = 0; dsa_model_work(m, 1 + n % 7); n++) {
        m->backwards = n % 3 == 0;
        dsa_run_cpus();
    }
    unsigned sum = 0;
    for (unsigned i = 0; i < 40; i++)
        sum += ended[i];
    assert_int_equal(sum, 5040);
    assert_int_equal(m->completed, 5040);
    assert_int_equal(m->dropped, 0);
}

static void on_cpu(unsigned cpu, unsigned first, unsigned count)
{
    unsigned was = world.current;
    world.current = cpu;
    ask_many(first, count);
    world.current = was;
}

static void each_cpu_its_own(void **state)
{
    dsa_boot("");
    on_cpu(0, 0, 10);
    on_cpu(1, 10, 10);
    assert_int_equal(m->count[0], 10);
    assert_int_equal(m->count[1], 10);
    work();
    check(0, 20, COPY_OK);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ended_on[i], i / 10);
}

// CPUs without a queue send their requests, and get them back.
static void shared_queue(void **state)
{
    dsa_boot("dsa.queues=1");
    on_cpu(1, 0, REQUESTS);
    work();
    check(0, REQUESTS, COPY_OK);
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(ended_on[i], 1);
}

static void has_moved(struct irq_move *move)
{
    assert_true(move->ok);
}

// The queue follows its interrupt, under load.
static void moves(void **state)
{
    static struct irq_move move;
    dsa_boot("dsa.queues=1");
    ask_many(0, 100);
    struct irq *irq = irq_first()->next;
    assert_string_equal(irq->name, "dsa0q0");
    move = (struct irq_move){ .irq = irq, .to = 1, .done = has_moved };
    irq_set_affinity(&move);
    dsa_model_work(m, 50);
    dsa_run_cpus();
    assert_int_equal(irq->cpu, 1);
    ask_many(100, 50);
    on_cpu(1, 150, 50);
    work();
    check(0, 200, COPY_OK);
    assert_int_equal(ended_on[0], 0);
    assert_int_equal(ended_on[120], 0);
    assert_int_equal(ended_on[199], 1);
}

static void each_mode(void **state)
{
    for (enum irq_mode mode = IRQ_REMAPPED; mode <= IRQ_MSI; mode++) {
        dsa_end_machine();
        dsa_machine(mode, 2);
        memset(ended, 0, sizeof(ended));
        m = dsa_model_new();
        dsa_boot("");
        ask_many(0, REQUESTS);
        work();
        check(0, REQUESTS, COPY_OK);
    }
}

// ---- what can't be ----

static void refused_early(void **state)
{
    dsa_model_set(m, 0x40, BIT64(0) | BIT64(3) | BIT64(4), 8); // no CRC
    dsa_model_set(m, 0x10, BIT64(31) | 12 << 16 | 1 << 21, 8); // a page at most
    dsa_boot("");
    static const struct {
        enum copy_op op;
        uint32_t bytes;
        int to;
        uint32_t detail;
    } bad[] = {
        { COPY_CRC32C, 64, 0, COPY_DETAIL_UNSUPPORTED },
        { COPY_OPS, 64, 0, COPY_DETAIL_UNSUPPORTED },
        { COPY_MOVE, 0, 64, COPY_DETAIL_RANGE },
        { COPY_MOVE, 65, 64, COPY_DETAIL_RANGE },
        { COPY_FILL, 4097, 0, COPY_DETAIL_RANGE },
        { COPY_MOVE, 64, -63, COPY_DETAIL_RANGE },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        reqs[i] = (struct copy_req){ .op = bad[i].op,
                                     .bytes = bad[i].bytes,
                                     .dev = copy_first(),
                                     .from = from[1],
                                     .to = from[1] + bad[i].to,
                                     .done = done };
        copy_submit(&reqs[i]);
        assert_int_equal(ended[i], 0);
        work();
        assert_int_equal(ended[i], 1);
        assert_int_equal(reqs[i].status, COPY_ERROR);
        assert_int_equal(reqs[i].detail, bad[i].detail);
    }
    assert_int_equal(m->submitted, 0);
}

// A descriptor that the device refuses fails alone, with one sentence for many.
static void bad_descriptors(void **state)
{
    dsa_boot("");
    m->status = 0x83;
    ask_many(0, 100);
    work();
    check(0, 100, COPY_ERROR);
    assert_int_equal(reqs[0].detail, 0x03);
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, "dsa-descriptor");
    assert_non_null(strstr(told.warning, "dsa0 (0000:00:04.0): WQ 0: a move of 256 bytes failed: a "
                                         "page fault"));
    m->status = 0;
    ask_many(100, 10);
    work();
    check(100, 10, COPY_OK);
}

// Without a device of its own, a request is done by the CPU then.
static void redone(void **state)
{
    dsa_boot("");
    for (unsigned op = 0; op < COPY_OPS; op++)
        copy_set_least(op, 1);
    m->status = 0x20;
    for (unsigned i = 0; i < 30; i++)
        ask(i, (enum copy_op)(i % COPY_OPS), NULL);
    assert_int_equal(m->submitted, 30);
    work();
    check(0, 30, COPY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(works),          TEST(works_by_stores), TEST(credits),          TEST(backwards),
        TEST(overtakes_many), TEST(resubmitted),     TEST(each_cpu_its_own), TEST(shared_queue),
        TEST(moves),          TEST(each_mode),       TEST(refused_early),    TEST(bad_descriptors),
        TEST(redone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
