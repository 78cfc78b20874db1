// SPDX-License-Identifier: BSD-2-Clause
// The job's memory: on whose NUMA node, how much, and what each worker and each read is set up with.
#include "apps/job.h"
#include "kernel/mem/mem.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

// ---- places ----

static unsigned workers_seen;

// Each read, what its worker counts, and what its CPU counts, lie with the CPU that works with it.
static void check_places(const struct block_req *req)
{
    const struct job_worker *w = req->arg;
    unsigned node = FAKE_NODE(fake.current);
    const void *pieces[] = { req, w, w->ios, w->cpu->before.irqs, w->cpu->after.irqs };
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        assert_int_equal(mem_node(pieces[i]), node);
    if (w->urgent)
        assert_int_equal(mem_node(w->urgent), node);
    assert_int_equal(w->cpu->cpu, fake.current);
    workers_seen += job_submitted(w) == 1;
}

static void test_all_lies_with_the_cpu(void **state)
{
    fake_start(3, 2, 512, 512);
    workers_seen = 0;
    fake.on_read = check_places;
    fake_run(&app_job, "runtime=0 numjobs=2 urgent=50 iodepth=3 rw=read");
    assert_int_equal(workers_seen, 4);
}

// ---- sizes ----

static uint64_t used_at_first_read;

static void note_use(const struct block_req *req)
{
    if (fake.submitted == 1)
        used_at_first_read = fake.used_bytes;
}

static bool runs_with(const char *words, uint64_t free_bytes)
{
    fake_start(3, 2, 512, 512);
    fake.free_bytes = free_bytes;
    fake.on_read = note_use;
    fake_run(&app_job, words);
    bool ran = fake.submitted;
    if (!ran)
        assert_string_equal(fake.error_what, "job-memory");
    fake_stop(NULL);
    return ran;
}

// What is let through finds room, and what would find plenty is let through.
static void check_estimate(const char *words)
{
    uint64_t least = 0, most = GIB;
    while (most - least > 1) {
        uint64_t middle = (least + most) / 2;
        if (runs_with(words, middle))
            most = middle;
        else
            least = middle;
    }
    assert_true(runs_with(words, most));
    assert_in_range(most, used_at_first_read, used_at_first_read + 6 * 8 * PAGE_BYTES);
}

static void test_what_is_let_through_fits(void **state)
{
    check_estimate("runtime=0 iodepth=1 bs=512");
    check_estimate("runtime=0 iodepth=9 bs=512 urgent=1");
    check_estimate("runtime=0 iodepth=4 bs=64k");
}

// ---- reads ----

static unsigned by_channel[BLOCK_CHANNELS];

static void count_channels(const struct block_req *req)
{
    by_channel[req->channel]++;
}

// Those in flight take turns on a CPU's queues.
static void test_channels_are_used_alike(void **state)
{
    fake_start(1, 1, 512, 8 * 12);
    fake.disks[0].dev.channels = 3;
    memset(by_channel, 0, sizeof(by_channel));
    fake.on_read = count_channels;
    fake_run(&app_job, "rw=read runtime=0 iodepth=12");
    for (unsigned channel = 0; channel < 3; channel++)
        assert_int_equal(by_channel[channel], 4);
}

// What isn't urgent goes back to the queue that it had.
static void test_channels_beside_urgent_reads(void **state)
{
    fake_start(1, 1, 512, FAKE_LBAS);
    fake.disks[0].dev.channels = 2;
    memset(by_channel, 0, sizeof(by_channel));
    fake.on_read = count_channels;
    fake_run(&app_job, "rw=read runtime=0 bs=512 iodepth=12 urgent=50");
    assert_int_equal(by_channel[0] + by_channel[1] + by_channel[BLOCK_URGENT], FAKE_LBAS);
    for (unsigned channel = 0; channel < 2; channel++)
        assert_in_range(by_channel[channel], FAKE_LBAS / 5, FAKE_LBAS / 3);
}

// However often it goes round, a sequential worker stays within its share, and reads all of it.
static void check_share(const struct block_req *req)
{
    const struct job_worker *w = req->arg;
    assert_in_range(req->lba / 8, w->first, w->end - 1);
}

static void test_shares_are_kept(void **state)
{
    fake_start(3, 1, 512, 8 * 32);
    fake.on_read = check_share;
    fake_run(&app_job, "rw=read runtime=1ms iodepth=2");
    uint32_t least = UINT32_MAX, most = 0;
    for (unsigned lba = 0; lba < 8 * 32; lba++) {
        least = MIN(least, fake.disks[0].reads[lba]);
        most = MAX(most, fake.disks[0].reads[lba]);
    }
    assert_true(least >= 3);
    assert_true(most < 4 * least);
}

// From the first block to the last.
static void test_random_reads_reach_all(void **state)
{
    fake_start(2, 1, 512, 32);
    fake_run(&app_job, "bs=512 runtime=1ms iodepth=2");
    for (unsigned lba = 0; lba < 32; lba++)
        assert_true(fake.disks[0].reads[lba] > 0);
}

// Each namespace of a controller has stamps of its own.
static void test_stamps_of_namespaces(void **state)
{
    fake_start(1, 3, 512, 64);
    for (unsigned i = 0; i < 3; i++) {
        fake.disks[i].dev.nsid = i + 1;
        format_text(fake.disks[i].dev.serial, sizeof(fake.disks[i].dev.serial), "SAME");
    }
    fake_run(&app_job, "rw=read runtime=0 verify=1");
    assert_int_equal(fake.errors, 0);
    assert_int_equal(fake.submitted, 3 * 8);
}

static uint64_t runtime_tsc;

static void note_runtime(const struct block_req *req)
{
    const struct job_worker *w = req->arg;
    runtime_tsc = w->end_tsc - w->began_tsc;
}

static void test_runtime_is_exact(void **state)
{
    fake_start(1, 1, 512, 512);
    fake.on_read = note_runtime;
    fake_run(&app_job, "runtime=1234567us iodepth=1");
    assert_int_equal(runtime_tsc, 1234567000);
}

// Workers of a disk don't read the same blocks in the same order.
static uint64_t first_lbas[4];

static void note_first(const struct block_req *req)
{
    const struct job_worker *w = req->arg;
    if (job_submitted(w) == 1)
        first_lbas[w->cpu->cpu] = req->lba;
}

static void test_each_worker_has_its_own_order(void **state)
{
    fake_start(4, 1, 512, FAKE_LBAS);
    fake.on_read = note_first;
    fake_run(&app_job, "runtime=0 bs=512 iodepth=1");
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(first_lbas[i], first_lbas[j]);
}

// ---- what it says first ----

static void test_description(void **state)
{
    fake_start(1, 1, 512, 512);
    fake_run(&app_job, "runtime=0 rw=read bs=8k iodepth=5");
    expect_line(fake.console, "job: read of 8 KiB, iodepth 5, on 1 disk, 1 CPU each, posted\n");
    assert_true(fake.trace_stopped);
    fake_stop(NULL);
    fake_start(3, 2, 512, 512);
    fake_run(&app_job, "runtime=0 numjobs=2 verify=1");
    expect_line(fake.console,
                "job: randread of 4 KiB, iodepth 32, on 2 disks, 2 CPUs each, posted, "
                "verified\n");
}

// The last disk is looked at as the first one.
static void test_each_disk_is_checked(void **state)
{
    fake_start(1, 3, 512, 512);
    fake.disks[2].dev.block_size = 4096;
    fake_run(&app_job, "bs=512 runtime=0");
    assert_int_equal(fake.submitted, 0);
    expect_line(fake.error_message, "bs=512: nvme2n1 has blocks of 4096 bytes;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_lies_with_the_cpu, fake_stop),
        cmocka_unit_test(test_what_is_let_through_fits),
        cmocka_unit_test_teardown(test_channels_are_used_alike, fake_stop),
        cmocka_unit_test_teardown(test_channels_beside_urgent_reads, fake_stop),
        cmocka_unit_test_teardown(test_shares_are_kept, fake_stop),
        cmocka_unit_test_teardown(test_random_reads_reach_all, fake_stop),
        cmocka_unit_test_teardown(test_stamps_of_namespaces, fake_stop),
        cmocka_unit_test_teardown(test_runtime_is_exact, fake_stop),
        cmocka_unit_test_teardown(test_each_worker_has_its_own_order, fake_stop),
        cmocka_unit_test_teardown(test_description, fake_stop),
        cmocka_unit_test_teardown(test_each_disk_is_checked, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
