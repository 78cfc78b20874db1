// SPDX-License-Identifier: BSD-2-Clause
// app=hello: each CPU reads 4 KiB of the first disk at a fixed rate, and says how long a read took.
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"

struct reader {
    struct cpu_msg msg;
    struct cpu_timer timer;
    struct block_req req;
    uint64_t sent_ns, total_ns, done, wanted, period_ns;
};
static unsigned running; // the boot CPU's, like all_done
static bool all_done;

static void finished(struct cpu_msg *msg) // on the boot CPU
{
    struct reader *r = container_of(msg, struct reader, msg);
    info("CPU %u: %lu reads, %lu ns each", r->timer.cpu, r->done, r->total_ns / r->done);
    all_done = --running == 0;
}

static void arrived(struct block_req *req)
{
    struct reader *r = container_of(req, struct reader, req);
    r->total_ns += time_ns() - r->sent_ns;
    if (req->status != BLOCK_OK)
        error("hello-io", "%s: LBA %lu can't be read", req->dev->name, req->lba);
    r->msg.fn = finished;
    if (++r->done == r->wanted)
        cpu_post(0, &r->msg);
    else
        cpu_timer_start(&r->timer, r->timer.due_ns + r->period_ns);
}

static void send(struct cpu_timer *timer)
{
    struct reader *r = container_of(timer, struct reader, timer);
    r->sent_ns = time_ns();
    r->req.lba = r->done * r->req.blocks % (r->req.dev->blocks - r->req.blocks + 1);
    block_submit(&r->req);
}

static void begin(struct cpu_msg *msg) // on each CPU
{
    cpu_timer_start(&container_of(msg, struct reader, msg)->timer, time_ns());
}

static void run(const struct cmdline *c)
{
    struct block_dev *dev = block_first();
    uint64_t rate = cmdline_number(c, "rate");
    if (!dev) {
        error("hello-no-disk", "app=hello reads from the first disk, and there is none");
        return;
    }
    uint32_t blocks = MAX(4096 / dev->block_size, 1u);
    running = cpu_count();
    all_done = false; // the monitor may run it again
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct reader *r = mem_alloc(sizeof(*r), CACHE_LINE, cpu_node(cpu));
        void *buffer = mem_alloc_dma(blocks * dev->block_size, PAGE_BYTES, cpu_node(cpu));
        r->wanted = rate;
        r->period_ns = NS_PER_S / rate;
        r->timer.fn = send;
        r->req = (struct block_req){
            .dev = dev, .op = BLOCK_READ, .blocks = blocks, .buffer = buffer, .done = arrived
        };
        r->msg.fn = begin;
        cpu_post(cpu, &r->msg);
    }
    cpu_run_until(&all_done);
}

static const struct option options[] = {
    { .name = "rate",
      .kind = OPTION_NUMBER,
      .fallback = "100",
      .min = 1,
      .max = 1000000,
      .help = "reads in a second on each CPU, and reads in all" },
    { .name = NULL },
};

APP(app_hello) = { "hello", "reads at a fixed rate on each CPU", options, run };
