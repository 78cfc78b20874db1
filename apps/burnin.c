// SPDX-License-Identifier: BSD-2-Clause
// app=burnin: takes disks into service. Writes each of them all over, reads it back, and checks each
// block; passes= times. One CPU for each disk, whose state that CPU owns; the boot CPU starts them,
// shows how far they are, and reports.
#include "apps/burnin.h"

#include "apps/health.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/stamp.h"

#define ERRORS_TOLD 5 // for each disk; all are counted

static const struct option options[] = {
    DISKS_OPTION,
    { .name = "size",
      .kind = OPTION_SIZE,
      .fallback = "0",
      .help = "the region at the start of each disk; 0: all of it" },
    { .name = "bs",
      .kind = OPTION_SIZE,
      .fallback = "256k",
      .min = 512,
      .max = 64 * MIB,
      .help = "bytes of an I/O" },
    { .name = "iodepth",
      .kind = OPTION_NUMBER,
      .fallback = "16",
      .min = 1,
      .max = 1024,
      .help = "I/Os in flight for each disk" },
    { .name = "passes",
      .kind = OPTION_NUMBER,
      .fallback = "1",
      .min = 1,
      .max = 1000000,
      .help = "how often all is written and read back" },
    { .name = "seed",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .help = "of the data; 0: they differ in each run" },
    { .name = NULL },
};

// ---- one I/O: owner CPU, from its loop ----

static uint32_t blocks_at(const struct burnin_disk *d, uint64_t place)
{
    return (uint32_t)MIN(d->io_blocks, d->region - place * d->io_blocks);
}

static void fill(const struct burnin_disk *d, const struct burnin_io *io)
{
    struct pattern_id id = { .tag = d->tag, .seed = d->burnin->seed };
    uint32_t bytes = d->dev->block_size;
    for (uint32_t i = 0; i < io->req.blocks; i++) {
        id.lba = io->req.lba + i;
        pattern_fill((uint8_t *)io->req.buffer + (size_t)i * bytes, bytes, &id, io->sequence);
    }
}

static void submit(struct burnin_disk *d, struct burnin_io *io, enum block_op op)
{
    io->req.op = op;
    io->req.lba = op == BLOCK_FLUSH ? 0 : io->place * d->io_blocks;
    io->req.blocks = op == BLOCK_FLUSH ? 0 : blocks_at(d, io->place);
    if (op == BLOCK_WRITE)
        fill(d, io);
    d->in_flight++;
    io->start_tsc = rdtsc();
    block_submit(&io->req);
}

static bool is_told(struct burnin_disk *d)
{
    return d->told++ < ERRORS_TOLD;
}

static const char *op_name(enum block_op op)
{
    return op == BLOCK_WRITE ? "write" : op == BLOCK_READ ? "read" : "flush";
}

// An error of the device is counted. After any other end of a request its buffer isn't ours any
// more, and the disk's test is over.
static void io_failed(struct burnin_disk *d, struct burnin_way *way, const struct block_req *req)
{
    static const char *const reasons[] = {
        [BLOCK_ERROR] = "the device reports an error",
        [BLOCK_TIMEOUT] = "no answer in time",
        [BLOCK_GONE] = "the device is gone",
    };
    way->errors++;
    if (is_told(d))
        error("burnin-io", "%s: %s of LBA %lu, %u blocks: %s (status 0x%x)", d->dev->name,
              op_name(req->op), req->lba, req->blocks, reasons[req->status], req->detail);
    d->given_up |= req->status != BLOCK_ERROR;
}

static void check(struct burnin_disk *d, const struct burnin_io *io)
{
    struct pattern_id id = { .tag = d->tag, .seed = d->burnin->seed };
    uint32_t bytes = d->dev->block_size, sequence = written_expected(&d->written, io->place);
    struct problem p;
    if (!sequence) // its write has failed, and was told
        return;
    for (uint32_t i = 0; i < io->req.blocks; i++) {
        const uint8_t *block = (const uint8_t *)io->req.buffer + (size_t)i * bytes;
        id.lba = io->req.lba + i;
        enum pattern_verdict verdict = pattern_check(block, bytes, &id, sequence, sequence, &p);
        d->verdicts[verdict]++;
        if (verdict != PATTERN_GOOD && is_told(d))
            error(p.what, "%s: LBA %lu %s", d->dev->name, id.lba, p.message);
    }
}

// The next of this phase, if there is one.
static void start_next(struct burnin_disk *d, struct burnin_io *io)
{
    if (d->given_up || d->next == d->places)
        return;
    io->place = d->next++;
    // It can begin: a pass writes each place once, and nothing of the pass before is in flight.
    if (d->phase == BURNIN_WRITING)
        written_begin_write(&d->written, &io->place, &io->sequence);
    submit(d, io, d->phase == BURNIN_WRITING ? BLOCK_WRITE : BLOCK_READ);
}

static void next_phase(struct burnin_disk *d);

static void io_done(struct block_req *req)
{
    struct burnin_io *io = container_of(req, struct burnin_io, req);
    struct burnin_disk *d = req->arg;
    struct burnin_way *way = &d->ways[d->phase];
    uint64_t latency = rdtsc() - io->start_tsc;
    bool ok = req->status == BLOCK_OK;
    d->in_flight--;
    way->ios++;
    if (ok)
        histogram_record(&way->latency, latency);
    else
        io_failed(d, way, req);
    if (d->phase == BURNIN_WRITING)
        written_end_write(&d->written, io->place, ok);
    else if (ok && d->phase == BURNIN_READING)
        check(d, io);
    if (ok)
        way->bytes += (uint64_t)req->blocks * d->dev->block_size;
    __atomic_store_n(&d->done, d->done + req->blocks, __ATOMIC_RELAXED);
    start_next(d, io);
    if (!d->in_flight)
        next_phase(d);
}

// ---- phases: each begins once nothing of the one before is in flight ----

static void disk_over(struct cpu_msg *msg) // boot CPU
{
    struct burnin *b = container_of(msg, struct burnin_disk, msg)->burnin;
    b->stop = --b->waiting == 0;
}

static void begin_phase(struct burnin_disk *d, enum burnin_phase phase)
{
    d->phase = phase;
    d->phase_tsc = rdtsc();
    d->next = phase == BURNIN_FLUSHING ? d->places : 0;
    if (phase == BURNIN_FLUSHING)
        submit(d, &d->ios[0], BLOCK_FLUSH);
    for (unsigned i = 0; i < d->burnin->iodepth; i++)
        start_next(d, &d->ios[i]);
}

static void next_phase(struct burnin_disk *d)
{
    d->ways[d->phase].tsc += rdtsc() - d->phase_tsc;
    if (d->given_up || (d->phase == BURNIN_READING && d->pass == d->burnin->passes)) {
        d->msg.fn = disk_over;
        cpu_post(0, &d->msg);
    } else if (d->phase == BURNIN_READING) {
        d->pass++;
        begin_phase(d, BURNIN_WRITING);
    } else {
        begin_phase(d, d->phase + 1);
    }
}

static void begin(struct cpu_msg *msg)
{
    struct burnin_disk *d = container_of(msg, struct burnin_disk, msg);
    d->pass = 1;
    begin_phase(d, BURNIN_WRITING);
}

// ---- progress: boot CPU ----

static void progress(struct cpu_timer *timer)
{
    struct burnin *b = container_of(timer, struct burnin, progress);
    burnin_show_progress(b);
    health_sample(b->health);
    b->interval_ns = MIN(2 * b->interval_ns, 60 * NS_PER_S); // whole disks take hours
    cpu_timer_start(timer, timer->due_ns + b->interval_ns);
}

static void run_disks(struct burnin *b)
{
    b->waiting = (unsigned)b->disks.count;
    b->began_ns = time_ns();
    b->interval_ns = NS_PER_S;
    b->progress.fn = progress;
    cpu_timer_start(&b->progress, b->began_ns + b->interval_ns);
    for (size_t i = 0; i < b->disks.count; i++) {
        b->list[i]->msg.fn = begin;
        cpu_post(b->list[i]->cpu, &b->list[i]->msg);
    }
    cpu_run_until(&b->stop);
    cpu_timer_stop(&b->progress);
}

// ---- set-up ----

// All that may be written to; or those that are named, each of which must be among them.
static bool choose(struct burnin *b, const struct cmdline *c, struct problem *p)
{
    struct disks *d = &b->disks;
    size_t count = 0;
    if (!disks_select(c, d, p))
        return false;
    for (size_t i = 0; i < d->count; i++) {
        if (!d->list[i]->writable && !cmdline_get(c, "filename")->given)
            continue;
        if (!disks_may_change(d->list[i], BLOCK_WRITE, p))
            return false;
        d->list[count++] = d->list[i];
    }
    if (!count)
        return disks_may_change(d->list[0], BLOCK_WRITE, p);
    d->count = count;
    return true;
}

static bool check_disk(const struct burnin *b, const struct block_dev *dev, struct problem *p)
{
    if (b->bs % dev->block_size)
        return problem_set(p, "burnin-bs",
                           "bs=%u: %s has blocks of %u bytes; give a multiple of that", b->bs,
                           dev->name, dev->block_size);
    if (b->size && b->size < dev->block_size)
        return problem_set(p, "burnin-size", "size=%lu: %s has blocks of %u bytes; give more",
                           b->size, dev->name, dev->block_size);
    return true;
}

static uint64_t region_of(const struct burnin *b, const struct block_dev *dev)
{
    return b->size ? MIN(dev->blocks, b->size / dev->block_size) : dev->blocks;
}

static bool check_memory(const struct burnin *b, struct problem *p)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < b->disks.count; i++) {
        const struct block_dev *dev = b->disks.list[i];
        bytes += sizeof(struct burnin_disk) + 4 * PAGE_BYTES;
        bytes += b->iodepth * (sizeof(struct burnin_io) + (uint64_t)b->bs);
        bytes += written_bytes(DIV_UP(region_of(b, dev), b->bs / dev->block_size));
    }
    if (bytes <= mem_free_bytes())
        return true;
    return problem_set(p, "burnin-memory",
                       "%zu disks with iodepth=%u and bs=%u need %llu MiB, and %llu MiB are free; "
                       "lower iodepth=, or the number of disks",
                       b->disks.count, b->iodepth, b->bs, DIV_UP(bytes, MIB),
                       mem_free_bytes() / MIB);
}

static void make_ios(struct burnin_disk *d)
{
    const struct burnin *b = d->burnin;
    uint8_t *buffers =
        mem_alloc((size_t)b->iodepth * b->bs, PAGE_BYTES, block_buffer_node(d->dev, d->cpu));
    d->ios = mem_alloc(b->iodepth * sizeof(*d->ios), CACHE_LINE, cpu_node(d->cpu));
    for (unsigned i = 0; i < b->iodepth; i++)
        d->ios[i].req = (struct block_req){
            .dev = d->dev,
            .channel = (uint8_t)(i % d->dev->channels),
            .buffer = buffers + (size_t)i * b->bs,
            .done = io_done,
            .arg = d,
        };
}

static struct burnin_disk *make_disk(struct burnin *b, struct block_dev *dev, unsigned cpu)
{
    struct burnin_disk *d = mem_alloc(sizeof(*d), CACHE_LINE, cpu_node(cpu));
    d->burnin = b;
    d->dev = dev;
    d->cpu = cpu;
    d->tag = stamp_tag(dev->serial, dev->nsid);
    d->region = region_of(b, dev);
    d->io_blocks = b->bs / dev->block_size;
    d->places = DIV_UP(d->region, d->io_blocks);
    written_init(&d->written, 0, d->places, false, 0,
                 mem_alloc(written_bytes(d->places), CACHE_LINE, cpu_node(cpu)));
    make_ios(d);
    return d;
}

static bool prepare(struct burnin *b, const struct cmdline *c, struct problem *p)
{
    b->size = cmdline_number(c, "size");
    b->bs = (uint32_t)cmdline_number(c, "bs");
    b->iodepth = (unsigned)cmdline_number(c, "iodepth");
    b->passes = (unsigned)cmdline_number(c, "passes");
    b->seed = cmdline_number(c, "seed");
    if (!b->seed)
        b->seed = rdtsc();
    if (!choose(b, c, p))
        return false;
    for (size_t i = 0; i < b->disks.count; i++)
        if (!check_disk(b, b->disks.list[i], p))
            return false;
    if (!check_memory(b, p))
        return false;
    b->list = mem_alloc(b->disks.count * sizeof(*b->list), CACHE_LINE, NODE_ANY);
    for (size_t i = 0; i < b->disks.count; i++)
        b->list[i] = make_disk(b, b->disks.list[i], (unsigned)(i % cpu_count()));
    return true;
}

static void run(const struct cmdline *c)
{
    struct burnin b = { 0 };
    struct problem p;
    if (!prepare(&b, c, &p)) {
        error_problem(&p);
        return;
    }
    burnin_describe(&b);
    b.health = health_begin(&b.disks);
    run_disks(&b);
    burnin_report(&b);
}

APP(app_burnin) = {
    .name = "burnin",
    .help = "overwrites disks, reads them back and checks them",
    .options = options,
    .run = run,
};
