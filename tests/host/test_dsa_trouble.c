// SPDX-License-Identifier: BSD-2-Clause
// The same where the device is in trouble, or revokes its handles: each request still ends once.
#include "tests/host/dsa_requests.h"

#include "kernel/cpu/work.h"

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

// What has ended far behind the oldest one is not taken for lost with those before it.
static void lost_and_overtaken(void **state)
{
    dsa_boot("");
    ask_many(0, 40);
    m->backwards = true;
    dsa_model_work(m, 1);
    m->no_records = true;
    dsa_model_work(m, 39);
    m->no_records = false;
    work();
    check(0, 39, COPY_ERROR);
    check(39, 1, COPY_OK);
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
    check_again(100, 3100);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(halts),          TEST(halts_in_silence),   TEST(taken_out),
        TEST(no_record),      TEST(lost_and_overtaken), TEST(stray_error),
        TEST(never_answered), TEST(lost_interrupts),    TEST(doesnt_drain),
        TEST(revoked),        TEST(revoked_in_silence), TEST(never_good),
        TEST(no_new_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
