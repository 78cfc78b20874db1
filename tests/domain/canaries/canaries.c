// SPDX-License-Identifier: BSD-2-Clause
// app=canaries, for domains: looks again and again whether its memory is as it should be.
//
// With a disk, reads of it are in flight all the time, into one half of the memory in lives of an even number
// and into the other half in the others; all else is zero, as it was when the life began: data that come late, for
// a life that has ended, stand out. Without one, all of it has a pattern of this program's own.
#include "kernel/base/report.h"
#include "kernel/cpu/timer.h"
#include "kernel/domain/abi.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/random.h"

#define READS 16
#define READ_BYTES (64 * KIB)
#define LOOK_BYTES (128 * KIB) // in one turn of the loop
#define SLACK (64 * KIB)       // for the block layer

static struct {
    uint64_t *words; // all
    size_t count;
    size_t first, end, next; // those that are looked at
    uint64_t factor;         // word i is i times this
    struct block_req reqs[READS];
    uint64_t state, until_ns, looks;
    struct cpu_timer timer;
    bool over;
} canaries;

static unsigned life(void)
{
    return ((const struct domain_info *)DOMAIN_INFO)->life;
}

static bool is_whole(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (canaries.words[i] == i * canaries.factor)
            continue;
        error("canary", "life %u: 0x%llx at %p, which nobody may write to", life(),
              (unsigned long long)canaries.words[i], (void *)&canaries.words[i]);
        return false;
    }
    return true;
}

static void look(struct cpu_timer *timer)
{
    size_t end = MIN(canaries.next + LOOK_BYTES / sizeof(uint64_t), canaries.end);
    uint64_t now = time_ns();
    canaries.over = !is_whole(canaries.next, end) || now >= canaries.until_ns;
    canaries.looks += end == canaries.end;
    canaries.next = end == canaries.end ? canaries.first : end;
    if (!canaries.over)
        cpu_timer_start(timer, now + 100 * NS_PER_US);
}

// ---- reads ----

static void read(struct block_req *req)
{
    req->lba = random_below(&canaries.state, req->dev->blocks - req->blocks);
    block_submit(req);
}

static void arrived(struct block_req *req)
{
    if (req->status != BLOCK_OK)
        error("canary-read", "LBA %llu can't be read", (unsigned long long)req->lba);
    else
        read(req);
}

static void begin_reads(struct block_dev *dev)
{
    size_t half = canaries.count / 2;
    bool high = life() % 2;
    uint8_t *buffer = (uint8_t *)(canaries.words + (high ? half : 0));
    canaries.first = high ? 0 : half;
    canaries.end = high ? half : canaries.count;
    for (unsigned i = 0; i < READS; i++) {
        canaries.reqs[i] = (struct block_req){
            .dev = dev,
            .op = BLOCK_READ,
            .blocks = READ_BYTES / dev->block_size,
            .buffer = buffer + i * READ_BYTES,
            .done = arrived,
        };
        read(&canaries.reqs[i]);
    }
}

// ---- all of it ----

static void take_memory(void)
{
    size_t bytes = ALIGN_DOWN(mem_free_bytes() - SLACK, 2 * PAGE_BYTES);
    canaries.words = mem_alloc_dma(bytes, PAGE_BYTES, NODE_ANY);
    canaries.count = canaries.end = bytes / sizeof(uint64_t);
}

static void fill(void)
{
    canaries.factor = 0x9e3779b97f4a7c15ull;
    for (size_t i = 0; i < canaries.count; i++)
        canaries.words[i] = i * canaries.factor;
}

static void tell_begun(void)
{
    char buffer[160];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "test");
    json_text(&j, "name", "canaries");
    json_u64(&j, "life", life());
    json_u64(&j, "bytes", canaries.count * sizeof(uint64_t));
    report_json(&j);
}

static void run(const struct cmdline *c)
{
    uint64_t runtime_us = cmdline_number(c, "runtime");
    canaries.until_ns = runtime_us ? time_ns() + runtime_us * NS_PER_US : UINT64_MAX;
    canaries.state = life();
    canaries.timer.fn = look;
    take_memory();
    if (!is_whole(0, canaries.count)) // factor 0: zeros
        return;
    tell_begun();
    if (block_first())
        begin_reads(block_first());
    else
        fill();
    canaries.next = canaries.first;
    cpu_timer_start(&canaries.timer, time_ns());
    cpu_run_until(&canaries.over);
    info("canaries: looked %llu times", (unsigned long long)canaries.looks);
}

static const struct option options[] = {
    { .name = "runtime", .kind = OPTION_TIME, .fallback = "0", .help = "0: until it is ended" },
    { .name = NULL },
};

APP(app_canaries) = { "canaries", "looks whether its memory stays as it is", options, run };
