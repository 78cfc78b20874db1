// SPDX-License-Identifier: BSD-2-Clause
// Streams: requests that end and go on together, each in the slot that it has.

#include "drivers/nvme/request.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"

// A slot is named by its offset in all of them: from an entry that isn't odd, whose SQID is 0 and whose id,
// above it, is within bounds, it is one shift away, and from it the id where a command has it.
static inline uint64_t offset_of(uint64_t tail)
{
    return tail >> 28;
}
static_assert(NVME_CQE_CID >> 28 == 0xffff * sizeof(struct nvme_slot), "32 less a slot's 4 bits");

static inline struct nvme_slot *slot_at(struct nvme_slot *slots, uint64_t offset)
{
    return (struct nvme_slot *)((char *)slots + offset);
}

// As nvme_qpair_reap(), but the stream's requests that ended well are put aside, with their slots.
static inline unsigned collect(struct nvme_queue *q, unsigned most, unsigned *turns_count)
{
    uint64_t odd = q->qp.odd;
    void (*done)(struct block_req *req) = q->stream->done;
    unsigned mask = q->qp.mask, from = q->qp.cq_head & mask;
    const struct nvme_cqe *first = q->qp.cq + from, *entry = first;
    const struct nvme_cqe *stop = MIN(first + most, q->qp.cq + mask + 1);
    struct block_turn *turn = q->turns;
    struct nvme_slot *slots = q->qp.slots;
    for (; entry != stop; entry++) {
        uint64_t tail = nvme_cqe_tail(entry) ^ q->qp.expect;
        if (unlikely(tail & odd)) {
            if (tail & NVME_CQE_P)
                break;
            nvme_request_look(&q->qp, tail, entry);
            continue;
        }
        struct nvme_slot *slot = slot_at(slots, offset_of(tail));
        struct block_req *req = slot->command;
        if (unlikely(!req)) {
            nvme_request_look(&q->qp, tail, entry);
            continue;
        }
        slot->command = NULL;
        if (unlikely(req->end != done)) {
            nvme_qpair_free(&q->qp, slot);
            nvme_request_end(&q->qp, req, entry);
            continue;
        }
        *turn++ = (struct block_turn){ req, offset_of(tail) };
    }
    unsigned count = (unsigned)(entry - first);
    if (count)
        nvme_qpair_consume(&q->qp, count, from + count);
    *turns_count = (unsigned)(turn - q->turns);
    return count;
}

// Whoever stops gives the slot back; the others keep theirs.
static RARE unsigned drop_stopped(struct nvme_queue *q, struct block_turn *turns, unsigned count)
{
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++) {
        if (turns[i].req)
            turns[left++] = turns[i];
        else
            nvme_qpair_free(&q->qp, slot_at(q->qp.slots, turns[i].slot));
    }
    return left;
}

static RARE void turn_refused(struct nvme_queue *q, struct block_turn *turn)
{
    nvme_qpair_free(&q->qp, slot_at(q->qp.slots, turn->slot));
    block_refuse(turn->req, BLOCK_DETAIL_RANGE);
}

static inline uint64_t id_of(uint64_t offset)
{
    return offset << 12;
}
static_assert(sizeof(struct nvme_slot) << 12 == 1 << 16, "NVME_SQE_CID");

// As many as fit before the ring's end, at most; returns the entry behind the last.
static inline struct nvme_io_sqe *send_run(struct nvme_queue *q, struct nvme_io_sqe *sqe,
                                           struct block_turn *turn, const struct block_turn *stop)
{
    struct nvme_slot *slots = q->qp.slots;
    for (; turn != stop; turn++) {
        struct block_req *req = turn->req;
        struct nvme_slot *slot = slot_at(slots, turn->slot);
        uint64_t lba = req->lba;
        if (unlikely(lba > req->lba_most)) {
            turn_refused(q, turn);
            continue;
        }
        sqe->head = req->command | id_of(turn->slot);
        sqe->data[0] = req->data[0];
        sqe->data[1] = req->data[1];
        sqe->slba = lba;
        sqe->cdw12 = req->length;
        slot->command = req;
        slot->age = 0;
        sqe++;
    }
    return sqe;
}

// False: there was nothing.
static inline bool send_on(struct nvme_queue *q, struct block_turn *turns, unsigned count)
{
    struct nvme_io_sqe *ring = q->qp.sq, *first = ring + q->qp.sq_tail, *sqe = first;
    const struct nvme_io_sqe *ring_end = ring + q->qp.mask + 1;
    const struct block_turn *stop = turns + count;
    while (turns != stop) {
        ptrdiff_t run = MIN(stop - turns, ring_end - sqe);
        sqe = send_run(q, sqe, turns, turns + run);
        turns += run;
        if (unlikely(sqe == ring_end))
            sqe = ring;
    }
    q->qp.sq_tail = (uint16_t)(sqe - ring);
    return sqe != first;
}

// Reap, record and resubmit: three short loops, each with its constants at hand.
unsigned nvme_stream_reap(struct nvme_queue *q)
{
    unsigned count;
    unsigned reaped = collect(q, NVME_REAP_BUDGET, &count);
    if (!count)
        return reaped;
    if (unlikely(!q->stream->turn(q->stream, q->turns, count)))
        count = drop_stopped(q, q->turns, count);
    if (send_on(q, q->turns, count) && (q->qp.urgent || !q->qp.dirty))
        nvme_qpair_ring(&q->qp);
    if (unlikely(q->waiting)) // in the slots of those that don't go on
        nvme_request_pump(q);
    return reaped;
}

bool nvme_open_stream(struct block_req *req, struct block_stream *stream)
{
    struct nvme_queue *q = nvme_queue_for(req->dev->driver, req, req->cpu);
    if (req->port != &q->straight || nvme_qpair_owner(&q->qp) != cpu_index() || q->stream ||
        q->in_full || nvme_queue_stands_in(q))
        return false;
    if (!q->turns)
        q->turns =
            mem_alloc(NVME_REAP_BUDGET * sizeof(*q->turns), CACHE_LINE, cpu_node(cpu_index()));
    q->stream = stream;
    return true;
}

void nvme_close_stream(struct block_req *req)
{
    nvme_queue_for(req->dev->driver, req, req->cpu)->stream = NULL;
}
