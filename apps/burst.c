// SPDX-License-Identifier: BSD-2-Clause
// app=burst: one read on each of many queues of one CPU, whose completions pile up while its interrupts
// are off, and whose handlers take long. Shows that one notification carries them all, and that a
// timer which falls due in the middle needn't wait for all handlers (posted.preempt=1), or does (0, as
// in Linux).
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"
#include "lib/json.h"
#include "lib/stamp.h"

#define DEADLINE_NS (10 * NS_PER_S)

static const struct option options[] = {
    { .name = "vectors",
      .kind = OPTION_NUMBER,
      .fallback = "200",
      .min = 2,
      .max = 200,
      .help = "how many become pending at once; needs as many nvme.queues=" },
    { .name = "work",
      .kind = OPTION_NUMBER,
      .fallback = "10000",
      .min = 100,
      .max = 100000000,
      .help = "instructions of each handler" },
    { .name = "verify",
      .kind = OPTION_CHOICE,
      .fallback = "none",
      .choices = "none|crc32c",
      .help = "check the stamps that mkdisk wrote" },
    { .name = NULL },
};

static struct burst {
    struct block_req *reads;
    unsigned vectors, posted, handled;
    uint64_t work;
    struct cpu_timer timer;
    uint64_t timers_before;
    unsigned waited; // handlers that began while the timer's interrupt was requested and not taken
    bool timer_seen; // taken before the last handler began
} burst;

// ---- handlers ----

// Two instructions a turn.
static void spend(uint64_t instructions)
{
    uint64_t turns = instructions / 2;
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns));
}

static void ignore(struct cpu_timer *timer)
{
}

static bool timer_taken(void)
{
    return cpu_stats(0)->timers != burst.timers_before;
}

// It falls due now; the handler lasts until it shows, however slow the machine is.
static void start_timer(void)
{
    burst.timers_before = cpu_stats(0)->timers;
    cpu_timer_start(&burst.timer, time_ns());
    (void)poll_until(timer_taken() || apic_is_requested(VECTOR_TIMER), NS_PER_S);
}

static void done(struct block_req *req)
{
    burst.waited += apic_is_requested(VECTOR_TIMER);
    if (burst.handled == burst.vectors - 1)
        burst.timer_seen = timer_taken();
    if (burst.handled == (burst.vectors - 1) / 2)
        start_timer();
    spend(burst.work);
    burst.handled++;
}

// ---- the burst ----

static bool check(const struct block_dev *dev, struct problem *p)
{
    if (irq_get_mode() != IRQ_POSTED)
        return problem_set(p, "burst-mode", "app=burst is about irq=posted, and this is %s",
                           irq_mode_name(irq_get_mode()));
    if (!dev)
        return problem_set(p, "burst-no-disk",
                           "app=burst reads from the first disk, and there is none");
    if (dev->channels >= burst.vectors)
        return true;
    return problem_set(p, "burst-queues",
                       "app=burst takes %u queues for one CPU, and %s has %u: raise nvme.queues= "
                       "(QEMU: and max_ioqpairs=, msix_qsize=), or lower vectors=",
                       burst.vectors, dev->name, dev->channels);
}

static void make_reads(struct block_dev *dev)
{
    uint8_t *buffers = mem_alloc_dma((size_t)burst.vectors * dev->block_size, PAGE_BYTES,
                                     block_buffer_node(dev, 0));
    burst.reads = mem_alloc(burst.vectors * sizeof(*burst.reads), CACHE_LINE, cpu_node(0));
    for (unsigned i = 0; i < burst.vectors; i++)
        burst.reads[i] = (struct block_req){
            .dev = dev,
            .op = BLOCK_READ,
            .lba = i % dev->blocks,
            .blocks = 1,
            .channel = (uint8_t)i,
            .buffer = buffers + (size_t)i * dev->block_size,
            .done = done,
        };
}

// The reads' handlers are to run in the harvest. No read is under way yet, so no MSI is.
static void make_immediate(void)
{
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq->cpu == 0)
            irq_set_immediate(irq);
}

static unsigned count_posted(void)
{
    const struct pi_desc *d = irq_pi_desc(0);
    unsigned count = 0;
    for (unsigned w = 0; w < PI_WORDS; w++)
        for (uint64_t bits = atomic_load_explicit(&d->pir[w], memory_order_relaxed); bits;
             bits &= bits - 1)
            count++;
    return count;
}

static void run(void)
{
    interrupts_off();
    for (unsigned i = 0; i < burst.vectors; i++)
        block_submit(&burst.reads[i]);
    loop_flush();
    (void)poll_until(count_posted() == burst.vectors, DEADLINE_NS);
    burst.posted = count_posted();
    interrupts_on();
    (void)poll_until(burst.handled == burst.vectors, DEADLINE_NS); // the report tells
}

// ---- the report ----

static void check_read(const struct block_req *req, bool verify)
{
    const struct block_dev *dev = req->dev;
    struct problem p;
    if (req->status != BLOCK_OK)
        error("burst-io", "%s: the read by queue %u of the CPU failed: status %u (detail 0x%x)",
              dev->name, req->channel + 1, req->status, req->detail);
    else if (verify && !stamp_check(req->buffer, dev->block_size, stamp_tag(dev->serial, dev->nsid),
                                    req->lba, &p))
        error(p.what, "%s: LBA %lu %s", dev->name, req->lba, p.message);
}

static void check_result(bool verify)
{
    if (burst.posted != burst.vectors || burst.handled != burst.vectors)
        error("burst-lost", "of %u reads %u were posted before their handlers, and %u handled",
              burst.vectors, burst.posted, burst.handled);
    for (unsigned i = 0; burst.handled == burst.vectors && i < burst.vectors; i++)
        check_read(&burst.reads[i], verify);
}

static void report(uint64_t notifications, bool preempt)
{
    char text[256];
    struct json j;
    json_begin(&j, text, sizeof(text), "test");
    json_text(&j, "name", "burst");
    json_bool(&j, "ok", !report_failed());
    json_text(&j, "irq", irq_mode_name(irq_get_mode()));
    json_bool(&j, "preempt", preempt);
    json_u64(&j, "vectors", burst.vectors);
    json_u64(&j, "handled", burst.handled);
    json_u64(&j, "notifications", notifications);
    json_u64(&j, "handlers_while_timer_waited", burst.waited);
    json_bool(&j, "timer_in_between", burst.timer_seen);
    report_json(&j);
    info("burst: %u vectors, %lu notification%s; the timer's interrupt was held back from %u "
         "handlers",
         burst.vectors, notifications, notifications == 1 ? "" : "s", burst.waited);
}

static void burst_run(const struct cmdline *c)
{
    struct problem p;
    struct block_dev *dev = block_first();
    burst = (struct burst){
        .vectors = (unsigned)cmdline_number(c, "vectors"),
        .work = cmdline_number(c, "work"),
        .timer.fn = ignore,
    };
    if (!check(dev, &p)) {
        error_problem(&p);
        return;
    }
    make_reads(dev);
    make_immediate();
    uint64_t before = cpu_stats(0)->notifications;
    run();
    uint64_t notifications = cpu_stats(0)->notifications - before;
    check_result(cmdline_is(c, "verify", "crc32c"));
    report(notifications, irq_get_config()->preempt);
    cpu_timer_stop(&burst.timer);
}

APP(app_burst) = {
    .name = "burst",
    .help = "many vectors at once: one notification, and timers get in",
    .options = options,
    .run = burst_run,
};
