// SPDX-License-Identifier: BSD-2-Clause
// Its own queues, used for what they are not for: commands whose data lie in the kernel, in other domains,
// in registers and in the interrupt window; doorbells of any value; entries that change in flight.
#include "kernel/base/x86.h"
#include "lib/random.h"
#include "lib/types.h"
#include "tests/domain/hostile.h"

#define ROUNDS 2000

struct sqe {
    uint32_t head, nsid;
    uint64_t reserved, metadata, prp1, prp2, lba;
    uint32_t blocks, words[3];
};

static const uint64_t kernel[] = { 0x100000,   0x1000000,  0x2000000,
                                   0x10000000, 0x3f000000, 0x7f000000 };
static const uint64_t registers[] = { 0xfed90000, 0xfec00000, 0xfed00000,
                                      0xe0000000, 0xb0000000, 0xfe000000 };
static const uint64_t window[] = { 0xfee00000, 0xfee00010, 0xfee00018,
                                   0xfee01004, 0xfee7fff8, 0xfeefffff & ~3ull };
static const uint64_t own_rest[] = { DOMAIN_IMAGE, DOMAIN_INFO, DOMAIN_EVENTS, DOMAIN_STACKS,
                                     DOMAIN_DOORBELLS };
static const uint64_t nowhere[] = { 0, 0xff0000000000ull, 1ull << 38, 1ull << 47, ~0xfffull };

const struct domain_queue *hostile_queue(unsigned i)
{
    const struct domain_info *info = hostile_info();
    return (const struct domain_queue *)((const uint8_t *)info + info->queues) +
           i % info->queues_count;
}

void hostile_ring(const struct domain_queue *q, uint64_t offset, uint32_t value)
{
    *(volatile uint32_t *)(q->doorbell + offset) = value;
}

void hostile_command(const struct domain_queue *q, uint32_t entry, unsigned opcode, uint64_t prp1,
                     uint64_t prp2, uint32_t blocks)
{
    volatile struct sqe *e = (volatile struct sqe *)q->sq + entry;
    e->head = opcode;
    e->nsid = 1;
    e->prp1 = prp1;
    e->prp2 = prp2;
    e->lba = 0;
    e->blocks = blocks;
}

// One command, at the queue's first entry.
static void send(const struct domain_queue *q, unsigned opcode, uint64_t prp1, uint64_t prp2,
                 uint32_t blocks)
{
    hostile_command(q, 0, opcode, prp1, prp2, blocks);
    hostile_ring(q, 0, 1);
}

// A second: whatever it did has come to the kernel by then.
static void wait_a_little(void)
{
    uint64_t start = rdtsc();
    while (rdtsc() - start < hostile_info()->tsc_hz)
        __asm__ volatile("pause");
}

static void aim_at(uint64_t *state, uint64_t at)
{
    const struct domain_queue *q = hostile_queue(0);
    bool list = random_below(state, 2); // a list of PRPs lies there, or the data do
    send(q, random_below(state, 4) ? HOSTILE_READ : HOSTILE_WRITE,
         list ? DOMAIN_MEMORY + GIB / 1024 : at, list ? at & ~7ull : 0, list ? 127 : 0);
    wait_a_little();
}

static void aim(uint64_t *state, const uint64_t *from, size_t count)
{
    aim_at(state, hostile_pick(state, from, count));
}

static void aim_at_kernel(uint64_t *state)
{
    aim(state, kernel, ARRAY_SIZE(kernel));
}

static void aim_at_registers(uint64_t *state)
{
    aim(state, registers, ARRAY_SIZE(registers));
}

static void aim_at_window(uint64_t *state)
{
    aim(state, window, ARRAY_SIZE(window));
}

static void aim_at_own_rest(uint64_t *state)
{
    aim(state, own_rest, ARRAY_SIZE(own_rest));
}

static void aim_nowhere(uint64_t *state)
{
    aim(state, nowhere, ARRAY_SIZE(nowhere));
}

// What others have there, by the addresses that they and their devices use: past its own memory.
static void aim_at_others(uint64_t *state)
{
    uint64_t end = DOMAIN_MEMORY + hostile_info()->memory;
    aim_at(state, end + (random_below(state, 4096) << 12));
}

// The kernel and other domains by the addresses that RAM has.
static void aim_at_ram(uint64_t *state)
{
    aim_at(state, random_below(state, DOMAIN_MEMORY >> 12) << 12);
}

static void storm(uint64_t *state)
{
    const struct domain_queue *q = hostile_queue((unsigned)random_below(state, 256));
    for (unsigned i = 0; i < ROUNDS; i++)
        hostile_ring(q, random_below(state, 2) ? 0 : q->stride,
                     (uint32_t)random_below(state, 1ull << 32));
    wait_a_little();
}

// The controller's own, which shares the page; all others too.
static void ring_admin(uint64_t *state)
{
    const struct domain_queue *q = hostile_queue(0);
    *(volatile uint32_t *)(q->doorbell & ~0xfffull) = 1 + (uint32_t)random_below(state, 4);
    wait_a_little();
}

static void ring_others(uint64_t *state)
{
    volatile uint32_t *page = (volatile uint32_t *)(hostile_queue(0)->doorbell & ~0xfffull);
    for (unsigned i = 2; i < 1024; i++)
        page[i] = (uint32_t)random_below(state, 64);
    wait_a_little();
}

static void rewrite(uint64_t *state)
{
    const struct domain_queue *q = hostile_queue(0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        volatile uint64_t *words = (volatile uint64_t *)q->sq;
        for (unsigned w = 0; w < 8 * q->entries; w++)
            words[w] = random_below(state, 4) ? random_below(state, 64)
                                              : DOMAIN_MEMORY + (random_below(state, 4096) << 12);
        hostile_ring(q, 0, (uint32_t)random_below(state, q->entries));
        ((volatile uint64_t *)q->cq)[random_below(state, 2 * q->entries)] =
            random_below(state, ~0ull);
    }
}

#define ONE(name, fn) { name, fn }
static const struct {
    const char *name;
    void (*run)(uint64_t *state);
} all[] = {
    ONE("data in the kernel", aim_at_kernel),
    ONE("data in registers", aim_at_registers),
    ONE("data in the interrupt window", aim_at_window),
    ONE("data in what is its own, but not for devices", aim_at_own_rest),
    ONE("data nowhere", aim_nowhere),
    ONE("data where other domains have theirs", aim_at_others),
    ONE("data anywhere below its memory", aim_at_ram),
    ONE("a storm of doorbells", storm),
    ONE("the admin doorbell", ring_admin),
    ONE("doorbells of queues that aren't there", ring_others),
    ONE("entries that change in flight", rewrite),
};

static const char *name_of(unsigned which)
{
    return all[which].name;
}

static void run(unsigned which, uint64_t *state)
{
    if (hostile_info()->queues_count)
        all[which].run(state);
}

const struct hostile_kind hostile_queues = { "queues", ARRAY_SIZE(all), name_of, run };
