// SPDX-License-Identifier: BSD-2-Clause
// What each kind of worker does alike: how it ends, what it makes of errors and of data.
#include "apps/job.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "lib/pattern.h"
#include "lib/stamp.h"

void job_end_one(struct job_cpu *cpu)
{
    if (--cpu->running)
        return;
    cpu->msg.fn = cpu->all_ended;
    cpu_post(0, &cpu->msg);
}

void job_close_streams(struct job_worker *w)
{
    while (w->streams)
        block_close_stream(&w->ios[--w->streams].req);
}

void job_end_worker(struct job_worker *w, uint64_t now)
{
    job_close_streams(w);
    if (!w->ended_tsc) // later, what it has written is read back
        w->ended_tsc = now;
    job_end_one(w->cpu);
}

static bool is_told(struct job_worker *w)
{
    return __atomic_fetch_add(w->told, 1, __ATOMIC_RELAXED) < JOB_ERRORS_TOLD;
}

// A device that is gone ends the worker. A timed-out request's buffer is not ours any more: its
// worker ends as well.
void job_note_failure(struct job_worker *w, const struct block_req *req)
{
    static const char *const ops[] = {
        [BLOCK_READ] = "read",
        [BLOCK_WRITE] = "write",
        [BLOCK_DEALLOCATE] = "trim",
        [BLOCK_FLUSH] = "flush",
    };
    static const char *const names[] = {
        [BLOCK_ERROR] = "the device reports an error",
        [BLOCK_TIMEOUT] = "no answer in time",
        [BLOCK_GONE] = "the device is gone",
    };
    w->errors++;
    if (is_told(w))
        error("job-io", "%s: %s of LBA %lu, %u blocks: %s (status 0x%x)", w->dev->name,
              ops[req->op], req->lba, req->blocks, names[req->status], req->detail);
    if (req->status == BLOCK_ERROR)
        return;
    w->given_up = true;
    w->end_tsc = 0;
}

uint64_t job_submit_timed(struct job_worker *w, struct block_req *req)
{
    uint64_t from = rdtsc();
    block_resubmit(req);
    uint64_t after = rdtsc();
    histogram_record(w->slat, after - from);
    return after;
}

// ---- data ----

void job_fill(const struct job_worker *w, const struct block_req *req, uint64_t seed,
              uint32_t sequence)
{
    struct pattern_id id = { .tag = w->tag, .seed = seed };
    uint32_t bytes = w->dev->block_size;
    for (uint32_t i = 0; i < req->blocks; i++) {
        id.lba = req->lba + i;
        pattern_fill((uint8_t *)req->buffer + (size_t)i * bytes, bytes, &id, sequence);
    }
}

static const uint8_t *block_of(const struct block_req *req, uint32_t i)
{
    return (const uint8_t *)req->buffer + (size_t)i * req->dev->block_size;
}

static __attribute__((noinline, cold)) void bad(struct job_worker *w, uint64_t lba,
                                                const struct problem *p)
{
    w->verify_errors++;
    if (is_told(w))
        error(p->what, "%s: LBA %lu %s", w->dev->name, lba, p->message);
}

// Written by an earlier job or by the burn-in: of which write it is can't be known, nor which seed
// was in use.
static bool check_earlier(const struct job_worker *w, const void *block, uint64_t lba,
                          struct pattern_id *id, struct problem *p)
{
    id->tag = w->tag;
    id->lba = lba;
    return pattern_check(block, w->dev->block_size, id, 0, UINT32_MAX, p) == PATTERN_GOOD;
}

bool job_check_read(struct job_worker *w, const struct block_req *req)
{
    struct pattern_id id;
    struct problem p;
    uint32_t sequence;
    bool all_good = true;
    for (uint32_t i = 0; i < req->blocks; i++) {
        const uint8_t *block = block_of(req, i);
        uint64_t lba = req->lba + i;
        bool ok = pattern_identify(block, &id, &sequence)
                      ? check_earlier(w, block, lba, &id, &p)
                      : stamp_check(block, w->dev->block_size, w->tag, lba, &p);
        if (unlikely(!ok))
            bad(w, lba, &p);
        all_good &= ok;
    }
    return all_good;
}

void job_check_written(struct job_worker *w, const struct block_req *req, uint64_t seed,
                       uint32_t sequence)
{
    struct pattern_id id = { .tag = w->tag, .seed = seed };
    struct problem p;
    for (uint32_t i = 0; i < req->blocks; i++) {
        id.lba = req->lba + i;
        if (unlikely(pattern_check(block_of(req, i), w->dev->block_size, &id, sequence, sequence,
                                   &p) != PATTERN_GOOD))
            bad(w, id.lba, &p);
    }
}
