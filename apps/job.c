// SPDX-License-Identifier: BSD-2-Clause
// The job's run: workers, their I/O, start and end.
#include "apps/job.h"

#include "apps/health.h"
#include "apps/human.h"
#include "apps/job_mix.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trace.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/mark.h"
#include "lib/muldiv.h"
#include "lib/random.h"
#include "lib/stamp.h"
#include "lib/string.h"

#define NEVER UINT64_MAX
#define STREAM_LEAST 4 // in flight; fewer cost less one by one

// ---- one I/O: owner CPU, from its loop ----

#define INLINE static inline __attribute__((always_inline))

// What a job's words ask of each I/O: constants of each callback below, so that none is asked for
// by what another job needs.
struct io_kind {
    bool random;
    bool special; // verified, or some of them urgent
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
    block_resubmit(&io->req);
}

static void io_special(struct job_worker *w, const struct block_req *req, uint64_t latency)
{
    if (req->channel == BLOCK_URGENT)
        histogram_record(w->urgent, latency);
    if (w->verify)
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
    struct io_kind kind = { w->is_random, w->urgent_percent, false };
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
    const struct job_worker *w = req->arg;
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

// Where the words allow it: no time of their own, and nothing but the time to look at. The first
// reads use each of the queues once.
static void open_streams(struct job_worker *w, const struct job_config *config)
{
    if (!config->batch || config->verify || config->urgent || w->iodepth < STREAM_LEAST)
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
    if (config->verify || config->urgent)
        return special_done;
    if (config->batch)
        return config->random ? random_batch_done : sequential_batch_done;
    return config->random ? random_done : sequential_done;
}

// ---- start and end: each CPU reads its own counters ----

// All of one moment: no interrupt counts in between.
static void count(const struct job *job, unsigned cpu, struct job_counters *out)
{
    size_t i = 0;
    interrupts_off();
    out->stats = *cpu_stats(cpu);
    for (struct irq *irq = irq_first(); irq && i < job->irqs_count; irq = irq->next)
        out->irqs[i++] = irq->counts[cpu];
    out->tsc = rdtsc();
    interrupts_on();
}

static void start_reads(struct job_worker *w)
{
    struct io_kind kind = { w->is_random, w->urgent_percent, false };
    open_streams(w, &w->cpu->job->config);
    for (unsigned i = 0; i < w->iodepth && w->left; i++) {
        block_prepare(&w->ios[i].req);
        submit(w, &w->ios[i], w->began_tsc, kind);
    }
    if (!job_submitted(w))
        job_end_worker(w, w->began_tsc);
}

static uint64_t tsc_of(uint64_t us)
{
    return mul_div(us, time_tsc_hz(), 1000000);
}

static void start_worker(struct job_worker *w, const struct job_config *config)
{
    w->began_tsc = rdtsc();
    w->end_tsc =
        config->runtime_us ? w->began_tsc + tsc_of(config->ramp_us + config->runtime_us) : NEVER;
    (w->mix ? job_mix_start : start_reads)(w);
}

// ramp_time= is over: what follows is measured.
static void measure(struct cpu_timer *timer)
{
    struct job_cpu *cpu = container_of(timer, struct job_cpu, ramp);
    count(cpu->job, cpu->cpu, &cpu->before);
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu) {
        w->began_tsc = rdtsc();
        w->ramped = w->completed;
        memset(&w->latency, 0, sizeof(w->latency));
        if (w->urgent)
            memset(w->urgent, 0, sizeof(*w->urgent));
        if (w->mix)
            job_mix_measure(w);
    }
}

static void begin(struct cpu_msg *msg)
{
    struct job_cpu *cpu = container_of(msg, struct job_cpu, msg);
    const struct job_config *config = &cpu->job->config;
    count(cpu->job, cpu->cpu, &cpu->before);
    cpu->ramp.fn = measure;
    if (config->ramp_us)
        cpu_timer_start(&cpu->ramp, time_ns() + config->ramp_us * NS_PER_US);
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu)
        start_worker(w, config);
    job_end_one(cpu);
}

static void counted(struct cpu_msg *msg) // boot CPU
{
    struct job *job = container_of(msg, struct job_cpu, msg)->job;
    job->stop = --job->waiting == 0;
}

static void finish(struct cpu_msg *msg)
{
    struct job_cpu *cpu = container_of(msg, struct job_cpu, msg);
    cpu_timer_stop(&cpu->ramp);
    count(cpu->job, cpu->cpu, &cpu->after);
    msg->fn = counted;
    cpu_post(0, msg);
}

static void all_ended(struct cpu_msg *msg) // boot CPU: the workers of one CPU
{
    struct job *job = container_of(msg, struct job_cpu, msg)->job;
    if (--job->waiting)
        return;
    if (job->reads_back) {
        job->stop = true;
        return;
    }
    job->waiting = job->cpus_count;
    for (unsigned i = 0; i < job->cpus_count; i++) {
        job->cpus[i].msg.fn = finish;
        cpu_post(i, &job->cpus[i].msg);
    }
}

static void progress(struct cpu_timer *timer)
{
    struct job *job = container_of(timer, struct job, progress);
    MARK_BEGIN("progress");
    job_show_progress(job);
    health_sample(job->health);
    MARK_END("progress");
    cpu_timer_start(timer, timer->due_ns + NS_PER_S);
}

// Until each CPU has begun, and all its workers have ended.
static void run(struct job *job, void (*begin_on_cpu)(struct cpu_msg *msg))
{
    job->stop = false;
    job->waiting = job->cpus_count;
    job->began_ns = job->shown_ns = time_ns();
    job->progress.fn = progress;
    cpu_timer_start(&job->progress, job->began_ns + NS_PER_S);
    for (unsigned i = 0; i < job->cpus_count; i++) {
        job->cpus[i].msg.fn = begin_on_cpu;
        cpu_post(i, &job->cpus[i].msg);
    }
    cpu_run_until(&job->stop);
    cpu_timer_stop(&job->progress);
}

static void begin_read_back(struct cpu_msg *msg)
{
    struct job_cpu *cpu = container_of(msg, struct job_cpu, msg);
    cpu->running = 1;
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu)
        cpu->running++;
    for (struct job_worker *w = cpu->workers; w; w = w->next_on_cpu)
        job_mix_read_back(w);
    job_end_one(cpu);
}

// All that the job has written: not measured, but checked.
static void read_back(struct job *job)
{
    if (!job->config.verify || !job_writes(&job->config))
        return;
    info("job: reads back what it has written");
    job->reads_back = true;
    run(job, begin_read_back);
}

// ---- set-up ----

static void make_cpus(struct job *job)
{
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        job->irqs_count++;
    job->cpus_count = cpu_count();
    job->cpus = mem_alloc(job->cpus_count * sizeof(*job->cpus), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < job->cpus_count; i++) {
        struct job_cpu *cpu = &job->cpus[i];
        *cpu = (struct job_cpu){ .job = job, .cpu = i, .running = 1, .all_ended = all_ended };
        cpu->before.irqs =
            mem_alloc(job->irqs_count * sizeof(uint64_t) + 1, CACHE_LINE, cpu_node(i));
        cpu->after.irqs =
            mem_alloc(job->irqs_count * sizeof(uint64_t) + 1, CACHE_LINE, cpu_node(i));
    }
}

static void make_ios(struct job_worker *w, const struct job_config *config, unsigned node,
                     uint64_t seed)
{
    w->ios = mem_alloc(config->iodepth * sizeof(*w->ios), CACHE_LINE, node);
    uint8_t *buffers = mem_alloc((size_t)config->iodepth * config->bs, PAGE_BYTES,
                                 block_buffer_node(w->dev, w->cpu->cpu));
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
            job_fill(w, &w->ios[i].req, seed, 1);
    }
}

static void make_worker(struct job *job, size_t disk, unsigned index, unsigned *told)
{
    const struct job_config *config = &job->config;
    struct job_cpu *cpu = &job->cpus[job_cpu_of(config, disk, index, job->cpus_count)];
    struct job_worker *w = mem_alloc(sizeof(*w), CACHE_LINE, cpu_node(cpu->cpu));
    struct block_dev *dev = job->disks.list[disk];
    job->workers[disk * config->numjobs + index] = w;
    w->dev = dev;
    w->told = told;
    w->cpu = cpu;
    w->is_random = config->random;
    w->verify = config->verify;
    w->urgent_percent = (uint8_t)config->urgent;
    if (config->urgent)
        w->urgent = mem_alloc(sizeof(*w->urgent), CACHE_LINE, cpu_node(cpu->cpu));
    w->iodepth = config->iodepth;
    w->io_blocks = config->bs / dev->block_size;
    w->region = job_region(config, dev);
    job_share(w->region, index, config->numjobs, &w->first, &w->end);
    w->next = w->first;
    w->quota =
        config->runtime_us && (config->random || w->first < w->end) ? NEVER : w->end - w->first;
    w->left = w->quota;
    w->tag = stamp_tag(dev->serial, dev->nsid);
    w->random = w->tag + index + config->seed; // the same in each run, another for each worker
    if (job_is_mixed(config))
        job_mix_make(w, config, job->data_seed);
    else
        make_ios(w, config, cpu_node(cpu->cpu), job->data_seed);
    w->next_on_cpu = cpu->workers;
    cpu->workers = w;
    cpu->running++;
}

// What the workers need, against what is there: mem_alloc() would end the run without advice.
static bool check_memory(const struct job *job, struct problem *p)
{
    const struct job_config *config = &job->config;
    uint64_t io_bytes = sizeof(struct job_io) + config->bs;
    uint64_t worker_bytes = sizeof(struct job_worker) + config->iodepth * io_bytes + 4 * PAGE_BYTES;
    if (config->urgent)
        worker_bytes += sizeof(struct histogram);
    uint64_t bytes = job->workers_count * worker_bytes;
    for (size_t i = 0; i < job->disks.count && job_is_mixed(config); i++)
        bytes += config->numjobs * job_mix_bytes(config, job->disks.list[i]);
    if (bytes <= mem_free_bytes())
        return true;
    return problem_set(
        p, "job-memory",
        "%lu workers with iodepth=%u and bs=%u need %llu MiB, and %llu MiB are free; lower one "
        "of these, numjobs=, or the number of disks%s",
        job->workers_count, config->iodepth, config->bs, DIV_UP(bytes, MIB), mem_free_bytes() / MIB,
        config->verify && job_writes(config) ? "; or size=, with what is kept of each place" : "");
}

static bool prepare(struct job *job, const struct cmdline *c, struct problem *p)
{
    if (!job_configure(c, cpu_count(), &job->config, p) || !disks_select(c, &job->disks, p))
        return false;
    for (size_t i = 0; i < job->disks.count; i++)
        if (!job_check_disk(&job->config, job->disks.list[i], p))
            return false;
    job->workers_count = job->disks.count * job->config.numjobs;
    if (!check_memory(job, p))
        return false;
    make_cpus(job);
    job->data_seed = job->config.seed ? job->config.seed : rdtsc();
    job->workers = mem_alloc(job->workers_count * sizeof(*job->workers), CACHE_LINE, NODE_ANY);
    for (size_t disk = 0; disk < job->disks.count; disk++) {
        unsigned *told = mem_alloc(sizeof(*told), CACHE_LINE, NODE_ANY);
        for (unsigned index = 0; index < job->config.numjobs; index++)
            make_worker(job, disk, index, told);
    }
    return true;
}

static void job_run(const struct cmdline *c)
{
    struct job job = { 0 };
    struct problem p;
    if (!prepare(&job, c, &p)) {
        error_problem(&p);
        return;
    }
    job_describe(&job);
    job.health = health_begin(&job.disks);
    run(&job, begin);
    trace_stop(); // what follows is no work
    read_back(&job);
    job_report(&job);
}

APP(app_job) = {
    .name = "job",
    .help = "reads and writes disks as fio does, and measures",
    .options = job_options,
    .run = job_run,
};
