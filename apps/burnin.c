// SPDX-License-Identifier: BSD-2-Clause
// app=burnin: takes disks into service. Writes each of them all over, reads it back, and checks
// each block, or does whatever steps= says; passes= times. One CPU for each disk, whose state that
// CPU owns; the boot CPU starts them, shows how far they are, and reports.
#include "apps/burnin.h"

#include "apps/health.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/stamp.h"

#define OTHERS_EACH 16 // comparisons, of which the first is made again, with other data

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
      .help = "how often all steps are taken" },
    { .name = "steps",
      .kind = OPTION_TEXT,
      .fallback = "write:read",
      .help = "write, read, compare, verify, zeroes, trim or copy, several with colons" },
    { .name = "seed",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .help = "of the data; 0: they differ in each run" },
    { .name = NULL },
};

// ---- one I/O: owner CPU, from its loop ----

static enum burnin_step step_of(const struct burnin_disk *d)
{
    return d->plan.steps[d->step];
}

// Two halves of the place that it takes from: more than one source is what Copy is for.
static void name_sources(const struct burnin_disk *d, struct burnin_io *io)
{
    uint64_t first;
    burnin_step_places(d, BURNIN_COPY, &first);
    uint64_t lba = (io->place - first) * d->io_blocks;
    uint32_t half = io->req.blocks / 2;
    io->sources[0] = (struct block_source){ lba + half, io->req.blocks - half };
    if (half) {
        io->sources[1] = io->sources[0];
        io->sources[0] = (struct block_source){ lba, half };
    }
    io->req.sources = io->sources;
}

// Writes begin whenever they are asked for: a step has each place once, and nothing of the step before
// is in flight. False: there is nothing to be done there.
static bool prepare_io(struct burnin_disk *d, struct burnin_io *io)
{
    enum burnin_step step = step_of(d);
    io->req.op = burnin_steps[step].op;
    io->req.lba = step == BURNIN_FLUSH ? 0 : io->place * d->io_blocks;
    io->req.blocks = step == BURNIN_FLUSH ? 0 : burnin_blocks_at(d, io->place);
    if (step == BURNIN_WRITE || step == BURNIN_ZEROES)
        written_begin_write(&d->written, &io->place, &io->sequence);
    if (step == BURNIN_WRITE)
        burnin_fill(d, io);
    if (step == BURNIN_COPY)
        name_sources(d, io);
    return step != BURNIN_COMPARE || burnin_expect(d, io);
}

static void submit(struct burnin_disk *d, struct burnin_io *io)
{
    d->in_flight++;
    io->start_tsc = rdtsc();
    block_submit(&io->req);
}

static void count_done(struct burnin_disk *d, const struct burnin_io *io)
{
    __atomic_store_n(&d->done, d->done + io->req.blocks, __ATOMIC_RELAXED);
}

// The next of this step, if there is one.
static void start_next(struct burnin_disk *d, struct burnin_io *io)
{
    while (!d->given_up && d->next < d->end) {
        io->place = d->next++;
        io->with_others = false;
        if (prepare_io(d, io))
            return submit(d, io);
        count_done(d, io);
    }
}

static bool ended_well(const struct burnin_io *io)
{
    return io->req.status == (io->with_others ? BLOCK_DIFFERS : BLOCK_OK);
}

// An error of the device is counted. Where it gives no answer, or is gone, the buffer isn't ours any
// more, and the disk's test is over.
static void io_failed(struct burnin_disk *d, struct burnin_way *way, const struct burnin_io *io)
{
    static const char *const reasons[] = {
        [BLOCK_OK] = "it takes data with one bit flipped for the same",
        [BLOCK_ERROR] = "the device reports an error",
        [BLOCK_TIMEOUT] = "no answer in time",
        [BLOCK_GONE] = "the device is gone",
        [BLOCK_DIFFERS] = "it has other data than were written",
    };
    const struct block_req *req = &io->req;
    way->errors++;
    if (burnin_is_told(d))
        error("burnin-io", "%s: %s of LBA %lu, %u blocks: %s (status 0x%x)", d->dev->name,
              step_of(d) == BURNIN_FLUSH ? "flush" : burnin_steps[step_of(d)].name, req->lba,
              req->blocks, reasons[req->status], req->detail);
    d->given_up |= req->status == BLOCK_TIMEOUT || req->status == BLOCK_GONE;
}

static void settle(struct burnin_disk *d, const struct burnin_io *io, bool ok)
{
    enum burnin_step step = step_of(d);
    if (step == BURNIN_WRITE || step == BURNIN_ZEROES)
        written_end_write(&d->written, io->place, ok);
    if (step == BURNIN_COPY)
        d->copy_failed |= !ok;
    if (step == BURNIN_READ && ok)
        burnin_check(d, io);
}

// Now and then a comparison is made twice: the second time it has to find that something differs.
static bool is_to_compare_again(const struct burnin_disk *d, struct burnin_io *io, bool ok)
{
    bool again = step_of(d) == BURNIN_COMPARE && ok && !io->with_others && !d->given_up &&
                 io->place % OTHERS_EACH == 0;
    io->with_others = again;
    return again && burnin_expect(d, io);
}

static void next_step(struct burnin_disk *d);

static void io_done(struct block_req *req)
{
    struct burnin_io *io = container_of(req, struct burnin_io, req);
    struct burnin_disk *d = req->arg;
    struct burnin_way *way = &d->ways[step_of(d)];
    uint64_t latency = rdtsc() - io->start_tsc;
    bool ok = ended_well(io), counts = !io->with_others;
    d->in_flight--;
    way->ios++;
    if (ok)
        histogram_record(&way->latency, latency);
    else
        io_failed(d, way, io);
    settle(d, io, ok);
    if (counts && ok)
        way->bytes += (uint64_t)req->blocks * d->dev->block_size;
    if (counts)
        count_done(d, io);
    if (is_to_compare_again(d, io, ok))
        return submit(d, io);
    start_next(d, io);
    if (!d->in_flight)
        next_step(d);
}

// ---- steps: each begins once nothing of the one before is in flight ----

static void disk_over(struct cpu_msg *msg) // boot CPU
{
    struct burnin *b = container_of(msg, struct burnin_disk, msg)->burnin;
    b->stop = --b->waiting == 0;
}

static void end_disk(struct burnin_disk *d)
{
    d->msg.fn = disk_over;
    cpu_post(0, &d->msg);
}

static void begin_step(struct burnin_disk *d, unsigned step)
{
    d->step = step;
    d->step_tsc = rdtsc();
    d->end = burnin_step_places(d, step_of(d), &d->next);
    d->end += d->next;
    if (step_of(d) == BURNIN_FLUSH) {
        prepare_io(d, &d->ios[0]);
        return submit(d, &d->ios[0]);
    }
    for (unsigned i = 0; i < d->burnin->iodepth; i++)
        start_next(d, &d->ios[i]);
    if (!d->in_flight) // nothing was to be done
        next_step(d);
}

static void note_content(struct burnin_disk *d)
{
    enum burnin_step step = step_of(d);
    if (step == BURNIN_WRITE || step == BURNIN_ZEROES) {
        d->content = step == BURNIN_WRITE ? BURNIN_PATTERN : BURNIN_ZEROED;
        d->copied = d->copy_failed = false;
    }
    d->copied |= step == BURNIN_COPY;
}

static void next_step(struct burnin_disk *d)
{
    d->ways[step_of(d)].tsc += rdtsc() - d->step_tsc;
    note_content(d);
    if (d->given_up)
        return end_disk(d);
    if (d->step + 1 < d->plan.count)
        return begin_step(d, d->step + 1);
    if (d->pass++ == d->burnin->passes)
        return end_disk(d);
    begin_step(d, 0);
}

static void begin(struct cpu_msg *msg)
{
    struct burnin_disk *d = container_of(msg, struct burnin_disk, msg);
    d->pass = 1;
    if (!d->plan.count)
        return end_disk(d);
    begin_step(d, 0);
}

// ---- progress: boot CPU ----

static void progress(struct cpu_timer *timer)
{
    struct burnin *b = container_of(timer, struct burnin, progress);
    if (timer->due_ns >= b->line_ns) {
        burnin_show_progress(b);
        b->interval_ns = MIN(2 * b->interval_ns, 60 * NS_PER_S); // whole disks take hours
        b->line_ns += b->interval_ns;
    }
    burnin_live_show(b);
    health_sample(b->health);
    cpu_timer_start(timer, timer->due_ns + NS_PER_S);
}

static void run_disks(struct burnin *b)
{
    b->waiting = (unsigned)b->disks.count;
    b->began_ns = time_ns();
    b->interval_ns = NS_PER_S;
    b->progress.fn = progress;
    b->line_ns = b->began_ns + b->interval_ns;
    burnin_live_begin(b);
    cpu_timer_start(&b->progress, b->line_ns);
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
        mem_alloc_dma((size_t)b->iodepth * b->bs, PAGE_BYTES, block_buffer_node(d->dev, d->cpu));
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
    burnin_plan_for(&b->plan, dev, &d->plan);
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
    if (!burnin_plan_parse(cmdline_get(c, "steps"), &b->plan, p) || !choose(b, c, p))
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
