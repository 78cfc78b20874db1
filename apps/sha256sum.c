// SPDX-License-Identifier: BSD-2-Clause
// app=sha256sum: the SHA-256 of whole disks, as coreutils' sha256sum prints it. Also the example
// of a small app: asynchronous reads, a timer, the loop, and nothing else.
#include "apps/disks.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/sha256.h"

#define AHEAD 8 // reads in flight
#define CHUNK_BYTES (128 * KIB)

struct digest {
    struct block_dev *dev;
    struct sha256 sha;
    struct block_req reqs[AHEAD]; // a ring: used in the order of the disk's blocks
    bool read[AHEAD];             // done, and waits for its turn to be hashed
    unsigned turn, in_flight;
    uint64_t next_lba;
    bool failed, stop;
    struct cpu_timer timer;
};

static void submit(struct digest *d, struct block_req *req)
{
    uint64_t left = d->dev->blocks - d->next_lba;
    if (!left)
        return;
    req->lba = d->next_lba;
    req->blocks = (uint32_t)MIN(left, CHUNK_BYTES / d->dev->block_size);
    d->next_lba += req->blocks;
    d->in_flight++;
    block_submit(req);
}

static void done(struct block_req *req)
{
    struct digest *d = req->arg;
    d->in_flight--;
    d->read[req - d->reqs] = true;
    if (req->status != BLOCK_OK && !d->failed) {
        d->failed = true;
        error("sha256sum-read", "%s: reading %u blocks at LBA %lu failed (status 0x%x); no digest",
              d->dev->name, req->blocks, req->lba, req->detail);
    }
    while (d->read[d->turn] && !d->failed) {
        req = &d->reqs[d->turn];
        d->read[d->turn] = false;
        d->turn = (d->turn + 1) % AHEAD;
        sha256_update(&d->sha, req->buffer, (size_t)req->blocks * d->dev->block_size);
        submit(d, req);
    }
    d->stop = d->in_flight == 0;
}

static void progress(struct cpu_timer *timer)
{
    struct digest *d = container_of(timer, struct digest, timer);
    info("sha256sum: %s: %lu of %lu MB", d->dev->name, d->sha.bytes / 1000000,
         d->dev->blocks * d->dev->block_size / 1000000);
    cpu_timer_start(timer, timer->due_ns + NS_PER_S);
}

static void print(struct digest *d)
{
    uint8_t bytes[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1], buffer[256];
    struct json j;
    sha256_final(&d->sha, bytes);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        format_text(hex + 2 * i, 3, "%02x", bytes[i]);
    info("%s  %s", hex, d->dev->name);
    json_begin(&j, buffer, sizeof(buffer), "digest");
    json_text(&j, "filename", d->dev->name);
    json_text(&j, "sha256", hex);
    json_u64(&j, "size", d->dev->blocks * d->dev->block_size);
    report_json(&j);
}

static void digest_disk(struct block_dev *dev)
{
    struct digest d = { .dev = dev, .timer = { .fn = progress } };
    // Not shared between disks: one that timed out may still write into its own.
    uint8_t *buffers = mem_alloc_dma(AHEAD * CHUNK_BYTES, PAGE_BYTES, block_buffer_node(dev, 0));
    sha256_init(&d.sha);
    for (unsigned i = 0; i < AHEAD; i++)
        d.reqs[i] = (struct block_req){
            .dev = dev, .buffer = buffers + i * CHUNK_BYTES, .done = done, .arg = &d
        };
    cpu_timer_start(&d.timer, time_ns() + NS_PER_S);
    for (unsigned i = 0; i < AHEAD; i++)
        submit(&d, &d.reqs[i]);
    d.stop = d.in_flight == 0;
    cpu_run_until(&d.stop);
    cpu_timer_stop(&d.timer);
    if (!d.failed)
        print(&d);
}

static void run(const struct cmdline *c)
{
    struct disks disks;
    struct problem p;
    if (!disks_select(c, &disks, &p))
        error_problem(&p);
    for (size_t i = 0; i < disks.count; i++)
        digest_disk(disks.list[i]);
}

static const struct option options[] = { DISKS_OPTION, { .name = NULL } };

APP(app_sha256sum) = {
    .name = "sha256sum",
    .help = "SHA-256 of whole disks",
    .options = options,
    .run = run,
};
