// SPDX-License-Identifier: BSD-2-Clause
// What kernel/domain does, and the bottom of a domain's program.

#include "tests/host/nvme_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nvme/granted.h"
#include "kernel/domain/event.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "tests/host/nvme_world.h"

#include <cmocka.h>

#define MEMORY_BYTES (4 * MIB)
#define EVENT_IRQS 32
#define QUEUES_AT sizeof(struct domain_info)
#define QUEUES_ROOM 64
#define DISKS_AT (QUEUES_AT + QUEUES_ROOM * sizeof(struct domain_queue))

struct domain_cpu {
    uint64_t bits[DOMAIN_EVENT_WORDS];
    unsigned events;
};

struct problem domain_problem;

static struct {
    uint8_t *memory;
    uint64_t used, queues_end;
    struct pci_space space;
    struct domain_cpu cpus[DOMAIN_CPUS];
    struct domain_seat seats[DOMAIN_CPUS];
    struct domain_grant grant;
    _Alignas(8) uint8_t page[DOMAIN_INFO_BYTES];
    unsigned strays;
    struct event_irq {
        struct irq irq;
        unsigned cpu, event;
        event_ready ready;
        bool again;
    } irqs[EVENT_IRQS];
    unsigned irqs_count;
    bool tells; // of events alone: no handler is called for what lies there
} d;

// ---- the program's memory and events ----

bool world_is_program_memory(const volatile void *at, uint64_t bytes)
{
    uint64_t offset = (uint64_t)((const volatile uint8_t *)at - d.memory);
    return offset <= MEMORY_BYTES && bytes <= MEMORY_BYTES - offset;
}

void *program_memory(size_t bytes)
{
    d.used = ALIGN_UP(d.used, NVME_PAGE);
    void *at = d.memory + d.used;
    d.used += bytes;
    assert_true(d.used <= MEMORY_BYTES);
    return at;
}

void *world_program_memory(size_t bytes, size_t align)
{
    if (!world_is_program())
        return NULL;
    d.used = ALIGN_UP(d.used, MAX(align, (size_t)CACHE_LINE));
    void *at = d.memory + d.used;
    d.used += bytes;
    assert_true(d.used <= MEMORY_BYTES);
    return at;
}

struct irq *event_irq(unsigned cpu, unsigned event, irq_handler handler, event_ready ready,
                      void *arg, const char *name)
{
    assert_true(d.irqs_count < EVENT_IRQS && cpu < DOMAIN_CPUS);
    struct event_irq *e = &d.irqs[d.irqs_count++];
    *e = (struct event_irq){ .cpu = cpu, .event = event, .ready = ready };
    e->irq = (struct irq){ .cpu = cpu, .handler = handler, .arg = arg };
    return &e->irq;
}

// Called for what the kernel tells of; now and then for what lies there as well.
static bool is_due(struct event_irq *e)
{
    uint64_t *word = &d.cpus[e->cpu].bits[e->event / 64], bit = 1ull << e->event % 64;
    bool due = *word & bit || e->irq.raising || (rand() % 4 == 0 && e->ready(e->irq.arg));
    *word &= ~bit;
    e->irq.raising = false;
    return due;
}

void world_run_events(void)
{
    for (unsigned i = 0; i < d.irqs_count; i++)
        if (d.irqs[i].cpu == world.cpu - world_offset() && is_due(&d.irqs[i]))
            d.irqs[i].irq.handler(d.irqs[i].irq.arg);
}

void domain_event(void *arg)
{
    const struct domain_bell *bell = arg;
    d.strays += !bell->of;
    if (!bell->of)
        return;
    bell->of->bits[bell->event / 64] |= 1ull << bell->event % 64;
    bell->of->events++;
}

unsigned domain_events(unsigned cpu)
{
    return d.cpus[cpu].events;
}

unsigned domain_strays(void)
{
    return d.strays;
}

uint64_t domain_memory_sum(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < MEMORY_BYTES / 8; i++)
        sum = sum * 31 + ((const uint64_t *)(const void *)d.memory)[i];
    return sum;
}

// ---- the domain ----

unsigned world_kernel_cpus(void)
{
    return world.cpus;
}

void domain_world_begin(unsigned cpus)
{
    world_begin(cpus);
    if (!d.memory)
        d.memory = aligned_alloc(2 * MIB, MEMORY_BYTES);
    uint8_t *memory = d.memory;
    memset(&d, 0, sizeof(d));
    d.memory = memory;
    d.space = (struct pci_space){ .at = (uint64_t)memory, .bytes = MEMORY_BYTES };
    world.kept = DOMAIN_CPUS;
    model_blocked(true);
    for (unsigned i = 0; i < DOMAIN_CPUS; i++)
        d.seats[i] = (struct domain_seat){ .cpu = cpus + i, .of = &d.cpus[i] };
}

int begin_domain(void **state)
{
    domain_world_begin(2);
    return 0;
}

int end_domain(void **state)
{
    program_end();
    return end_world(state);
}

struct domain_device *domain_function(const struct model *m)
{
    struct domain_device *f = domain_device_of(world_ctrl(m)->namespaces->dev.name);
    assert_non_null(f); // else it can't be given to anybody
    assert_ptr_equal(f->dev, &m->pci);
    return f;
}

// A step says what it has to within some time.
static bool waits(enum domain_step step, unsigned *rounds)
{
    if (step != DOMAIN_WAITS)
        return false;
    world_round();
    world_skip(NS_PER_MS);
    if (++*rounds > 100000)
        fail_msg("a step waits for ever");
    return true;
}

static enum domain_step carry_out(struct domain_device *f,
                                  enum domain_step (*go)(struct domain_device *, struct problem *))
{
    enum domain_step step;
    unsigned rounds = 0;
    do
        step = go(f, &domain_problem);
    while (waits(step, &rounds));
    return step;
}

enum domain_step domain_withdraw(struct model *m)
{
    struct domain_device *f = domain_function(m);
    return carry_out(f, f->ops->withdraw);
}

bool domain_has_all;

enum domain_step domain_set_up(struct model *m)
{
    struct domain_device *f = domain_function(m);
    enum domain_step step;
    unsigned rounds = 0;
    memset(d.memory, 0, MEMORY_BYTES);
    memset(d.cpus, 0, sizeof(d.cpus));
    d.grant = (struct domain_grant){
        .space = &d.space,
        .function = 3,
        .cpus = DOMAIN_CPUS,
        .seats = d.seats,
        .memory_start = domain_has_all ? 0 : (uint64_t)d.memory,
        .memory = (uint64_t)d.memory,
        .memory_end = domain_has_all ? UINT64_MAX : (uint64_t)d.memory + MEMORY_BYTES / 2,
        .queues = (struct domain_queue *)(void *)(d.page + QUEUES_AT),
        .queues_most = QUEUES_ROOM - 1,
        .disks = d.page + DISKS_AT,
        .disks_room = sizeof(d.page) - DISKS_AT,
    };
    do
        step = f->ops->set_up(f, &d.grant, &domain_problem);
    while (waits(step, &rounds));
    return step;
}

enum domain_step domain_silence(struct model *m)
{
    struct domain_device *f = domain_function(m);
    return carry_out(f, f->ops->silence);
}

enum domain_step domain_give_back(struct model *m)
{
    struct domain_device *f = domain_function(m);
    return carry_out(f, f->ops->give_back);
}

void domain_fails(enum domain_step step, const char *what, const char *text)
{
    assert_int_equal(step, DOMAIN_FAILED);
    assert_string_equal(domain_problem.what, what);
    if (!strstr(domain_problem.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", domain_problem.message, text);
}

// ---- the program ----

const struct domain_info *program_info(void)
{
    return (const struct domain_info *)(const void *)d.page;
}

unsigned program_disk_bytes = sizeof(struct domain_disk);

// Behind the function's queues there is one of another function, which the program has no disks on.
static void write_info(void)
{
    struct domain_queue other = { .function = (uint16_t)(d.grant.function + 1) };
    d.grant.queues[d.grant.queues_count] = other;
    struct domain_info info = {
        .abi = DOMAIN_ABI,
        .cpus = DOMAIN_CPUS,
        .queues = QUEUES_AT,
        .queues_count = d.grant.queues_count + 1,
        .disks = DISKS_AT,
        .disks_count = d.grant.disks_count,
        .disk_bytes = program_disk_bytes,
        .node = NODE_ANY,
    };
    memcpy(d.page, &info, sizeof(info));
}

// As the domain's page tables have them.
static void map_doorbells(struct model *m)
{
    struct domain_device *f = domain_function(m);
    struct domain_registers r = f->ops->registers(f, DOMAIN_CPUS);
    assert_true(r.bytes && r.bytes <= DOMAIN_DOORBELL_SPAN && r.phys % NVME_PAGE == 0);
    m->mapped_at = DOMAIN_DOORBELLS + d.grant.function * DOMAIN_DOORBELL_SPAN;
    m->mapped_bytes = r.bytes;
    m->mapped_offset = r.phys - m->pci.bars[0].base;
    for (unsigned i = 0; i < d.grant.queues_count; i++)
        m->domain_cpu[d.grant.queues[i].qid] = d.grant.queues[i].cpu;
}

struct block_dev *program_start(struct model *m, uint32_t nsid)
{
    write_info();
    map_doorbells(m);
    d.used = d.grant.memory - (uint64_t)d.memory;
    d.irqs_count = 0;
    world_use_cpu(PROGRAM(0));
    nvme_granted_init(program_info());
    world_use_cpu(0);
    for (struct block_dev *dev = block_first(); dev; dev = dev->next) {
        const struct nvme_ns *ns = dev->driver;
        if (world_is_program_memory(ns, sizeof(*ns)) && dev->nsid == nsid)
            return dev;
    }
    return NULL;
}

static struct block_dev *first_of_program(void)
{
    struct block_dev *dev = block_first();
    while (dev && !world_is_program_memory(dev, sizeof(*dev)))
        dev = dev->next;
    return dev;
}

void program_end(void)
{
    struct block_dev *dev;
    while ((dev = first_of_program()))
        block_remove(dev);
    d.irqs_count = 0;
    for (unsigned cpu = PROGRAM(0); cpu < PROGRAM(DOMAIN_CPUS); cpu++) {
        world.inbox[cpu] = NULL;
        world.timers[cpu] = NULL;
    }
    world_use_cpu(PROGRAM(0));
    loop_set_flush(NULL);
    world_use_cpu(0);
}

static void read_done(struct block_req *req)
{
    struct program_read *r = container_of(req, struct program_read, req);
    assert_false(r->done);
    assert_int_equal(cpu_index(), (uintptr_t)req->arg);
    r->done = true;
}

void program_read(struct program_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba,
                  uint32_t blocks)
{
    r->done = false;
    r->req = (struct block_req){
        .dev = dev,
        .op = BLOCK_READ,
        .lba = lba,
        .blocks = blocks,
        .buffer = program_memory((size_t)blocks * dev->block_size),
        .done = read_done,
        .arg = (void *)(uintptr_t)cpu, // NOLINT
    };
    world_use_cpu(PROGRAM(cpu));
    block_submit(&r->req);
    world_use_cpu(0);
}

void program_ends_well(struct program_read *r)
{
    const struct block_dev *dev = r->req.dev;
    assert_true(world_run(&r->done, 10000));
    assert_int_equal(r->req.status, BLOCK_OK);
    assert_true(model_holds(dev->nsid, r->req.lba * dev->block_size, r->req.buffer,
                            (size_t)r->req.blocks * dev->block_size));
}

struct block_dev *program_set_up(struct model *m)
{
    assert_int_equal(domain_set_up(m), DOMAIN_DONE);
    struct block_dev *dev = program_start(m, 1);
    assert_non_null(dev);
    return dev;
}

void program_reads(struct block_dev *dev, unsigned cpu)
{
    struct program_read r;
    program_read(&r, dev, cpu, 4711, 24);
    program_ends_well(&r);
}

void domain_is_off(const struct model *m)
{
    assert_false(m->pci_command & 4 || m->pci.granted || m->csts & NVME_CSTS_RDY);
}
