// SPDX-License-Identifier: BSD-2-Clause
// Requests that an accelerator carries out: each ends once, on the CPU that it came from, with what it was
// to do done; also when the device is in trouble.

#include <setjmp.h>
#include <stdarg.h>

#include <stdlib.h>
#include <string.h>

#include "tests/host/dsa_model.h"

#include "kernel/base/percpu.h"
#include "kernel/cpu/work.h"
#include "lib/crc32c.h"

#include <cmocka.h>

#define REQUESTS 300
#define BYTES 256

static struct dsa_model *m;
static struct copy_req reqs[REQUESTS];
static unsigned ended[REQUESTS], ended_on[REQUESTS];
static uint8_t from[REQUESTS][BYTES], to[REQUESTS][BYTES];
static unsigned again; // so many are submitted anew from done()

static int begin(void **state)
{
    dsa_machine(IRQ_ADAPTIVE, 2);
    memset(reqs, 0, sizeof(reqs));
    memset(ended, 0, sizeof(ended));
    memset(to, 0, sizeof(to));
    again = 0;
    srand(1);
    for (unsigned i = 0; i < sizeof(from); i++)
        ((uint8_t *)from)[i] = (uint8_t)rand();
    m = dsa_model_new();
    return 0;
}

static int finish(void **state)
{
    dsa_end_machine();
    return 0;
}

static void done(struct copy_req *req)
{
    unsigned i = (unsigned)(req - reqs);
    ended[i]++;
    ended_on[i] = cpu_index();
    if (again && again--)
        copy_resubmit(req);
}

static void ask(unsigned i, enum copy_op op, struct copy_dev *dev)
{
    reqs[i] = (struct copy_req){
        .op = op,
        .bytes = BYTES,
        .to = op == COPY_CRC32C ? NULL : to[i],
        .from = op == COPY_FILL ? NULL : from[i],
        .pattern = 0x8877665544332211 + i,
        .seed = i,
        .dev = dev,
        .done = done,
    };
    copy_submit(&reqs[i]);
}

static void ask_many(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        ask(i, (enum copy_op)(i % COPY_OPS), copy_first());
}

static bool is_right(unsigned i)
{
    uint64_t pattern = 0x8877665544332211 + i;
    if (reqs[i].op == COPY_CRC32C)
        return reqs[i].crc == crc32c(i, from[i], BYTES);
    if (reqs[i].op == COPY_MOVE)
        return !memcmp(to[i], from[i], BYTES);
    for (unsigned at = 0; at < BYTES; at += 8)
        if (memcmp(to[i] + at, &pattern, 8) != 0)
            return false;
    return true;
}

static void check(unsigned first, unsigned count, enum copy_status status)
{
    for (unsigned i = first; i < first + count; i++) {
        assert_int_equal(ended[i], 1);
        assert_int_equal(reqs[i].status, status);
        if (status == COPY_OK)
            assert_true(is_right(i));
    }
}

static void work(void)
{
    do
        dsa_run_cpus();
    while (dsa_model_work(m, UINT32_MAX));
    dsa_run_cpus();
}

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
    ask_many(0, REQUESTS);
    dsa_model_work(m, 1); // the youngest of 64, far from the oldest
    dsa_run_cpus();
    assert_int_equal(ended[copy_first()->depth - 1], 1);
    work();
    check(0, REQUESTS, COPY_OK);
    assert_int_equal(m->dropped, 0);
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

// ---- trouble ----

static void halts(void **state)
{
    dsa_boot("");
    ask_many(0, 200);
    dsa_model_work(m, 20);
    dsa_model_halt(m, 1);
    dsa_run_cpus();
    check(0, 20, COPY_OK);
    check(20, 180, COPY_GONE);
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, "dsa-halted");
    assert_non_null(strstr(told.warning, "would need a function level reset"));
    assert_false(dsa_model_is_master(m));
    assert_null(copy_first());
    for (unsigned i = 0; i < 5; i++)
        copy_resubmit(&reqs[i]); // who knows it may try
    dsa_second();
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ended[i], 2);
        assert_int_equal(reqs[i].status, COPY_GONE);
    }
}

// Told by no interrupt.
static void halts_in_silence(void **state)
{
    dsa_boot("");
    ask_many(0, 10);
    m->silent = true;
    dsa_model_halt(m, 0);
    dsa_run_cpus();
    assert_int_equal(ended[0], 0);
    dsa_second();
    check(0, 10, COPY_GONE);
}

static void taken_out(void **state)
{
    dsa_boot("");
    ask_many(0, 10);
    dsa_model_set(m, 0x90, UINT32_MAX, 4);
    dsa_second();
    check(0, 10, COPY_GONE);
    assert_string_equal(told.warning_what, "dsa-silent");
}

// A completion record that can't be written: the request fails, and no other.
static void no_record(void **state)
{
    dsa_boot("");
    ask_many(0, 100);
    dsa_model_work(m, 30);
    m->no_records = true;
    dsa_model_work(m, 1);
    m->no_records = false;
    work();
    check(0, 30, COPY_OK);
    check(30, 1, COPY_ERROR);
    check(31, 69, COPY_OK);
    assert_int_equal(reqs[30].detail, 0x1a);
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, "dsa-error");
    assert_non_null(strstr(told.warning, "a completion record that it can't reach"));
}

// Somebody else's mistake in the portal, say: no request is lost by it.
static void stray_error(void **state)
{
    dsa_boot("");
    ask_many(0, 40);
    dsa_model_set(m, 0xc0, 0x5301, 8);
    dsa_model_cause(m, 1);
    work();
    check(0, 40, COPY_OK);
    assert_non_null(strstr(told.warning, "the work queue is full"));
}

// Answers that don't come are missed after a while; the device is drained, and what it has no record of
// is lost.
static void never_answered(void **state)
{
    dsa_boot("");
    ask_many(0, 5);
    m->no_records = true;
    dsa_model_set(m, 0x88, 0, 4); // nor does it tell
    dsa_model_work(m, UINT32_MAX);
    dsa_model_set(m, 0x98, 0, 4);
    dsa_model_set(m, 0xc0, 0, 1);
    for (unsigned second = 0; second < 30; second++)
        dsa_second();
    check(0, 5, COPY_ERROR);
    assert_int_equal(reqs[0].detail, COPY_DETAIL_LOST);
    m->no_records = false;
    ask_many(10, 5);
    work();
    check(10, 5, COPY_OK);
}

// Answers without interrupts are found by the look of each second.
static void lost_interrupts(void **state)
{
    dsa_boot("");
    ask_many(0, 10);
    m->silent = true;
    dsa_model_work(m, UINT32_MAX);
    for (unsigned second = 0; second < 4; second++)
        dsa_second();
    check(0, 10, COPY_OK);
    assert_string_equal(told.warning_what, "dsa-lost");
    assert_int_equal(told.warnings, 1);
}

static void doesnt_drain(void **state)
{
    dsa_boot("");
    ask_many(0, 200);
    m->stuck = 8;
    dsa_model_cause(m, 0);
    dsa_model_set(m, 0xc0, 0x5301, 8);
    dsa_model_cause(m, 1);
    dsa_run_cpus();
    check(0, 200, COPY_GONE);
    assert_string_equal(told.warning_what, "dsa-stuck");
    assert_non_null(strstr(told.warning, "command \"drain WQ\" has no end"));
    assert_int_equal(told.warnings, 2);
    assert_false(dsa_model_is_master(m));
}

// ---- handles ----

static void revoked(void **state)
{
    dsa_model_ask_handles(m);
    dsa_boot("");
    again = 3000;
    for (unsigned i = 0; i < 100; i++)
        ask(i, i % 2 ? COPY_MOVE : COPY_FILL, copy_first());
    for (unsigned n = 0; n < 20; n++) {
        dsa_model_work(m, 17);
        if (n % 2)
            dsa_run_cpus();
        dsa_model_revoke(m);
        dsa_model_work(m, n); // with handles that aren't any more
        dsa_run_cpus();
    }
    work();
    unsigned sum = 0;
    for (unsigned i = 0; i < 100; i++) {
        sum += ended[i];
        assert_int_equal(reqs[i].status, COPY_OK);
        assert_true(is_right(i));
    }
    assert_int_equal(sum, 3100);
    assert_int_equal(again, 0);
    if (told.warnings)
        fail_msg("%s", told.warning);
    assert_int_equal(m->dropped, 0);
    assert_int_equal(m->commands[13], 2 + 2 * 20);
}

// The descriptors say so and no interrupt does.
static void revoked_in_silence(void **state)
{
    dsa_model_ask_handles(m);
    dsa_boot("");
    ask_many(0, 10);
    dsa_model_set(m, 0x88, 0, 4);
    memset(m->handles, 0, sizeof(m->handles));
    dsa_model_work(m, UINT32_MAX);
    for (unsigned second = 0; second < 4; second++)
        dsa_second();
    work();
    check(0, 10, COPY_OK);
}

// A device to which no handle is good is believed in the end.
static void never_good(void **state)
{
    dsa_model_ask_handles(m);
    dsa_boot("");
    m->status = 0x19;
    ask_many(0, 10);
    for (unsigned second = 0; second < 60 && !ended[9]; second++) {
        work();
        dsa_second();
    }
    check(0, 10, COPY_ERROR);
    assert_int_equal(reqs[0].detail, 0x19);
}

static void no_new_handle(void **state)
{
    dsa_model_ask_handles(m);
    dsa_boot("");
    ask_many(0, 10);
    m->refuse = 13;
    m->refusal = 0x42;
    dsa_model_revoke(m);
    dsa_run_cpus();
    check(0, 10, COPY_GONE);
    assert_string_equal(told.warning_what, "dsa-stuck");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(works),       TEST(works_by_stores),    TEST(credits),         TEST(backwards),
        TEST(resubmitted), TEST(each_cpu_its_own),   TEST(shared_queue),    TEST(moves),
        TEST(each_mode),   TEST(refused_early),      TEST(bad_descriptors), TEST(redone),
        TEST(halts),       TEST(halts_in_silence),   TEST(taken_out),       TEST(no_record),
        TEST(stray_error), TEST(never_answered),     TEST(lost_interrupts), TEST(doesnt_drain),
        TEST(revoked),     TEST(revoked_in_silence), TEST(never_good),      TEST(no_new_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
