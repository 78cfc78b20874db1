// SPDX-License-Identifier: BSD-2-Clause
// Workers whose I/Os are all alike: the shortest path, one by one or by streams.
#include "apps/arena.h"
#include "apps/job.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "lib/random.h"

#define STREAM_LEAST 4 // in flight; fewer cost less one by one

// ---- one I/O: owner CPU, from its loop ----

#define INLINE static inline __attribute__((always_inline))

// What a job's words ask of each I/O: constants of each callback below, so that none is asked for
// by what another job needs.
struct io_kind {
    bool random;
    bool special; // verified, some of them urgent, or submissions timed
    bool batch;   // times are those of the batch that the completion came in
};

INLINE uint64_t next_read(struct job_worker *w, bool random)
{
    if (random)
        return random_below(&w->random, w->region);
    uint64_t read = w->next;
    w->next = read + 1 == w->end ? w->first : read + 1;
    return read;
}

static void choose_queue(struct job_worker *w, struct job_io *io)
{
    io->req.channel =
        random_below(&w->random, 100) < w->urgent_percent ? BLOCK_URGENT : io->channel;
    block_prepare(&io->req);
}

INLINE void submit(struct job_worker *w, struct job_io *io, uint64_t now, struct io_kind kind)
{
    io->start_tsc = now;
    if (unlikely(!--w->left))
        w->end_tsc = 0;
    if (kind.special && w->urgent_percent)
        choose_queue(w, io);
    io->req.lba = next_read(w, kind.random) * w->io_blocks;
    if (kind.special && w->slat)
        io->start_tsc = job_submit_timed(w, &io->req);
    else
        block_resubmit(&io->req);
}

static void io_special(struct job_worker *w, const struct block_req *req, uint64_t latency)
{
    if (req->channel == BLOCK_URGENT)
        histogram_record(w->urgent, latency);
    if (w->verify && !w->crcs)
        job_check_read(w, req);
}

// No more of this one.
static RARE void stop_io(struct job_worker *w, uint64_t now)
{
    if (w->completed == job_submitted(w))
        job_end_worker(w, now);
}

// An error of the device is counted, and the job goes on.
static RARE void io_failed(struct job_worker *w, struct job_io *io, uint64_t now)
{
    struct io_kind kind = { w->is_random, w->urgent_percent || w->slat, false };
    job_note_failure(w, &io->req);
    if (now >= w->end_tsc)
        return stop_io(w, now);
    submit(w, io, now, kind);
}

// The end of one is the start of the next; what is rare is called last, which needs no frame.
INLINE void io_done(struct block_req *req, struct io_kind kind)
{
    struct job_io *io = container_of(req, struct job_io, req);
    struct job_worker *w = req->arg;
    uint64_t now = kind.batch ? cpu_batch_tsc() : rdtsc();
    w->completed++;
    if (unlikely(req->status != BLOCK_OK))
        return io_failed(w, io, now);
    histogram_record(&w->latency, now - io->start_tsc);
    if (kind.special) {
        io_special(w, req, now - io->start_tsc);
        now = rdtsc();
    }
    if (unlikely(now >= w->end_tsc))
        return stop_io(w, now);
    submit(w, io, now, kind);
}

static void random_done(struct block_req *req)
{
    io_done(req, (struct io_kind){ .random = true });
}

static void sequential_done(struct block_req *req)
{
    io_done(req, (struct io_kind){ 0 });
}

static void random_batch_done(struct block_req *req)
{
    io_done(req, (struct io_kind){ .random = true, .batch = true });
}

static void sequential_batch_done(struct block_req *req)
{
    io_done(req, (struct io_kind){ .batch = true });
}

static void special_done(struct block_req *req)
{
    struct job_io *io = container_of(req, struct job_io, req);
    struct job_worker *w = req->arg;
    if (w->crcs && req->status == BLOCK_OK && !io->summed)
        return job_crc_begin(w, io);
    io->summed = false;
    if (w->is_random)
        io_done(req, (struct io_kind){ .random = true, .special = true });
    else
        io_done(req, (struct io_kind){ .special = true });
}

// ---- by stream: those that ended well come together, and go on together ----

INLINE void turn_one(struct job_worker *w, struct block_turn *turn, uint64_t now, uint64_t next)
{
    struct job_io *io = container_of(turn->req, struct job_io, req);
    histogram_record(&w->latency, now - io->start_tsc);
    io->start_tsc = now;
    io->req.lba = next * w->io_blocks;
}

// Some, or all, don't go on.
static RARE bool last_turn(struct job_worker *w, struct block_turn *turns, unsigned count,
                           uint64_t now)
{
    for (unsigned i = 0; i < count; i++) {
        turn_one(w, &turns[i], now, next_read(w, w->is_random));
        if (now >= w->end_tsc)
            turns[i].req = NULL;
        else if (!--w->left)
            w->end_tsc = 0;
    }
    stop_io(w, now);
    return false;
}

INLINE bool take_turn(struct block_stream *stream, struct block_turn *turns, unsigned count,
                      bool random)
{
    struct job_worker *w = container_of(stream, struct job_worker, stream);
    uint64_t now = cpu_batch_tsc();
    w->completed += count;
    if (unlikely(now >= w->end_tsc || w->left <= count))
        return last_turn(w, turns, count, now);
    w->left -= count;
    uint64_t state = w->random; // in a register
    for (struct block_turn *turn = turns; turn != turns + count; turn++)
        turn_one(w, turn, now, random ? random_below(&state, w->region) : next_read(w, false));
    w->random = state;
    return true;
}

static bool random_turn(struct block_stream *stream, struct block_turn *turns, unsigned count)
{
    return take_turn(stream, turns, count, true);
}

static bool sequential_turn(struct block_stream *stream, struct block_turn *turns, unsigned count)
{
    return take_turn(stream, turns, count, false);
}

// What leaves the stream ends as any read does; a function of its own tells the stream's.
static void stream_done(struct block_req *req)
{
    const struct job_worker *w = req->arg;
    if (w->is_random)
        random_batch_done(req);
    else
        sequential_batch_done(req);
}

static bool is_special(const struct job_config *config)
{
    return config->verify || config->urgent || config->slat;
}

// Where the words allow it: no time of their own, and nothing but the time to look at. The first
// reads use each of the queues once.
static void open_streams(struct job_worker *w, const struct job_config *config)
{
    if (!config->batch || is_special(config) || w->iodepth < STREAM_LEAST)
        return;
    unsigned queues = MIN(w->dev->channels, w->iodepth);
    w->stream.done = stream_done;
    w->stream.turn = w->is_random ? random_turn : sequential_turn;
    while (w->streams < queues) {
        struct block_req *req = &w->ios[w->streams].req;
        block_prepare(req);
        if (!block_open_stream(req, &w->stream))
            break;
        w->streams++;
    }
    if (w->streams < queues) // another's stream would take our reads for its own
        return job_close_streams(w);
    w->streamed = true;
    for (unsigned i = 0; i < w->iodepth; i++)
        w->ios[i].req.done = stream_done;
}

static void (*choose_done(const struct job_config *config))(struct block_req *req)
{
    if (is_special(config))
        return special_done;
    if (config->batch)
        return config->random ? random_batch_done : sequential_batch_done;
    return config->random ? random_done : sequential_done;
}

// ---- start and set-up ----

void job_io_start(struct job_worker *w)
{
    struct io_kind kind = { w->is_random, w->urgent_percent || w->slat, false };
    open_streams(w, &w->cpu->job->config);
    for (unsigned i = 0; i < w->iodepth && w->left; i++) {
        block_prepare(&w->ios[i].req);
        submit(w, &w->ios[i], w->began_tsc, kind);
    }
    if (!job_submitted(w))
        job_end_worker(w, w->began_tsc);
}

void job_io_make(struct job_worker *w, const struct job *job)
{
    const struct job_config *config = &job->config;
    unsigned cpu = w->cpu->cpu;
    w->ios = arena_alloc(job->arena, config->iodepth * sizeof(*w->ios), CACHE_LINE, cpu_node(cpu));
    uint8_t *buffers = arena_alloc_dma(job->arena, (size_t)config->iodepth * config->bs, PAGE_BYTES,
                                       block_buffer_node(w->dev, cpu));
    for (unsigned i = 0; i < config->iodepth; i++) {
        w->ios[i].channel = (uint8_t)(i % w->dev->channels);
        w->ios[i].req = (struct block_req){
            .op = job_op(config),
            .fua = config->writefua,
            .channel = w->ios[i].channel,
            .lba = (w->first + i) * w->io_blocks, // other data in each buffer
            .blocks = w->io_blocks,
            .buffer = buffers + (size_t)i * config->bs,
            .done = choose_done(config),
            .arg = w,
            .dev = w->dev,
        };
        if (job_writes(config)) // nobody checks it, but a disk may compress
            job_fill(w, &w->ios[i].req, job->data_seed, 1);
    }
}
