// SPDX-License-Identifier: BSD-2-Clause
// All of a batch is its queue's owner's. Its members have completion records of their own, and no interrupts;
// what their records say counts, whatever the batch's own one says.

#include "drivers/dsa/batch.h"

#include "drivers/dsa/descriptor.h"
#include "drivers/dsa/device.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"

#define BATCHES 16 // of a queue

struct dsa_batch {
    struct copy_req req; // what the queue takes it for
    struct dsa_batcher *batcher;
    struct dsa_batch *next; // free
    struct dsa_descriptor *list;
    struct dsa_record *records;
    unsigned count;
    struct copy_req *members[DSA_BATCH_MOST];
};

struct dsa_batcher {
    struct dsa_queue *q;
    unsigned most;
    struct dsa_batch *open, *free;
    struct dsa_batcher *next; // with something open, on the same CPU
    bool listed;
    struct dsa_batch batches[BATCHES];
};

static struct dsa_batcher **with_open; // by CPU

// ---- the end ----

// Of those without a record: why there is none.
static uint32_t detail_of(const struct dsa_batch *b)
{
    return b->req.status == COPY_OK ? COPY_DETAIL_LOST : b->req.detail;
}

static void end_members(struct copy_req *req)
{
    struct dsa_batch *b = container_of(req, struct dsa_batch, req);
    enum copy_status status = req->status == COPY_GONE ? COPY_GONE : COPY_ERROR;
    for (unsigned i = 0; i < b->count; i++) {
        const struct dsa_record *record = &b->records[i];
        if (__atomic_load_n(&record->status, __ATOMIC_ACQUIRE))
            dsa_queue_end_member(b->batcher->q, b->members[i], record);
        else
            dsa_queue_fail_member(b->members[i], status, detail_of(b));
    }
    b->next = b->batcher->free;
    b->batcher->free = b;
}

// ---- the way out ----

static void send(struct dsa_batcher *r)
{
    const struct dsa_completion to = { .interrupt = true };
    struct dsa_batch *b = r->open;
    struct copy_req *req = &b->req;
    r->open = NULL;
    if (b->count < DSA_BATCH_LEAST) {
        b->next = r->free;
        r->free = b;
        return dsa_queue_submit(&r->q->port, b->members[0]);
    }
    dsa_build_batch((struct dsa_descriptor *)(void *)req->words, &to, mem_phys(b->list), b->count);
    req->bytes = b->count;
    req->cpu = cpu_index();
    dsa_queue_submit(&r->q->port, req);
}

static void add(struct dsa_batch *b, struct copy_req *req)
{
    struct dsa_descriptor *d = &b->list[b->count];
    struct dsa_record *record = &b->records[b->count];
    *d = *(const struct dsa_descriptor *)(const void *)req->words;
    d->flags &= ~DSA_FLAG_INTERRUPT;
    d->handle = 0;
    d->record = mem_phys(record);
    record->status = 0;
    b->members[b->count++] = req;
}

static void note_open(struct dsa_batcher *r)
{
    if (r->listed)
        return;
    r->listed = true;
    r->next = with_open[cpu_index()];
    with_open[cpu_index()] = r;
}

static void gather(struct copy_port *port, struct copy_req *req)
{
    struct dsa_queue *q = container_of(port, struct dsa_queue, port);
    struct dsa_batcher *r = q->batcher;
    if (!dsa_queue_is_straight(q) || (!r->open && !r->free))
        return dsa_queue_submit(port, req);
    if (!r->open) {
        r->open = r->free;
        r->free = r->open->next;
        r->open->count = 0;
        note_open(r);
    }
    add(r->open, req);
    if (r->open->count >= r->most)
        send(r);
}

static void flush(void)
{
    struct dsa_batcher *r, **open = with_open;
    while (open && (r = open[cpu_index()])) {
        open[cpu_index()] = r->next;
        r->listed = false;
        if (r->open)
            send(r);
    }
}

// Another CPU will own the queue.
static void leave(struct dsa_queue *q)
{
    flush();
}

// ---- set-up ----

static struct dsa_batcher *create(struct dsa_queue *q)
{
    unsigned node = cpu_node(q->cpu);
    struct dsa_batcher *r = mem_alloc(sizeof(*r), CACHE_LINE, node);
    r->q = q;
    for (unsigned i = 0; i < BATCHES; i++) {
        struct dsa_batch *b = &r->batches[i];
        b->batcher = r;
        b->list = mem_alloc_dma(DSA_BATCH_MOST * sizeof(*b->list), CACHE_LINE, node);
        b->records = mem_alloc_dma(DSA_BATCH_MOST * sizeof(*b->records), CACHE_LINE, node);
        b->req.op = DSA_IS_BATCH;
        b->req.port = &q->port;
        b->req.dev = &q->device->copy; // nobody else could do it
        b->req.done = end_members;
        b->next = r->free;
        r->free = b;
    }
    return r;
}

static void begin_gathering(void)
{
    if (with_open)
        return;
    with_open = mem_alloc(cpu_total() * sizeof(struct dsa_batcher *), CACHE_LINE, NODE_ANY);
    loop_add_flush(flush);
}

void dsa_batch_set(struct dsa_queue *q, unsigned most)
{
    if (most < DSA_BATCH_LEAST) {
        q->port.submit = dsa_queue_submit;
        return;
    }
    begin_gathering();
    if (!q->batcher)
        q->batcher = create(q);
    q->batcher->most = MIN(most, (unsigned)DSA_BATCH_MOST);
    q->leave = leave;
    q->port.submit = gather;
}

void dsa_batch_shutdown(void)
{
    with_open = NULL;
}
