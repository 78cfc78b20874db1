// SPDX-License-Identifier: BSD-2-Clause
// app=selftest where something hangs or lies: it ends, and says what it waited for. And what it does
// with each CPU, and tells of each run.
#include "kernel/cpu/timer.h"
#include "tests/host/selftest_hooks.h"

// ---- stalls ----

#define LOOK_NS (50 * NS_PER_MS) // of the clock, so that a minute is soon over

static uint64_t last_read_ns;

static void note_time(const struct block_req *req)
{
    last_read_ns = fake.tsc;
}

static void expect_stall(const char *words, const char *message)
{
    fake.look_tsc = LOOK_NS;
    fake.on_read = note_time;
    fake_run(&app_selftest, words);
    assert_non_null(strstr(fake.json, "\"ok\":false"));
    expect_line(fake.console, ": failed: ");
    expect_line(fake.errors_told, "selftest-stalled: ");
    expect_line(fake.errors_told, message);
    assert_null(fake.timers);
    fake.in_flight_count = 0;
}

// Neither a read nor a step: 45 s later it is over.
static void test_nothing_goes_on(void **state)
{
    start(3, 1);
    hooks.stuck = fake.hold = true;
    uint64_t begun = fake.tsc;
    expect_stall("moves=100",
                 "no read has completed and no step was done for 45 s: 0 of 100 moves\n");
    assert_in_range(fake.tsc - begun, 45 * NS_PER_S, 48 * NS_PER_S);
    expect_line(fake.errors_told, "selftest-lost: 96 reads were submitted and 0 completed\n");
}

static void stop_reads_at_last(struct cpu_timer *timer)
{
    fake.hold = true;
}

// As long as reads complete it waits for the steps; 45 s after the last one it gives up.
static void test_reads_go_on_for_a_while(void **state)
{
    struct cpu_timer timer = { .fn = stop_reads_at_last };
    start(3, 1);
    hooks.stuck = true;
    cpu_timer_start(&timer, fake.tsc + 100 * NS_PER_S);
    expect_stall("moves=100 iodepth=1", " 45 s: 0 of 100 moves\n");
    assert_in_range(fake.tsc - last_read_ns, 45 * NS_PER_S, 50 * NS_PER_S);
    assert_true(last_read_ns - (1ull << 40) > 95 * NS_PER_S);
}

// Steps without reads are progress, too.
static void test_steps_go_on_without_reads(void **state)
{
    start(3, 1);
    fake.hold = true;
    expect_stall("moves=2000", " 45 s: 2000 of 2000 moves\n");
    assert_true(fake.tsc - last_read_ns > 60 * NS_PER_S);
}

static void test_progress_each_second(void **state)
{
    start(3, 1);
    fake.look_tsc = 20 * NS_PER_MS;
    fake_run(&app_selftest, "moves=200 iodepth=1");
    assert_int_equal(fake.errors, 0);
    expect_line(fake.console, "\nselftest moves: 1.0 s: ");
    expect_line(fake.console, "\nselftest moves: 2.0 s: ");
    expect_line(fake.console, " of 200 moves, ");
    assert_null(fake.timers);
}

// ---- CPUs that lie ----

static void expect_lie(const char *message)
{
    fake_run(&app_selftest, "test=offline rounds=5");
    expect_line(fake.errors_told, message);
    expect_line(fake.json, "\"failed\":1,");
    assert_int_equal(hooks.leaves, 1); // the first one ends it
}

static void test_a_cpu_that_stays(void **state)
{
    char message[128];
    start(2, 1);
    hooks.stays = true;
    snprintf(message, sizeof(message), "selftest-offline: CPU 1 is there though it was to leave\n");
    expect_lie(message);
}

static void test_a_cpu_that_does_not_come_back(void **state)
{
    start(2, 1);
    hooks.is_lost = true;
    expect_lie("selftest-offline: CPU 1 is away though it was to come back\n");
}

static unsigned reads_after_refusal;

static void count_reads_after_refusal(const struct block_req *req)
{
    reads_after_refusal += fake.current == 1 && hooks.leaves;
}

// It is still there, and goes on reading.
static void test_a_cpu_that_refuses_to_leave(void **state)
{
    start(2, 1);
    hooks.fail_leave = 1;
    reads_after_refusal = 0;
    fake.on_read = count_reads_after_refusal;
    fake_run(&app_selftest, "test=offline rounds=5 iodepth=2");
    expect_line(fake.errors_told, "cpu-offline: this one failed\n");
    assert_true(reads_after_refusal >= 2);
    assert_int_equal(hooks.returns, 0);
}

// ---- all CPUs ----

static uint64_t reads_of[FAKE_CPUS], reads_since_return[FAKE_CPUS];

static void count_reads(const struct block_req *req)
{
    reads_of[fake.current]++;
}

static void test_moves_reach_all_cpus_and_all_read(void **state)
{
    start(4, 1);
    memset(reads_of, 0, sizeof(reads_of));
    fake.on_read = count_reads;
    fake_run(&app_selftest, "moves=400 iodepth=2");
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        assert_in_range(hooks.moves_to[cpu], 60, 140);
        assert_true(reads_of[cpu] > 10);
    }
}

static void count_reads_since(const struct block_req *req)
{
    assert_false(hooks.away[fake.current]);
    reads_since_return[fake.current] += hooks.returns == hooks.leaves;
}

// Each but the boot CPU leaves, and reads again once it is back.
static void test_rounds_reach_all_cpus(void **state)
{
    start(4, 1);
    memset(reads_since_return, 0, sizeof(reads_since_return));
    fake.on_read = count_reads_since;
    fake_run(&app_selftest, "test=offline rounds=60 iodepth=2");
    assert_int_equal(hooks.leaves_of[0], 0);
    for (unsigned cpu = 1; cpu < 4; cpu++) {
        assert_in_range(hooks.leaves_of[cpu], 8, 40);
        assert_true(reads_since_return[cpu] > 2);
    }
}

// ---- what it tells ----

static void test_object(void **state)
{
    char text[512];
    start(3, 2);
    fake.look_tsc = NS_PER_MS;
    fake_run(&app_selftest, "test=offline rounds=3 iodepth=2 verify=1");
    const char *runtime = strstr(fake.json, "\"runtime\":");
    assert_non_null(runtime);
    snprintf(text, sizeof(text),
             "{\"type\":\"test\",\"name\":\"offline\",\"ok\":true,\"status\":\"ok\",\"irq\":"
             "\"posted\",\"cpus\":3,\"disks\":2,\"rounds\":3,\"failed\":0,\"ios\":%lu,"
             "\"submitted\":%lu,\"errors\":0,\"verify_errors\":0,\"verify\":\"crc32c\",",
             fake.submitted, fake.submitted);
    assert_memory_equal(fake.json, text, strlen(text));
    uint64_t ms = (fake.tsc - (1ull << 40)) / NS_PER_MS; // to the last look
    assert_in_range(strtoull(strchr(runtime, ':') + 1, NULL, 10), ms - 10, ms);
    expect_line(fake.console,
                "selftest offline: 3 rounds, iodepth 2, on 2 disks, 3 CPUs, posted\n");
}

static void test_limits(void **state)
{
    static const char *const names[] = { "moves", "changes", "rounds" };
    const struct option *const tables[] = { app_selftest.options };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        static const struct {
            unsigned number;
            bool ok;
        } cases[] = { { 0, false }, { 1, true }, { 1000000000, true }, { 1000000001, false } };
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
            struct cmdline c;
            struct problem p;
            char words[64];
            snprintf(words, sizeof(words), "%s=%u", names[i], cases[k].number);
            assert_int_equal(cmdline_parse(words, tables, 1, false, &c, &p), cases[k].ok);
        }
    }
}

#define selftest_test(f) cmocka_unit_test_teardown(f, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        selftest_test(test_nothing_goes_on),
        selftest_test(test_reads_go_on_for_a_while),
        selftest_test(test_steps_go_on_without_reads),
        selftest_test(test_progress_each_second),
        selftest_test(test_a_cpu_that_stays),
        selftest_test(test_a_cpu_that_does_not_come_back),
        selftest_test(test_a_cpu_that_refuses_to_leave),
        selftest_test(test_moves_reach_all_cpus_and_all_read),
        selftest_test(test_rounds_reach_all_cpus),
        selftest_test(test_object),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
