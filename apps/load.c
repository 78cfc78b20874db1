// SPDX-License-Identifier: BSD-2-Clause
// Random reads without end, on every CPU and disk.
#include "apps/load.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/random.h"
#include "lib/stamp.h"

#define ERRORS_TOLD 5 // on each CPU; all are counted

// ---- one read: owner CPU, from its loop ----

static void submit(struct load_cpu *cpu, struct block_req *req)
{
    uint32_t reads = (uint32_t)MIN(req->dev->blocks / req->blocks, (uint64_t)UINT32_MAX);
    req->lba = random_below(&cpu->random, reads) * req->blocks;
    cpu->counts.submitted++;
    cpu->in_flight++;
    block_submit(req);
}

static bool is_told(const struct load_cpu *cpu)
{
    return cpu->counts.errors + cpu->counts.verify_errors <= ERRORS_TOLD;
}

// A request that got no answer keeps its buffer, so it is not used again.
static void read_failed(struct load_cpu *cpu, struct block_req *req)
{
    cpu->counts.errors++;
    if (is_told(cpu))
        error("load-io", "%s: read of LBA %lu, %u blocks: status %u (detail 0x%x)", req->dev->name,
              req->lba, req->blocks, req->status, req->detail);
    if (req->status != BLOCK_ERROR)
        req->dev = NULL;
}

static void verify(struct load_cpu *cpu, const struct block_req *req)
{
    const struct block_dev *dev = req->dev;
    uint64_t tag = stamp_tag(dev->serial, dev->nsid);
    struct problem p;
    for (uint32_t i = 0; i < req->blocks; i++) {
        const uint8_t *block = (const uint8_t *)req->buffer + (size_t)i * dev->block_size;
        if (likely(stamp_check(block, dev->block_size, tag, req->lba + i, &p)))
            continue;
        cpu->counts.verify_errors++;
        if (is_told(cpu))
            error(p.what, "%s: LBA %lu %s", dev->name, req->lba + i, p.message);
    }
}

static void tell_drained(struct cpu_msg *msg) // boot CPU
{
    struct load_cpu *cpu = container_of(msg, struct load_cpu, pause);
    cpu->drained(cpu);
}

static void check_drained(struct load_cpu *cpu)
{
    if (!cpu->paused || cpu->in_flight)
        return;
    cpu->pause.fn = tell_drained;
    cpu_post(0, &cpu->pause);
}

static void read_done(struct block_req *req)
{
    struct load_cpu *cpu = req->arg;
    cpu->counts.completed++;
    cpu->in_flight--;
    if (unlikely(req->cpu != cpu_index()) && !cpu->counts.errors++)
        error("load-cpu", "%s: a read by CPU %u completed on CPU %u", req->dev->name, req->cpu,
              cpu_index());
    if (unlikely(req->status != BLOCK_OK))
        read_failed(cpu, req);
    else if (cpu->load->verify)
        verify(cpu, req);
    if (!cpu->paused && req->dev)
        submit(cpu, req);
    else
        check_drained(cpu);
}

// ---- start and pause ----

static void run_here(struct cpu_msg *msg)
{
    struct load_cpu *cpu = container_of(msg, struct load_cpu, run);
    cpu->paused = false;
    for (size_t i = 0; i < cpu->load->disks.count * cpu->load->iodepth; i++)
        if (cpu->reqs[i].dev)
            submit(cpu, &cpu->reqs[i]);
}

void load_run(struct load *load, unsigned cpu)
{
    load->cpus[cpu].run.fn = run_here;
    cpu_post(cpu, &load->cpus[cpu].run);
}

static void pause_here(struct cpu_msg *msg)
{
    struct load_cpu *cpu = container_of(msg, struct load_cpu, pause);
    cpu->paused = true;
    check_drained(cpu);
}

void load_pause(struct load *load, unsigned cpu, void (*drained)(struct load_cpu *cpu))
{
    load->cpus[cpu].drained = drained;
    load->cpus[cpu].pause.fn = pause_here;
    cpu_post(cpu, &load->cpus[cpu].pause);
}

struct load_counts load_sum(const struct load *load)
{
    struct load_counts sum = { 0 };
    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct load_counts *c = &load->cpus[i].counts;
        sum.submitted += __atomic_load_n(&c->submitted, __ATOMIC_RELAXED);
        sum.completed += __atomic_load_n(&c->completed, __ATOMIC_RELAXED);
        sum.errors += __atomic_load_n(&c->errors, __ATOMIC_RELAXED);
        sum.verify_errors += __atomic_load_n(&c->verify_errors, __ATOMIC_RELAXED);
    }
    return sum;
}

// ---- set-up ----

static bool check_disk(const struct load *load, const struct block_dev *dev, struct problem *p)
{
    if (load->bs % dev->block_size || load->bs / dev->block_size > dev->blocks)
        return problem_set(
            p, "load-bs",
            "bs=%u: %s has %lu blocks of %u bytes; give a multiple of that size that "
            "fits",
            load->bs, dev->name, dev->blocks, dev->block_size);
    return true;
}

static bool check_memory(const struct load *load, struct problem *p)
{
    uint64_t reads = (uint64_t)cpu_count() * load->disks.count * load->iodepth;
    uint64_t bytes = reads * (sizeof(struct block_req) + load->bs) + cpu_count() * 4 * PAGE_BYTES;
    if (bytes <= mem_free_bytes())
        return true;
    return problem_set(p, "load-memory",
                       "%lu reads in flight with bs=%u need %llu MiB, and %llu MiB are free; lower "
                       "iodepth=, bs= or cpus=",
                       reads, load->bs, DIV_UP(bytes, MIB), mem_free_bytes() / MIB);
}

static void make_cpu(struct load *load, unsigned index)
{
    struct load_cpu *cpu = &load->cpus[index];
    size_t count = load->disks.count * load->iodepth;
    uint8_t *buffers = mem_alloc_dma(count * load->bs, PAGE_BYTES, cpu_node(index));
    cpu->load = load;
    cpu->random = index + 1;
    cpu->reqs = mem_alloc(count * sizeof(*cpu->reqs), CACHE_LINE, cpu_node(index));
    for (size_t i = 0; i < count; i++) {
        struct block_dev *dev = load->disks.list[i / load->iodepth];
        cpu->reqs[i] = (struct block_req){
            .op = BLOCK_READ,
            .dev = dev,
            .channel = (uint8_t)(i % dev->channels),
            .blocks = load->bs / dev->block_size,
            .buffer = buffers + i * load->bs,
            .done = read_done,
            .arg = cpu,
        };
    }
}

bool load_prepare(struct load *load, const struct cmdline *c, struct problem *p)
{
    load->bs = (uint32_t)cmdline_number(c, "bs");
    load->iodepth = (unsigned)cmdline_number(c, "iodepth");
    load->verify = cmdline_is(c, "verify", "crc32c") || cmdline_is(c, "verify", "1");
    if (!disks_select(c, &load->disks, p) || !check_memory(load, p))
        return false;
    for (size_t i = 0; i < load->disks.count; i++)
        if (!check_disk(load, load->disks.list[i], p))
            return false;
    load->cpus = mem_alloc(cpu_count() * sizeof(*load->cpus), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < cpu_count(); i++)
        make_cpu(load, i);
    return true;
}
