// SPDX-License-Identifier: BSD-2-Clause
// verify=crc32c by an accelerator. The blocks of a read are summed one after the other; those of other reads go
// on meanwhile.
#include "apps/job_crc.h"

#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "lib/stamp.h"

static const uint8_t *block_at(const struct job_crc *c)
{
    return (const uint8_t *)c->io->req.buffer + (size_t)c->block * c->w->dev->block_size;
}

// What the CPU has to look at anyhow, or sums itself.
static bool check_by_cpu(const struct job_crc *c)
{
    struct block_req one = c->io->req;
    one.buffer = (void *)(uintptr_t)block_at(c);
    one.lba += c->block;
    one.blocks = 1;
    return job_check_read(c->w, &one);
}

// As the read ended before its sums: its time is its own.
static void all_summed(struct job_crc *c)
{
    c->io->summed = true;
    c->io->start_tsc += rdtsc() - c->read_tsc;
    c->io->req.done(&c->io->req);
}

static void next(struct job_crc *c)
{
    uint32_t bytes = c->w->dev->block_size;
    for (; c->block < c->io->req.blocks; c->block++) {
        const uint8_t *at = block_at(c);
        if (!stamp_has_head(at, bytes, c->w->tag, c->io->req.lba + c->block)) {
            check_by_cpu(c);
            continue;
        }
        c->req.from = at + STAMP_HEAD_BYTES;
        c->req.bytes = bytes - STAMP_HEAD_BYTES;
        c->req.seed = stamp_head_crc(at);
        copy_submit(&c->req);
        return;
    }
    all_summed(c);
}

// A wrong sum is the disk's fault only where the CPU finds the same.
static void summed(struct copy_req *req)
{
    struct job_crc *c = container_of(req, struct job_crc, req);
    if (unlikely(req->crc != stamp_crc_in(block_at(c)) && check_by_cpu(c))) {
        c->w->verify_errors++;
        error("job-crc", "%s: LBA %lu is good, and the accelerator's CRC-32C of it isn't: 0x%08x",
              c->w->dev->name, c->io->req.lba + c->block, req->crc);
    }
    c->block++;
    next(c);
}

void job_crc_init(struct job_crc *c, struct job_worker *w, struct job_io *io)
{
    *c = (struct job_crc){ .req = { .op = COPY_CRC32C, .done = summed }, .w = w, .io = io };
}

void job_crc_begin(struct job_worker *w, struct job_io *io)
{
    struct job_crc *c = &w->crcs[io - w->ios];
    c->read_tsc = rdtsc();
    c->block = 0;
    next(c);
}
