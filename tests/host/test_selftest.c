// SPDX-License-Identifier: BSD-2-Clause
// app=selftest on a fake machine: it moves and changes what it says, pauses what it takes away, and
// notices what went wrong.
#include "tests/host/apps.h"
#include "tests/host/selftest_hooks.h"

// ---- the tests ----

static void expect_counts(const char *steps, uint64_t wanted)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":%lu,\"failed\":0", steps, wanted);
    expect_line(fake.json, text);
    snprintf(text, sizeof(text), "\"ios\":%lu,\"submitted\":%lu,\"errors\":0", fake.submitted,
             fake.submitted);
    expect_line(fake.json, text);
    expect_line(fake.json, "\"ok\":true,\"status\":\"ok\"");
    assert_int_equal(fake.errors, 0);
    assert_int_equal(fake.in_flight_count, 0);
}

static void test_moves(void **state)
{
    start(5, 2);
    fake_run(&app_selftest, "moves=300 iodepth=4 verify=crc32c");
    assert_int_equal(hooks.moves, 300);
    assert_in_range(hooks.most_at_once, 3, 5);
    assert_true(fake.submitted > 300);
    expect_counts("moves", 300);
    expect_line(fake.console, "selftest moves: ok: 300 moves under ");
    expect_line(fake.console, "all data verified");
}

static void test_delivery(void **state)
{
    start(5, 2);
    fake_run(&app_selftest, "test=delivery changes=300 iodepth=4 verify=crc32c");
    assert_int_equal(hooks.posted + hooks.remapped, 300);
    assert_in_range(hooks.remapped - hooks.posted, 1, 5); // posted in the beginning
    assert_int_equal(hooks.moves, 0);
    expect_counts("changes", 300);
    expect_line(fake.console, "selftest delivery: ok: 300 changes under ");
}

static void test_delivery_on_one_cpu(void **state)
{
    start(1, 1);
    fake_run(&app_selftest, "test=delivery changes=20");
    assert_int_equal(hooks.posted, 10);
    assert_int_equal(hooks.remapped, 10);
    expect_counts("changes", 20);
}

// Another app's, without load.
static void test_posting(void **state)
{
    start(2, 1);
    fake_run(&app_selftest, "test=posting");
    assert_int_equal(hooks.posting_runs, 1);
    assert_int_equal(fake.submitted, 0);
    assert_int_equal(fake.errors, 0);
}

static void test_offline(void **state)
{
    start(4, 2);
    fake_run(&app_selftest, "test=offline rounds=40 iodepth=3");
    assert_int_equal(hooks.leaves, 40);
    assert_int_equal(hooks.returns, 40);
    expect_counts("rounds", 40);
}

// A CPU that has just left takes no irq: the move is refused, and that is no failure here.
static void test_both(void **state)
{
    start(4, 2);
    hooks.fail_move = 50;
    fake_run(&app_selftest, "test=both rounds=40 iodepth=3");
    assert_int_equal(hooks.leaves, 40);
    assert_int_equal(hooks.returns, 40);
    assert_true(hooks.moves > 50);
    assert_true(hooks.remapped > 20);
    assert_int_equal(hooks.at_once, 0);
    char text[128];
    snprintf(text, sizeof(text),
             "\"rounds\":40,\"moves\":%lu,\"changes\":%lu,\"refused\":1,\"failed\":0",
             hooks.moves - 1, hooks.posted + hooks.remapped);
    expect_line(fake.json, text);
    expect_line(fake.json, "\"name\":\"both\",\"ok\":true");
    assert_int_equal(fake.errors, 0);
    assert_int_equal(fake.in_flight_count, 0);
}

static void test_modes(void **state)
{
    start(3, 2);
    fake_run(&app_selftest, "test=modes modes=100 iodepth=4 verify=crc32c");
    assert_int_equal(hooks.modes, 100);
    for (unsigned mode = 0; mode < IRQ_MSI; mode++)
        assert_in_range(hooks.modes_seen[mode], 10, 40);
    assert_int_equal(hooks.moves, 0);
    expect_counts("modes", 100);
    expect_line(fake.console, "selftest modes: ok: 100 modes under ");
}

static void test_modes_of_an_irq_that_comes_through_another(void **state)
{
    static const struct irq_chip through = { .name = "VMD", .through = true };
    start(2, 1);
    fake.irqs[1].chip = &through;
    fake_run(&app_selftest, "test=modes modes=20");
    assert_ptr_equal(fake.irqs[1].chip, &through);
    expect_counts("modes", 20);
}

static void test_another_seed(void **state)
{
    uint64_t seen[IRQ_MSI];
    start(1, 1);
    fake_run(&app_selftest, "test=modes modes=100");
    memcpy(seen, hooks.modes_seen, sizeof(seen));
    fake_stop(NULL);
    start(1, 1);
    fake_run(&app_selftest, "test=modes modes=100 seed=2");
    assert_memory_not_equal(seen, hooks.modes_seen, sizeof(seen));
}

static void test_all(void **state)
{
    start(4, 2);
    fake_run(&app_selftest, "test=all rounds=40 iodepth=3");
    assert_int_equal(hooks.leaves, 40);
    assert_true(hooks.moves > 40);
    assert_true(hooks.modes > 10);
    assert_int_equal(hooks.posted + hooks.remapped, 0);
    char text[128];
    snprintf(text, sizeof(text),
             "\"rounds\":40,\"moves\":%lu,\"modes\":%lu,\"refused\":", hooks.moves, hooks.modes);
    expect_line(fake.json, text);
    assert_int_equal(fake.errors, 0);
}

static void test_both_where_nothing_is_posted(void **state)
{
    start(4, 2);
    fake.mode = IRQ_REMAPPED;
    fake_run(&app_selftest, "test=both rounds=10 iodepth=3");
    assert_true(hooks.moves > 10);
    assert_int_equal(hooks.posted + hooks.remapped, 0);
    assert_null(strstr(fake.json, "\"changes\""));
    assert_int_equal(fake.errors, 0);
}

static void expect_failure(const char *words, const char *what)
{
    fake_run(&app_selftest, words);
    assert_string_equal(fake.error_what, what);
    if (fake.submitted) {
        expect_line(fake.json, "\"ok\":false,\"status\":\"failed\"");
        expect_line(fake.console, ": failed: ");
    }
    assert_true(fake.errors > 0);
}

static void test_move_fails(void **state)
{
    start(3, 1);
    hooks.fail_move = 50;
    expect_failure("moves=100", "irq-affinity");
    expect_line(fake.json, "\"moves\":100,\"failed\":1");
}

static void test_move_that_did_not_happen(void **state)
{
    start(3, 1);
    hooks.lies = true;
    expect_failure("moves=100", "selftest-moves");
}

static void test_change_fails(void **state)
{
    start(3, 1);
    hooks.fail_change = 50;
    expect_failure("test=delivery changes=100", "vtd-queue");
    assert_int_equal(fake.errors, 1);
    expect_line(fake.json, "\"changes\":100,\"failed\":1");
}

static void test_chip_that_lies(void **state)
{
    start(3, 1);
    hooks.lies = true;
    expect_failure("test=delivery changes=100", "selftest-chip");
    expect_line(fake.error_message, "it was changed to VTD-REMAP and is VTD-POST");
    expect_line(fake.json, "\"changes\":100,\"failed\":100");
}

static void test_mode_fails(void **state)
{
    start(3, 1);
    hooks.fail_mode = 50;
    expect_failure("test=modes modes=100", "irq-mode");
    assert_int_equal(fake.errors, 1);
    expect_line(fake.json, "\"modes\":100,\"failed\":1");
}

static void test_mode_that_lies(void **state)
{
    start(3, 1);
    hooks.lies = true;
    expect_failure("test=modes modes=100", "selftest-chip");
    expect_line(fake.error_message, "irq=remapped, and it is VTD-POST, not VTD-REMAP");
    fake_stop(NULL);
    start(3, 1);
    hooks.lies_of_mode = true;
    expect_failure("test=modes modes=100", "selftest-mode");
}

static void test_mode_that_the_platform_lacks(void **state)
{
    start(3, 1);
    hooks.config.chip_post = NULL;
    expect_failure("test=modes", "irq-mode");
    assert_int_equal(fake.submitted, 0);
}

static void test_cpu_does_not_leave(void **state)
{
    start(3, 1);
    hooks.fail_leave = 7;
    expect_failure("test=offline rounds=10", "selftest-steps");
    expect_line(fake.json, "\"failed\":1");
    assert_int_equal(hooks.returns, 6);
}

static void test_bad_read(void **state)
{
    start(3, 1);
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_lba = 0;
    fake_run(&app_selftest, "moves=3000 iodepth=8");
    assert_string_equal(fake.error_what, "load-io");
    expect_line(fake.json, "\"ok\":false");
}

// Its buffer is not used again; the others go on.
static void test_timed_out_reads(void **state)
{
    start(3, 1);
    fake.disks[0].bad_status = BLOCK_TIMEOUT;
    fake.disks[0].bad_lba = 8;
    fake_run(&app_selftest, "moves=3000 iodepth=8");
    assert_string_equal(fake.error_what, "load-io");
    expect_line(fake.json, "\"moves\":3000,\"failed\":0");
}

static void test_damaged_data(void **state)
{
    start(2, 1);
    fake.disks[0].damaged_lba = 100;
    expect_failure("moves=3000 verify=crc32c", "verify-crc");
}

static void test_no_second_chip(void **state)
{
    start(2, 1);
    fake.mode = IRQ_REMAPPED;
    expect_failure("test=delivery", "selftest-delivery");
    expect_line(fake.error_message, "test=delivery: irq=remapped delivers MSIs in one way only");
    assert_int_equal(fake.submitted, 0);
}

static void test_posting_is_absent(void **state)
{
    start(2, 1);
    hooks.posting_is_absent = true;
    expect_failure("test=posting", "selftest-missing");
    assert_int_equal(hooks.posting_runs, 0);
}

static void test_what_it_needs(void **state)
{
    start(1, 1);
    expect_failure("moves=3", "selftest-cpus");
    fake_stop(NULL);
    fake_start(2, 1, 512, FAKE_LBAS);
    expect_failure("moves=3", "selftest-irqs");
    fake_stop(NULL);
    start(2, 1);
    expect_failure("bs=700", "load-bs");
    fake_stop(NULL);
    start(2, 1);
    fake.free_bytes = MIB;
    expect_failure("bs=1m", "load-memory");
    fake_stop(NULL);
    start(2, 0);
    expect_failure("moves=3", "job-no-disk");
}

#define selftest_test(f) cmocka_unit_test_teardown(f, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        selftest_test(test_moves),
        selftest_test(test_delivery),
        selftest_test(test_delivery_on_one_cpu),
        selftest_test(test_posting),
        selftest_test(test_posting_is_absent),
        selftest_test(test_offline),
        selftest_test(test_both),
        selftest_test(test_modes),
        selftest_test(test_modes_of_an_irq_that_comes_through_another),
        selftest_test(test_another_seed),
        selftest_test(test_all),
        selftest_test(test_both_where_nothing_is_posted),
        selftest_test(test_move_fails),
        selftest_test(test_move_that_did_not_happen),
        selftest_test(test_change_fails),
        selftest_test(test_chip_that_lies),
        selftest_test(test_mode_fails),
        selftest_test(test_mode_that_lies),
        selftest_test(test_mode_that_the_platform_lacks),
        selftest_test(test_cpu_does_not_leave),
        selftest_test(test_bad_read),
        selftest_test(test_timed_out_reads),
        selftest_test(test_damaged_data),
        selftest_test(test_no_second_chip),
        selftest_test(test_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
