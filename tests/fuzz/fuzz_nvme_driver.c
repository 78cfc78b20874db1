// SPDX-License-Identifier: BSD-2-Clause
// A controller that lies: completions, CSTS, Identify data, log pages and events are what the input
// says, while reads are in flight. Whatever it says, each read ends exactly once, no memory is touched
// that isn't the driver's, and in the end nothing is left. The model is the host tests'; the driver's
// and the block layer's lists are included, so that each input finds them empty.

#include "drivers/nvme/start.c"
#include "kernel/run/block.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

#define READS 6
#define STEP_NS (400 * NS_PER_MS)
#define CLOCK_NS (NS_PER_MS / 5) // waits in vain cost few looks

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static struct input {
    const uint8_t *at, *end;
} in;

static struct model *m;
static struct block_dev *dev;

static struct read {
    struct block_req req;
    bool in_flight;
    uint8_t buffer[16 * KIB] __attribute__((aligned(512)));
} reads[READS];

static void must(bool condition)
{
    if (!condition)
        abort();
}

static uint8_t next_byte(void)
{
    return in.at < in.end ? *in.at++ : 0;
}

static uint32_t next_word(void)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++)
        word = word << 8 | next_byte();
    return word;
}

static void write_bytes(void *to, size_t room)
{
    size_t at = next_word() % room;
    for (unsigned left = next_byte() % 32; left && at < room; left--, at++)
        ((uint8_t *)to)[at] = next_byte();
}

// ---- reads ----

static void read_ended(struct block_req *req)
{
    struct read *r = container_of(req, struct read, req);
    must(r->in_flight);
    r->in_flight = false;
}

static void submit(void)
{
    struct read *r = &reads[next_byte() % READS];
    if (r->in_flight)
        return;
    r->req = (struct block_req){
        .dev = dev,
        .lba = next_byte(),
        .blocks = next_byte() % 33,
        .buffer = r->buffer,
        .done = read_ended,
    };
    r->in_flight = true;
    block_submit(&r->req);
}

// ---- lies ----

static bool has_room(unsigned cq)
{
    const struct model_queue *q = &m->queues[cq];
    return q->cq && (q->cq_tail + 1) % q->cq_entries != q->cq_head;
}

// Ids are small as a rule, or hardly any entry would be a command's.
static void complete(unsigned cq)
{
    uint8_t kind = next_byte();
    uint32_t ids = kind & 1 ? next_word() : next_byte() % 4u;
    uint32_t queue = kind & 2 ? next_word() : cq;
    uint32_t status = kind & 4 ? next_word() & 0x7fff : 0;
    uint32_t dw0 = next_word();
    if (!model_runs(m) || !has_room(cq))
        return;
    model_write_cqe(m, cq, ids & 0xffff, queue & 0xffff, queue >> 16, status, dw0);
    model_interrupt(m, cq);
}

static void lie(void)
{
    switch (next_byte() % 12) {
    case 0:
        return complete(1);
    case 1:
        return complete(0);
    case 2:
        m->csts ^= 1u << next_byte() % 6;
        break;
    case 3:
        return write_bytes(&m->id, sizeof(m->id));
    case 4:
        return write_bytes(&m->namespaces[0].data, sizeof(m->namespaces[0].data));
    case 5:
        return write_bytes(m->smart, sizeof(m->smart));
    case 6:
        return write_bytes(m->changes, sizeof(m->changes) - sizeof(m->changes[0]));
    case 7:
        if (m->listeners_count && model_runs(m) && has_room(0))
            model_end_admin(m, m->listeners[--m->listeners_count], 0, next_word());
        break;
    case 8:
        m->drop_commands = next_byte() % 4;
        m->abort = (enum model_abort)(next_byte() % (ABORT_SILENT + 1));
        break;
    case 9:
        m->forgets = next_byte() % 2;
        model_go_away(m, next_byte() * 4 * NS_PER_MS);
        break;
    case 10:
        world_pass(next_byte() * 20 * NS_PER_MS);
        break;
    default:
        submit();
        world_round();
    }
}

// ---- from nothing to nothing ----

static void begin(void)
{
    world_free_memory();
    memset(&nvme, 0, sizeof(nvme));
    nvme.end = &nvme.first;
    memset(&block, 0, sizeof(block));
    block.end = &block.first;
    memset(reads, 0, sizeof(reads));
    world_begin(1);
    world_set_clock_step(CLOCK_NS);
    nvme_set_timeout(1000);
    m = model_new();
    m->hostile = true;
    m->id.aerl = 3;
    m->id.oaes = 0x300;
    m->id.mtfa = 5;
    m->id.mdts = 1;
    field_set(&m->cap, NVME_CAP_MQES, 3);
}

static bool all_ended(void)
{
    for (unsigned i = 0; i < READS; i++)
        if (reads[i].in_flight)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    in = (struct input){ bytes, bytes + count };
    begin();
    nvme_init();
    dev = world_disk(m, 1);
    must(dev != NULL);
    while (in.at < in.end)
        lie();
    m->drop_commands = 0;
    m->abort = ABORT_WORKS;
    for (unsigned i = 0; !all_ended(); i++) {
        must(i < 200);
        world_pass(STEP_NS);
    }
    nvme_shutdown();
    return 0;
}
