// SPDX-License-Identifier: BSD-2-Clause
// The self-tests' load on a fake machine: what it keeps in flight, what it counts, and how it drains.
#include "apps/load.h"
#include "kernel/base/cpus.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "tests/host/fake_machine.h"

static const struct option options[] = { LOAD_OPTIONS, { .name = NULL } };

static struct load load;
static struct problem problem;
static uint64_t most_reads;        // all CPUs are paused then; 0: nobody is
static unsigned drains[FAKE_CPUS]; // calls of drained(), by CPU
static unsigned drains_left;
static bool stop;
static unsigned strange_cpu; // where reads of CPU 1 complete

unsigned cpu_index(void)
{
    return fake.current == 1 ? strange_cpu : fake.current;
}

static bool prepare(const char *words)
{
    const struct option *const tables[] = { options };
    struct cmdline c;
    if (!cmdline_parse(words, tables, 1, false, &c, &problem))
        return false;
    memset(&load, 0, sizeof(load));
    memset(drains, 0, sizeof(drains));
    most_reads = 0;
    strange_cpu = 1;
    stop = false;
    return load_prepare(&load, &c, &problem);
}

static void drained(struct load_cpu *cpu)
{
    unsigned index = (unsigned)(cpu - load.cpus);
    assert_int_equal(fake.current, 0);
    assert_int_equal(cpu->in_flight, 0);
    for (size_t i = 0; i < fake.in_flight_count; i++)
        assert_int_not_equal(fake.in_flight[i]->cpu, index);
    drains[index]++;
    stop = --drains_left == 0;
}

static void pause_all(void)
{
    drains_left = fake.cpus;
    for (unsigned cpu = 0; cpu < fake.cpus; cpu++)
        load_pause(&load, cpu, drained);
}

static void count_reads(const struct block_req *req)
{
    if (fake.submitted == most_reads)
        pause_all();
}

// Some reads on all CPUs, until all have drained.
static void run(uint64_t reads)
{
    most_reads = fake.submitted + reads;
    stop = false;
    fake.on_read = count_reads;
    for (unsigned cpu = 0; cpu < fake.cpus; cpu++)
        load_run(&load, cpu);
    cpu_run_until(&stop);
    assert_int_equal(fake.in_flight_count, 0);
}

static void start(unsigned cpus, unsigned disks, const char *words)
{
    fake_start(cpus, disks, 512, 64);
    if (!prepare(words))
        fail_msg("%s", problem.message);
}

static void check_sum(uint64_t errors, uint64_t verify_errors)
{
    struct load_counts sum = load_sum(&load);
    assert_int_equal(sum.submitted, fake.submitted);
    assert_int_equal(sum.completed, fake.submitted);
    assert_int_equal(sum.errors, errors);
    assert_int_equal(sum.verify_errors, verify_errors);
}

// ---- in flight ----

static void test_reads_of_each_disk_and_cpu(void **state)
{
    start(3, 2, "iodepth=5 bs=1k verify=crc32c");
    run(500);
    for (unsigned d = 0; d < 2; d++)
        assert_int_equal(fake.disks[d].most_in_flight, 3 * 5);
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        assert_true(load.cpus[cpu].counts.submitted > 100);
        assert_int_equal(drains[cpu], 1);
    }
    check_sum(0, 0);
    assert_int_equal(fake.errors, 0);
}

// After a pause each read is submitted again, no more and no fewer.
static void test_it_resumes(void **state)
{
    start(2, 2, "iodepth=4");
    for (unsigned i = 0; i < 3; i++) {
        fake.disks[0].most_in_flight = fake.disks[1].most_in_flight = 0;
        run(200);
        for (unsigned d = 0; d < 2; d++)
            assert_int_equal(fake.disks[d].most_in_flight, 2 * 4);
    }
    assert_int_equal(drains[0], 3);
    assert_int_equal(drains[1], 3);
    check_sum(0, 0);
}

// One that has nothing in flight drains at once.
static void test_a_cpu_without_reads_drains(void **state)
{
    start(2, 1, "iodepth=1");
    pause_all();
    cpu_run_until(&stop);
    assert_int_equal(drains[0] + drains[1], 2);
    assert_int_equal(fake.submitted, 0);
}

// From the first block to the last, each CPU in an order of its own, on all queues of a CPU.
static unsigned by_channel[BLOCK_CHANNELS];
static uint64_t first_lbas[FAKE_CPUS];

static void note_read(const struct block_req *req)
{
    const struct load_cpu *cpu = req->arg;
    unsigned index = (unsigned)(cpu - load.cpus);
    assert_int_equal(req->lba % 2, 0);
    assert_int_equal(mem_node(req), FAKE_NODE(index));
    by_channel[req->channel]++;
    if (cpu->counts.submitted == 1)
        first_lbas[index] = req->lba;
    if (fake.submitted == 2000)
        pause_all();
}

static void test_what_it_reads(void **state)
{
    start(4, 1, "iodepth=6 bs=1k");
    fake.disks[0].dev.channels = 3;
    prepare("iodepth=6 bs=1k");
    memset(by_channel, 0, sizeof(by_channel));
    for (unsigned cpu = 0; cpu < 4; cpu++)
        load_run(&load, cpu);
    fake.on_read = note_read;
    cpu_run_until(&stop);
    for (unsigned lba = 0; lba < 64; lba++)
        assert_true(fake.disks[0].reads[lba] > 0);
    for (unsigned channel = 0; channel < 3; channel++)
        assert_in_range(by_channel[channel], 500, 900);
    unsigned same = 0;
    for (unsigned cpu = 1; cpu < 4; cpu++)
        same += first_lbas[cpu] == first_lbas[0];
    assert_true(same < 3);
}

// ---- what goes wrong ----

static void test_errors_are_counted_and_few_are_told(void **state)
{
    start(2, 1, "iodepth=4 bs=1k");
    fake.disks[0].bad_status = BLOCK_ERROR;
    fake.disks[0].bad_lba = 9;
    run(2000);
    uint64_t errors = load_sum(&load).errors;
    assert_in_range(errors, 40, 90); // one read of 32
    check_sum(errors, 0);
    assert_int_equal(fake.errors, 2 * 5); // of each CPU
    assert_string_equal(fake.error_what, "load-io");
    assert_string_equal(fake.error_message,
                        "nvme0n1: read of LBA 8, 2 blocks: status 1 (detail 0x281)");
    assert_int_equal(fake.disks[0].most_in_flight, 8); // each goes on
}

// The device may still write into their buffers: they are used no more, not even after a pause.
static void test_timed_out_reads_are_given_up(void **state)
{
    start(2, 1, "iodepth=4");
    fake.disks[0].bad_status = BLOCK_TIMEOUT;
    fake.disks[0].bad_lba = 9;
    run(8);
    unsigned left = 8 - (unsigned)load_sum(&load).errors;
    while (left == 8) { // none met it yet
        run(8);
        left = 8 - (unsigned)load_sum(&load).errors;
    }
    fake.disks[0].bad_status = BLOCK_OK;
    fake.disks[0].most_in_flight = 0;
    run(100);
    assert_in_range(left, 1, 7);
    assert_int_equal(fake.disks[0].most_in_flight, left);
    check_sum(8 - left, 0);
}

// All reads of all CPUs time out, then they are paused.
static void pause_when_none_is_left(struct cpu_timer *timer)
{
    pause_all();
}

static void test_a_cpu_drains_without_any_read_left(void **state)
{
    struct cpu_timer timer = { .fn = pause_when_none_is_left };
    start(2, 1, "iodepth=3 bs=32k");
    fake.disks[0].bad_status = BLOCK_GONE;
    fake.disks[0].bad_lba = 9;
    cpu_timer_start(&timer, time_ns() + 10 * NS_PER_MS);
    for (unsigned cpu = 0; cpu < 2; cpu++)
        load_run(&load, cpu);
    cpu_run_until(&stop);
    assert_int_equal(drains[0] + drains[1], 2);
    check_sum(6, 0);
}

static void test_damaged_data(void **state)
{
    start(2, 1, "iodepth=4 bs=1k verify=1");
    fake.disks[0].damaged_lba = 11;
    run(2000);
    uint64_t errors = load_sum(&load).verify_errors;
    assert_in_range(errors, 40, 90);
    check_sum(0, errors);
    assert_int_equal(fake.errors, 2 * 5);
    assert_string_equal(fake.error_what, "verify-crc");
    expect_line(fake.error_message, "nvme0n1: LBA 11 has CRC-32C");
    fake_stop(NULL);
    start(2, 1, "iodepth=4 bs=1k verify=1");
    fake.disks[0].damaged_lba = 10; // a read's first block
    run(2000);
    assert_true(load_sum(&load).verify_errors > 40);
    expect_line(fake.error_message, "nvme0n1: LBA 10 has CRC-32C");
    fake_stop(NULL);
    start(2, 1, "iodepth=4 bs=1k");
    fake.disks[0].damaged_lba = 11;
    run(2000); // nobody looks
    check_sum(0, 0);
}

// Told once for each CPU: it may happen all the time.
static void test_reads_that_complete_elsewhere(void **state)
{
    start(3, 1, "iodepth=2");
    strange_cpu = 2;
    run(300);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, "load-cpu");
    assert_string_equal(fake.error_message, "nvme0n1: a read by CPU 1 completed on CPU 2");
    assert_true(load.cpus[1].counts.errors > 50); // all are counted
    assert_int_equal(load.cpus[1].counts.errors, load.cpus[1].counts.completed);
    check_sum(load.cpus[1].counts.errors, 0);
}

// ---- what it takes ----

static void test_sizes(void **state)
{
    fake_start(1, 3, 512, 64);
    assert_true(prepare("bs=32k")); // the whole disk
    assert_false(prepare("bs=33k"));
    assert_string_equal(problem.what, "load-bs");
    assert_false(prepare("bs=1000"));
    assert_string_equal(problem.message, "bs=1000: nvme0n1 has 64 blocks of 512 bytes; give a "
                                         "multiple of that size that fits");
    fake.disks[2].dev.block_size = 4096;
    assert_false(prepare("bs=512"));
    expect_line(problem.message, "nvme2n1 has 64 blocks of 4096 bytes");
}

static void test_limits(void **state)
{
    fake_start(1, 1, 512, FAKE_LBAS);
    assert_true(prepare("bs=512 iodepth=1024"));
    assert_true(prepare("bs=1m iodepth=1"));
    static const char *const wrong[] = { "bs=511", "bs=1048577", "iodepth=0", "iodepth=1025" };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_false(prepare(wrong[i]));
        assert_string_equal(problem.what, "cmdline-range");
    }
    assert_true(prepare(""));
    assert_int_equal(load.bs, 4096);
    assert_int_equal(load.iodepth, 32);
    assert_false(load.verify);
}

static bool fits(const char *words, uint64_t free_bytes)
{
    fake_start(FAKE_CPUS, 2, 512, 512);
    fake.free_bytes = free_bytes;
    bool ok = prepare(words);
    if (!ok)
        assert_string_equal(problem.what, "load-memory");
    fake_stop(NULL);
    return ok;
}

static void check_estimate(const char *words)
{
    uint64_t least = 0, most = GIB;
    while (most - least > 1) {
        uint64_t middle = (least + most) / 2;
        if (fits(words, middle))
            most = middle;
        else
            least = middle;
    }
    assert_true(fits(words, most));
    assert_in_range(most, fake.used_bytes, fake.used_bytes + FAKE_CPUS * 5 * PAGE_BYTES);
}

static void test_what_is_let_through_fits(void **state)
{
    check_estimate("iodepth=1 bs=512");
    check_estimate("iodepth=7 bs=4k");
    fake_start(3, 2, 512, 64);
    fake.free_bytes = 5 * MIB;
    assert_false(prepare("iodepth=1000 bs=4k"));
    expect_line(problem.message,
                "6000 reads in flight with bs=4096 need 25 MiB, and 5 MiB are free; ");
}

#define load_test(f) cmocka_unit_test_teardown(f, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        load_test(test_reads_of_each_disk_and_cpu),
        load_test(test_it_resumes),
        load_test(test_a_cpu_without_reads_drains),
        load_test(test_what_it_reads),
        load_test(test_errors_are_counted_and_few_are_told),
        load_test(test_timed_out_reads_are_given_up),
        load_test(test_a_cpu_drains_without_any_read_left),
        load_test(test_damaged_data),
        load_test(test_reads_that_complete_elsewhere),
        load_test(test_sizes),
        load_test(test_limits),
        load_test(test_what_is_let_through_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
