// SPDX-License-Identifier: BSD-2-Clause
// app=burst on a fake machine: what it counts as posted and handled, whom the timer waits for, and
// what it makes of reads that went wrong.
#include "kernel/irq/posted.h"
#include "kernel/run/loop.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/vectors.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define CHANNELS 16
#define LOST 3 // index of the read that goes wrong

static struct {
    struct pi_desc pi;
    struct irq_config config;
    unsigned posts, handled; // how many of the reads are; more than there are: all
    bool bad_read, damaged;
    unsigned immediate[FAKE_CPUS]; // irqs made so, by CPU
    unsigned order[CHANNELS];      // channels of the reads as they were submitted
} hooks;

bool report_failed(void)
{
    return fake.errors;
}

const struct irq_config *irq_get_config(void)
{
    return &hooks.config;
}

struct pi_desc *irq_pi_desc(unsigned cpu)
{
    assert_int_equal(cpu, 0);
    return &hooks.pi;
}

void irq_set_immediate(struct irq *irq)
{
    hooks.immediate[irq->cpu]++;
    assert_int_equal(fake.submitted, 0);
}

// Where handlers may be interrupted the timer is taken at once, else once all have run.
bool apic_is_requested(uint8_t vector)
{
    assert_int_equal(vector, VECTOR_TIMER);
    if (!fake.timers)
        return false;
    fake.stats[0].timers += hooks.config.preempt;
    return !hooks.config.preempt;
}

// The disk is done with all of them at once; their interrupts are off.
void loop_flush(void)
{
    assert_true(fake.interrupts_are_off);
    for (size_t i = 0; i < fake.in_flight_count; i++) {
        hooks.order[i] = fake.in_flight[i]->channel;
        if (i < hooks.posts)
            hooks.pi.pir[i % PI_WORDS] |= BIT64(32 + i);
    }
}

static void complete(struct block_req *req, unsigned i)
{
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    bool bad = i == LOST && hooks.bad_read;
    disk->damaged_lba = i == LOST && hooks.damaged ? req->lba : NO_LBA;
    fake_fill(disk, req);
    req->status = bad ? BLOCK_ERROR : BLOCK_OK;
    req->detail = bad ? 0x281 : 0;
    req->done(req);
}

static void notification(void)
{
    size_t count = fake.in_flight_count;
    fake.on_interrupts = NULL;
    fake.in_flight_count = 0;
    fake.stats[0].notifications++;
    for (size_t i = 0; i < MIN(count, hooks.handled); i++)
        complete(fake.in_flight[i], (unsigned)i);
}

static void start(bool preempt)
{
    memset(&hooks, 0, sizeof(hooks));
    fake_start(3, 1, 512, 5);
    fake.disks[0].dev.channels = CHANNELS;
    fake.stats[0].timers = fake.stats[0].notifications = 1000; // from before
    fake.on_interrupts = notification;
    hooks.config.preempt = preempt;
    hooks.posts = hooks.handled = CHANNELS;
}

static void test_timers_get_in(void **state)
{
    start(true);
    fake_run(&app_burst, "vectors=10 work=100 verify=crc32c");
    assert_int_equal(fake.errors, 0);
    assert_string_equal(fake.json,
                        "{\"type\":\"test\",\"name\":\"burst\",\"ok\":true,\"irq\":\"posted\","
                        "\"preempt\":true,\"vectors\":10,\"handled\":10,\"notifications\":1,"
                        "\"handlers_while_timer_waited\":0,\"timer_in_between\":true}\n");
    assert_string_equal(fake.console,
                        "burst: 10 vectors, 1 notification; the timer's interrupt was "
                        "held back from 0 handlers\n");
    assert_null(fake.timers);
}

// It falls due in the fifth handler of ten, and the other five run before it.
static void test_timers_wait(void **state)
{
    start(false);
    fake_run(&app_burst, "vectors=10 work=100");
    assert_int_equal(fake.errors, 0);
    expect_line(fake.json, "\"preempt\":false,\"vectors\":10,\"handled\":10,\"notifications\":1,"
                           "\"handlers_while_timer_waited\":5,\"timer_in_between\":false}\n");
    expect_line(fake.console, "held back from 5 handlers\n");
}

// One read on each channel, whose handlers run where the MSI is found, all over the disk.
static void test_what_it_reads(void **state)
{
    start(true);
    fake_run(&app_burst, "vectors=16 work=100 verify=crc32c");
    for (unsigned i = 0; i < CHANNELS; i++)
        assert_int_equal(hooks.order[i], i);
    for (unsigned lba = 0; lba < 5; lba++)
        assert_int_equal(fake.disks[0].reads[lba], lba ? 3 : 4);
    assert_int_equal(hooks.immediate[0], 1);
    assert_int_equal(hooks.immediate[1] + hooks.immediate[2], 0);
}

static void expect_failure(const char *words, const char *what, const char *message)
{
    fake_run(&app_burst, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, what);
    expect_line(fake.error_message, message);
    if (fake.submitted)
        expect_line(fake.json, "\"ok\":false");
}

static void test_reads_that_are_lost(void **state)
{
    start(true);
    hooks.posts = 9;
    expect_failure("vectors=10 work=100", "burst-lost",
                   "of 10 reads 9 were posted before their handlers, and 10 handled");
    fake_stop(NULL);
    start(true);
    hooks.handled = 8;
    expect_failure("vectors=10 work=100 verify=crc32c", "burst-lost",
                   "of 10 reads 10 were posted before their handlers, and 8 handled");
}

static void test_reads_that_go_wrong(void **state)
{
    start(true);
    hooks.bad_read = true;
    expect_failure("vectors=10 work=100", "burst-io",
                   "nvme0n1: the read by queue 4 of the CPU failed: status 1 (detail 0x281)");
    fake_stop(NULL);
    start(true);
    hooks.damaged = true;
    expect_failure("vectors=10 work=100 verify=crc32c", "verify-crc", "nvme0n1: LBA 3 has CRC-32C");
    fake_stop(NULL);
    start(true);
    hooks.damaged = true;
    fake_run(&app_burst, "vectors=10 work=100"); // nobody looks
    assert_int_equal(fake.errors, 0);
}

static void test_what_it_needs(void **state)
{
    start(true);
    fake.mode = IRQ_REMAPPED;
    expect_failure("vectors=10", "burst-mode",
                   "app=burst is about irq=posted, and this is remapped");
    fake_stop(NULL);
    start(true);
    fake.first_disk = NULL;
    expect_failure("vectors=10", "burst-no-disk", "and there is none");
    fake_stop(NULL);
    start(true);
    expect_failure("vectors=17", "burst-queues",
                   "app=burst takes 17 queues for one CPU, and nvme0n1 has 16: ");
    assert_int_equal(fake.submitted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_timers_get_in, fake_stop),
        cmocka_unit_test_teardown(test_timers_wait, fake_stop),
        cmocka_unit_test_teardown(test_what_it_reads, fake_stop),
        cmocka_unit_test_teardown(test_reads_that_are_lost, fake_stop),
        cmocka_unit_test_teardown(test_reads_that_go_wrong, fake_stop),
        cmocka_unit_test_teardown(test_what_it_needs, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
