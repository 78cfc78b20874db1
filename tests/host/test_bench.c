// SPDX-License-Identifier: BSD-2-Clause
// app=bench on a machine whose disks fail, whose memory runs out, and whose clock moves as it is told.
#include "apps/bench.h"

#include "apps/job.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static struct irq_config config;
static char warnings[1 << 14];
static unsigned modes;     // that the machine has: posted, and with 2 remapped, too
static char changes[1024]; // in order: a letter and the loops
static bool no_change;     // they fail

const struct irq_config *irq_get_config(void)
{
    return &config;
}

bool irq_mode_is_possible(enum irq_mode mode, struct problem *p)
{
    return mode == IRQ_POSTED || (modes == 2 && mode == IRQ_REMAPPED);
}

static struct irq_mode_change *pending;

static void change_mode(struct cpu_msg *msg)
{
    size_t used = strlen(changes);
    pending->ok = !no_change;
    problem_set(&pending->problem, "irq-mode", "the unit doesn't follow");
    if (pending->ok) {
        config.mode = fake.mode = pending->mode;
        config.loops = pending->loops;
    }
    format_text(changes + used, sizeof(changes) - used, "%c%u", irq_mode_name(pending->mode)[0],
                pending->loops);
    pending->done(pending);
}

// As the real one: later, from the loop; nothing is in flight meanwhile.
void irq_set_mode(struct irq_mode_change *change)
{
    assert_int_equal(fake.in_flight_count, 0);
    pending = change;
    change->msg.fn = change_mode;
    cpu_post(0, &change->msg);
}

unsigned cpu_index(void)
{
    return fake.current;
}

void warn(const char *what, const char *fmt, ...)
{
    size_t used = strlen(warnings);
    va_list args;
    va_start(args, fmt);
    used += (size_t)format_text(warnings + used, sizeof(warnings) - used, "%s: ", what);
    format_text_v(warnings + used, sizeof(warnings) - used, fmt, args);
    strcat(warnings, "\n");
    va_end(args);
}

static void start(unsigned cpus, unsigned disks)
{
    fake_start(cpus, disks, 512, FAKE_LBAS);
    config = (struct irq_config){ .mode = IRQ_POSTED, .loops = 3 };
    warnings[0] = changes[0] = 0;
    modes = 1;
    no_change = false;
}

static unsigned lines_of(const char *where, const char *start_of_line)
{
    unsigned lines = 0;
    for (const char *at = where; (at = strstr(at, start_of_line)); at++)
        lines++;
    return lines;
}

static uint64_t number(const char *object, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":", key);
    const char *at = strstr(object, text);
    assert_non_null(at);
    return strtoull(at + strlen(text), NULL, 10);
}

static const char *row(unsigned number_of_row)
{
    static char text[64];
    snprintf(text, sizeof(text), "\"row\":%u,\"irq\"", number_of_row);
    const char *at = strstr(fake.json, text);
    assert_non_null(at);
    return at;
}

// ---- what it measures ----

static void test_a_line_for_each_row(void **state)
{
    start(2, 3);
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=2 iodepth=4");
    assert_int_equal(fake.errors, 0);
    assert_string_equal(warnings, "");
    assert_int_equal(lines_of(fake.json, "{\"type\":\"bench\","), 3);
    expect_line(fake.json, "{\"type\":\"bench_plan\",\"bench\":\"disks\",\"tables\":[\"disks\"],"
                           "\"rows\":3,\"repeats\":2,\"runtime_each\":1,\"estimate_s\":1}");
    uint64_t ios = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(number(row(i), "disks"), i + 1);
        assert_int_equal(number(row(i), "N"), number(row(i), "total_ios"));
        assert_int_equal(number(row(i), "msis"), number(row(i), "total_ios")); // one for each read
        ios += number(row(i), "total_ios");
    }
    assert_int_equal(ios, fake.submitted);
    expect_line(fake.console, "bench: ok: 3 of 3 rows in");
    expect_line(fake.console,
                "IOPS by disks: random reads of 4 KiB, iodepth 4, 2 CPUs, median of 2");
}

// A read takes 1 ms in the first run, then 4, then 2: what is told is the run in the middle.
static unsigned runs_begun;

static void other_time_in_each_run(const struct block_req *req)
{
    static const uint64_t ms[] = { 1, 4, 2 };
    const struct job_worker *w = req->arg;
    if (job_submitted(w) == 1)
        fake.service_tsc = ms[runs_begun++ % 3] * NS_PER_MS;
}

static void test_the_run_in_the_middle_counts(void **state)
{
    start(1, 1);
    runs_begun = 0;
    fake.on_read = other_time_in_each_run;
    fake_run(&app_bench, "bench=disks runtime=100ms repeats=3 iodepth=1");
    assert_int_equal(runs_begun, 3);
    const char *at = strstr(row(0), "\"iops\":");
    assert_non_null(at);
    assert_in_range(number(at, "median"), 480, 500);
    assert_in_range(number(at, "min"), 240, 250);
    assert_in_range(number(at, "max"), 950, 1000);
    assert_in_range(number(row(0), "bw_bytes"), 480 * 4096, 500 * 4096);
    assert_int_equal(number(row(0), "total_ios"), fake.submitted);
}

static void test_rates_and_counting(void **state)
{
    start(2, 2);
    fake_run(&app_bench, "bench=background runtime=10ms repeats=1 iodepth=4");
    assert_int_equal(lines_of(fake.json, "{\"type\":\"bench\",\"table\":\"background\""), 3);
    assert_int_equal(number(row(0), "rate_iops"), 1000);
    assert_in_range(number(row(0), "total_ios"), 8, 14);
    assert_in_range(number(row(1), "total_ios"), 80, 120);
    const char *counted = strstr(row(1), "\"counted_per_s\":");
    assert_non_null(counted);
    assert_true(number(counted, "median") > 0);
    assert_non_null(strstr(row(1), "\"slat_ns\":"));
}

// So many, whatever time they take; words of the command line don't make them streams or not.
static void test_cost_of_so_many_reads(void **state)
{
    start(1, 2);
    fake.has_streams = true;
    fake.turn = 1;
    fake_run(&app_bench, "bench=cost repeats=2 runtime=1ms");
    static const uint64_t reads[] = { FAKE_LBAS / 8, FAKE_LBAS / 8, 2 * FAKE_LBAS / 8 };
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(number(row(i), "total_ios"), 2 * reads[i < 2 ? i : 2]); // of small disks
    expect_line(fake.json, "\"row\":4,\"irq\":\"posted\",\"disks\":2,\"bs\":4096,\"iodepth\":32,"
                           "\"loops\":3,\"rate_iops\":0,\"clat\":\"batch\"");
    assert_true(fake.turns > 0);
    expect_line(fake.console, "cycles per read by disks x iodepth: random reads of 4 KiB, 1 CPU,");
}

// A watt each: what all of them take, not what each CPU's package does.
static void check_energy(unsigned packages)
{
    start(4, 1);
    fake.packages = packages;
    fake.service_tsc = NS_PER_MS / 10;
    fake_run(&app_bench, "bench=disks runtime=50ms repeats=2 iodepth=1");
    const char *energy = strstr(row(0), "\"energy_uj_per_io\":"),
               *iops = strstr(row(0), "\"iops\":");
    assert_non_null(energy);
    uint64_t uj_per_s = number(energy, "median") * number(iops, "median");
    assert_in_range(uj_per_s, packages * 900000, packages * 1100000);
    fake_stop(NULL);
}

static void test_energy_of_all_packages(void **state)
{
    check_energy(1);
    check_energy(2);
    check_energy(4);
}

static void test_no_energy_where_none_is_told(void **state)
{
    start(1, 1);
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=1");
    assert_null(strstr(fake.json, "energy"));
}

// ---- modes ----

// By turns, so that what drifts disturbs all alike; then all is as it was.
static void test_modes_take_turns(void **state)
{
    start(1, 2);
    modes = 2;
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=3 iodepth=1");
    assert_string_equal(changes, "r3p3r3p3r3p3"
                                 "r3p3r3p3r3p3");
    assert_int_equal(lines_of(fake.json, "{\"type\":\"bench\","), 4);
    expect_line(fake.json, "\"row\":0,\"irq\":\"remapped\"");
    expect_line(fake.json, "\"row\":1,\"irq\":\"posted\"");
    assert_int_equal(config.mode, IRQ_POSTED);
    // Where nothing is posted, each MSI is an interrupt.
    assert_int_equal(number(row(0), "notifications"), number(row(0), "msis"));
    assert_int_not_equal(number(row(1), "notifications"), number(row(1), "msis"));
    expect_line(fake.console, "disks  remapped");
}

static void test_loops_are_set_and_set_back(void **state)
{
    start(1, 1);
    modes = 2;
    fake_run(&app_bench, "bench=loops runtime=1ms repeats=2 iodepth=1");
    assert_string_equal(changes, "p1p2p3p4p5p6p7p8p1p2p3p4p5p6p7p8p3");
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(number(row(i), "loops"), i + 1);
}

static void test_a_mode_that_cannot_be_set(void **state)
{
    start(1, 1);
    modes = 2;
    no_change = true;
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=2 iodepth=1");
    expect_line(warnings, "bench-row: table disks, 1 disk, 4 KiB, iodepth 1 is left out: the unit "
                          "doesn't follow");
    assert_string_equal(fake.error_what, "bench-nothing");
    assert_int_equal(fake.submitted, 0);
}

// ---- memory ----

// However many runs: what one has taken is the next one's.
static size_t allocations_of(const char *words)
{
    start(2, 2);
    fake_run(&app_bench, words);
    assert_int_equal(fake.errors, 0);
    size_t count = fake.allocations_count;
    fake_stop(NULL);
    return count;
}

static void test_runs_take_no_memory(void **state)
{
    size_t few = allocations_of("bench=quick runtime=1ms repeats=1");
    assert_int_equal(allocations_of("bench=quick runtime=1ms repeats=9"), few);
}

static void test_rows_without_memory_are_left_out(void **state)
{
    start(1, 1);
    fake.free_bytes = MIB;
    fake_run(&app_bench, "bench=bs runtime=1ms repeats=2 iodepth=32");
    assert_int_equal(fake.errors, 0);
    expect_line(warnings, "bench-row: table bs, 1 disk, 64 KiB, iodepth 32 is left out: 1 workers");
    assert_int_equal(lines_of(warnings, "bench-row: "), 3); // 32k, 64k, 128k
    assert_int_equal(lines_of(fake.json, "{\"type\":\"bench\","), 3);
    expect_line(fake.console, "bench: ok: 3 of 6 rows in");
}

static void test_no_row_at_all_is_an_error(void **state)
{
    start(1, 1);
    fake.disks[0].dev.block_size = 4096;
    fake.disks[0].dev.blocks = FAKE_LBAS / 8;
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=2 bs=512");
    assert_string_equal(fake.error_what, "bench-nothing");
    expect_line(warnings, "nvme0n1 has blocks of 4096 bytes");
    assert_int_equal(fake.submitted, 0);
}

// ---- trouble ----

// The second disk fails: what it takes part in is left out, and all goes on without it.
static void check_bad_disk(enum block_status status, const char *how)
{
    start(2, 3);
    fake.disks[1].bad_status = status;
    fake.disks[1].bad_lba = 24; // one of the first that are read
    fake.disks[1].dev.blocks = 64;
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=3 iodepth=8");
    assert_int_equal(fake.errors, 0);
    char text[200];
    snprintf(text, sizeof(text),
             "bench-disk: nvme1n1 %s: table disks, 2 disks, 4 KiB, iodepth 8 is left out", how);
    expect_line(warnings, text);
    expect_line(warnings, "bench-row: table disks, 3 disks, 4 KiB, iodepth 8 is left out: only 2 "
                          "disks are left");
    assert_int_equal(lines_of(fake.json, "{\"type\":\"bench\","), 1);
    expect_line(fake.console, "bench: ok: 1 of 3 rows in");
    fake_stop(NULL);
}

static void test_a_disk_with_errors_is_put_aside(void **state)
{
    check_bad_disk(BLOCK_ERROR, "had errors");
    check_bad_disk(BLOCK_GONE, "is gone or doesn't answer");
}

// A read that timed out may still write to its buffer: nobody gets that memory.
static const uint8_t *late_buffer;
static bool late_is_used;

static void note_late(const struct block_req *req)
{
    const uint8_t *buffer = req->buffer;
    if (late_buffer && req->dev != &fake.disks[0].dev)
        late_is_used |= buffer < late_buffer + 4096 && late_buffer < buffer + 4096;
    if (req->dev == &fake.disks[0].dev && req->lba <= 24 && req->lba + req->blocks > 24)
        late_buffer = buffer;
}

static void test_what_a_late_read_may_write_to_is_left_alone(void **state)
{
    start(1, 3);
    late_buffer = NULL;
    late_is_used = false;
    fake.disks[0].bad_status = BLOCK_TIMEOUT;
    fake.disks[0].bad_lba = 24;
    fake.disks[0].dev.blocks = 64;
    fake.on_read = note_late;
    fake_run(&app_bench, "bench=disks runtime=1ms repeats=2 iodepth=8");
    assert_non_null(late_buffer);
    assert_false(late_is_used);
    assert_int_equal(lines_of(fake.json, "{\"type\":\"bench\","), 1); // the other two disks'
}

static void test_without_disks(void **state)
{
    start(1, 0);
    fake_run(&app_bench, "");
    assert_string_equal(fake.error_what, "job-no-disk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_line_for_each_row, fake_stop),
        cmocka_unit_test_teardown(test_the_run_in_the_middle_counts, fake_stop),
        cmocka_unit_test_teardown(test_rates_and_counting, fake_stop),
        cmocka_unit_test_teardown(test_cost_of_so_many_reads, fake_stop),
        cmocka_unit_test(test_energy_of_all_packages),
        cmocka_unit_test_teardown(test_no_energy_where_none_is_told, fake_stop),
        cmocka_unit_test_teardown(test_modes_take_turns, fake_stop),
        cmocka_unit_test_teardown(test_loops_are_set_and_set_back, fake_stop),
        cmocka_unit_test_teardown(test_a_mode_that_cannot_be_set, fake_stop),
        cmocka_unit_test(test_runs_take_no_memory),
        cmocka_unit_test_teardown(test_rows_without_memory_are_left_out, fake_stop),
        cmocka_unit_test_teardown(test_no_row_at_all_is_an_error, fake_stop),
        cmocka_unit_test(test_a_disk_with_errors_is_put_aside),
        cmocka_unit_test_teardown(test_what_a_late_read_may_write_to_is_left_alone, fake_stop),
        cmocka_unit_test_teardown(test_without_disks, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
