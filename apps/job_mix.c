// SPDX-License-Identifier: BSD-2-Clause
// One routine, pump(), begins all I/Os: whatever ends, it starts as many as may go now.
#include "apps/job_mix.h"

#include "apps/arena.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/muldiv.h"
#include "lib/random.h"
#include "lib/string.h"

static bool is_checked(const struct job_config *config)
{
    return config->verify && job_writes(config);
}

bool job_is_mixed(const struct job_config *config)
{
    return config->is_mixed || config->fsync || config->rate_iops || is_checked(config);
}

// ---- what an I/O is: owner CPU ----

static uint64_t next_place(struct job_worker *w)
{
    if (w->is_random)
        return random_below(&w->random, w->region);
    uint64_t place = w->next;
    w->next = place + 1 == w->end ? w->first : place + 1;
    return place;
}

// False: an I/O to that place is in flight.
static bool choose_write(struct job_mix *m, struct job_mix_io *io)
{
    io->way = JOB_WRITE;
    if (!m->written) {
        io->place = next_place(m->worker);
        return true;
    }
    io->number = m->written->begun;
    return written_begin_write(m->written, &io->place, &io->sequence);
}

static bool choose_read(struct job_mix *m, struct job_mix_io *io)
{
    struct job_worker *w = m->worker;
    io->way = JOB_READ;
    if (!m->written) {
        io->place = next_place(w);
        return true;
    }
    uint64_t from = w->is_random ? w->first + random_below(&w->random, w->end - w->first) : w->next;
    if (!written_begin_read(m->written, from, &io->place))
        return false;
    w->next = io->place + 1 == w->end ? w->first : io->place + 1;
    io->sequence = written_expected(m->written, io->place);
    return true;
}

// All writes before the first one that is still in flight.
static uint64_t completed_writes(const struct job_mix *m)
{
    uint64_t first = m->written ? m->written->begun : 0;
    for (unsigned i = 0; i < m->worker->iodepth; i++)
        if (m->ios[i].in_flight && m->ios[i].way == JOB_WRITE)
            first = MIN(first, m->ios[i].number);
    return first;
}

static bool choose_way(struct job_mix *m, struct job_mix_io *io)
{
    const struct job_config *config = m->config;
    if (config->fsync && m->unsynced >= config->fsync) {
        io->way = JOB_SYNC;
        io->number = completed_writes(m);
        return true;
    }
    if (job_next_is_read(config, m->reads, m->others))
        return choose_read(m, io);
    if (!config->trims)
        return choose_write(m, io);
    io->way = JOB_TRIM;
    io->place = next_place(m->worker);
    return true;
}

// ---- begin and end ----

static uint8_t choose_channel(struct job_worker *w, const struct job_mix_io *io)
{
    if (w->urgent_percent && io->way == JOB_READ &&
        random_below(&w->random, 100) < w->urgent_percent)
        return BLOCK_URGENT;
    return io->channel;
}

// What was prepared for the same before stays so.
static struct block_req *prepare(struct job_mix_io *io, enum block_op op, uint8_t channel,
                                 uint32_t blocks)
{
    struct block_req *req = &io->reqs[op != BLOCK_READ];
    if (likely(req->op == op && req->channel == channel && req->port))
        return req;
    req->op = op;
    req->channel = channel;
    req->blocks = blocks;
    req->fua = op == BLOCK_WRITE && io->mix->config->writefua;
    block_prepare(req);
    return req;
}

static void submit(struct job_mix *m, struct job_mix_io *io, uint64_t now)
{
    static const enum block_op ops[] = {
        [JOB_READ] = BLOCK_READ,  [JOB_WRITE] = BLOCK_WRITE,    [JOB_TRIM] = BLOCK_DEALLOCATE,
        [JOB_SYNC] = BLOCK_FLUSH, [JOB_READ_BACK] = BLOCK_READ,
    };
    struct job_worker *w = m->worker;
    bool sync = io->way == JOB_SYNC;
    struct block_req *req =
        prepare(io, ops[io->way], choose_channel(w, io), sync ? 0 : (uint32_t)w->io_blocks);
    req->lba = sync ? 0 : io->place * w->io_blocks;
    if (io->way == JOB_WRITE && m->written) {
        job_fill(w, req, m->seed, io->sequence);
        now = rdtsc();
    }
    io->in_flight = true;
    m->in_flight++;
    io->start_tsc = now;
    if (w->slat)
        io->start_tsc = job_submit_timed(w, req);
    else
        block_resubmit(req);
}

static void count_begun(struct job_mix *m, const struct job_mix_io *io)
{
    if (io->way == JOB_SYNC) {
        m->unsynced = 0;
        return;
    }
    *(io->way == JOB_READ ? &m->reads : &m->others) += 1;
    m->unsynced += io->way == JOB_WRITE;
    if (!--m->worker->left)
        m->worker->end_tsc = 0;
}

// The timer's time is the boot's, the pace's the TSC's.
static void wait_until(struct job_mix *m, uint64_t due_tsc, uint64_t now)
{
    uint64_t until = MIN(due_tsc, m->worker->end_tsc);
    if (!m->timer.armed)
        cpu_timer_start(&m->timer, time_ns() + mul_div(until - now, NS_PER_S, time_tsc_hz()) + 1);
}

static bool choose_next(struct job_mix *m, struct job_mix_io *io, uint64_t now)
{
    if (m->paced && now < pace_due(&m->pace)) {
        wait_until(m, pace_due(&m->pace), now);
        return false;
    }
    if (!choose_way(m, io))
        return false;
    if (m->paced && io->way != JOB_SYNC)
        pace_take(&m->pace, now);
    count_begun(m, io);
    return true;
}

// Each place that was written, once: the first pass's writes have them all.
static bool choose_read_back(struct job_mix *m, struct job_mix_io *io, uint64_t now)
{
    io->way = JOB_READ_BACK;
    do {
        if (m->read_back == MIN(m->written->begun, m->written->places)) {
            m->worker->end_tsc = 0;
            return false;
        }
        io->place = written_place(m->written, m->read_back++);
        io->sequence = written_expected(m->written, io->place);
    } while (!io->sequence);
    return true;
}

// Begins what may begin now; ends the worker where nothing will any more.
static void pump(struct job_mix *m, uint64_t now)
{
    struct job_worker *w = m->worker;
    while (m->idle && now < w->end_tsc && m->choose(m, m->idle, now)) {
        struct job_mix_io *io = m->idle;
        m->idle = io->next;
        submit(m, io, now);
    }
    if (m->in_flight || now < w->end_tsc)
        return;
    cpu_timer_stop(&m->timer);
    job_end_worker(w, now);
}

static void timer_fired(struct cpu_timer *timer)
{
    pump(container_of(timer, struct job_mix, timer), rdtsc());
}

// After its end the place is free for others, and its buffer for the next I/O.
static void settle(struct job_mix *m, const struct job_mix_io *io, bool ok)
{
    if (io->way == JOB_SYNC && ok)
        __atomic_store_n(&m->durable, MAX(m->durable, io->number), __ATOMIC_RELAXED);
    if (io->way == JOB_WRITE && m->written)
        written_end_write(m->written, io->place, ok);
    if (io->way == JOB_READ && m->written)
        written_end_read(m->written, io->place);
}

static void check(const struct job_mix *m, const struct job_mix_io *io, const struct block_req *req)
{
    if (!m->written)
        job_check_read(m->worker, req);
    else if (io->sequence)
        job_check_written(m->worker, req, m->seed, io->sequence);
}

static void record(struct job_mix *m, const struct job_mix_io *io, uint8_t channel,
                   uint64_t latency)
{
    histogram_record(&m->counts[io->way].latency, latency);
    if (unlikely(channel == BLOCK_URGENT))
        histogram_record(m->worker->urgent, latency);
}

static void io_done(struct block_req *req)
{
    struct job_mix_io *io = req->arg;
    struct job_mix *m = io->mix;
    struct job_worker *w = m->worker;
    uint64_t now = rdtsc();
    bool ok = req->status == BLOCK_OK;
    io->in_flight = false;
    m->in_flight--;
    m->counts[io->way].ios++;
    m->counts[io->way].errors += !ok;
    w->completed += io->way <= JOB_TRIM;
    if (likely(ok))
        record(m, io, req->channel, now - io->start_tsc);
    else
        job_note_failure(w, req);
    if (w->verify && ok && req->op == BLOCK_READ) {
        check(m, io, req);
        now = rdtsc();
    }
    settle(m, io, ok);
    io->next = m->idle;
    m->idle = io;
    pump(m, now);
}

void job_mix_start(struct job_worker *w)
{
    struct job_mix *m = w->mix;
    if (m->paced)
        pace_start(&m->pace, w->rate, w->iodepth, time_tsc_hz(), w->began_tsc);
    if (!w->left)
        w->end_tsc = 0;
    pump(m, w->began_tsc);
}

void job_mix_read_back(struct job_worker *w)
{
    struct job_mix *m = w->mix;
    m->choose = choose_read_back;
    w->end_tsc = m->written && !w->given_up ? UINT64_MAX : 0;
    pump(m, rdtsc());
}

void job_mix_measure(struct job_worker *w)
{
    memset(w->mix->counts, 0, sizeof(w->mix->counts));
}

// ---- set-up ----

uint64_t job_mix_bytes(const struct job_config *config, const struct block_dev *dev)
{
    uint64_t bytes = sizeof(struct job_mix) + config->iodepth * sizeof(struct job_mix_io);
    if (is_checked(config))
        bytes += sizeof(struct written) +
                 written_bytes(DIV_UP(job_region(config, dev), config->numjobs));
    return bytes;
}

static void make_ios(struct job_mix *m, struct arena *arena, unsigned node)
{
    struct job_worker *w = m->worker;
    size_t bs = m->config->bs;
    uint8_t *buffers =
        arena_alloc_dma(arena, w->iodepth * bs, PAGE_BYTES, block_buffer_node(w->dev, w->cpu->cpu));
    m->ios = arena_alloc(arena, w->iodepth * sizeof(*m->ios), CACHE_LINE, node);
    for (unsigned i = w->iodepth; i-- > 0;) {
        struct job_mix_io *io = &m->ios[i];
        io->mix = m;
        io->channel = (uint8_t)(i % w->dev->channels);
        io->reqs[0] = io->reqs[1] = (struct block_req){
            .dev = w->dev,
            .buffer = buffers + i * bs,
            .lba = (w->first + i) * w->io_blocks, // other data in each buffer
            .blocks = (uint32_t)w->io_blocks,
            .done = io_done,
            .arg = io,
        };
        job_fill(w, &io->reqs[0], m->seed, 1);
        io->next = m->idle;
        m->idle = io;
    }
}

static void make_written(struct job_mix *m, struct arena *arena, unsigned node)
{
    struct job_worker *w = m->worker;
    uint64_t places = w->end - w->first;
    if (!places) { // nothing of the region is this worker's alone
        w->quota = w->left = 0;
        return;
    }
    m->written = arena_alloc(arena, sizeof(*m->written), CACHE_LINE, node);
    written_init(m->written, w->first, places, w->is_random, m->seed,
                 arena_alloc(arena, written_bytes(places), CACHE_LINE, node));
}

void job_mix_make(struct job_worker *w, const struct job *job)
{
    const struct job_config *config = &job->config;
    unsigned node = cpu_node(w->cpu->cpu);
    struct job_mix *m = arena_alloc(job->arena, sizeof(*m), CACHE_LINE, node);
    w->mix = m;
    m->worker = w;
    m->config = config;
    m->seed = job->data_seed;
    m->paced = config->rate_iops;
    m->timer.fn = timer_fired;
    m->choose = choose_next;
    if (is_checked(config))
        make_written(m, job->arena, node);
    make_ios(m, job->arena, node);
}
