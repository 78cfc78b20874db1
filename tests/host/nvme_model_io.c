// SPDX-License-Identifier: BSD-2-Clause
// The controller's I/O queues: fetching, PRPs, reads, completions right and wrong.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

// Follows the PRPs as a controller does (NVMe Base 2.0, 4.1.1).
struct prp_walk {
    struct model *m;
    uint64_t prp2, left;
    const uint64_t *list;
    unsigned entries; // of the list that are left in its page
};

static uint64_t next_page(struct prp_walk *w)
{
    if (!w->list && w->left <= NVME_PAGE) {
        require(w->prp2 % NVME_PAGE == 0, "PRP2 names a page at an offset");
        return w->prp2;
    }
    if (!w->list) {
        require(w->prp2 % 8 == 0, "PRP2 names a list at an odd address");
        w->list = model_memory(w->m, w->prp2);
        w->entries = (unsigned)(NVME_PAGE - w->prp2 % NVME_PAGE) / 8;
    }
    require(w->entries, "a PRP list runs over its page");
    w->entries--;
    require(*w->list % NVME_PAGE == 0, "a PRP list entry is at an offset");
    return *w->list++;
}

static void fill(struct model *m, const struct nvme_sqe *sqe, uint32_t nsid, uint64_t offset,
                 uint64_t bytes)
{
    struct prp_walk w = { .m = m, .prp2 = sqe->prp2, .left = bytes };
    uint64_t page = sqe->prp1;
    require(page % 4 == 0, "PRP1 is not dword aligned");
    while (w.left) {
        uint64_t now = MIN(NVME_PAGE - page % NVME_PAGE, w.left);
        model_expect(nsid, offset, model_memory(m, page), now);
        offset += now;
        w.left -= now;
        if (w.left)
            page = next_page(&w);
        else if (!w.list && bytes == now)
            require(!sqe->prp2, "PRP2 of a one-page transfer is not zero");
    }
}

// ---- completions ----

void model_interrupt(struct model *m, unsigned cq)
{
    unsigned vector = m->queues[cq].vector;
    if (!m->queues[cq].interrupts || !m->msix_enabled)
        return;
    if (m->drop_interrupts) {
        m->drop_interrupts--;
        return;
    }
    m->interrupts++;
    m->raised[vector] = true;
}

void model_write_cqe(struct model *m, unsigned cqid, unsigned cid, unsigned sqid, unsigned sqhd,
                     uint32_t status, uint32_t dw0)
{
    struct model_queue *cq = &m->queues[cqid];
    require(cq->cq, "completion queue %u does not exist", cqid);
    require((cq->cq_tail + 1) % cq->cq_entries != cq->cq_head, "completion queue %u is full", cqid);
    struct nvme_cqe *e = (struct nvme_cqe *)model_memory(m, cq->cq) + cq->cq_tail;
    e->dw0 = dw0;
    e->tail = field_put(NVME_CQE_SQHD, sqhd) | field_put(NVME_CQE_SQID, sqid) |
              field_put(NVME_CQE_CID, cid) | (cq->phase ? NVME_CQE_P : 0) |
              field_put(NVME_CQE_STATUS, status);
    if (++cq->cq_tail == cq->cq_entries) {
        cq->cq_tail = 0;
        cq->phase = !cq->phase;
    }
}

// Old phase, everything else random: nobody may look at it.
static void write_garbage(struct model *m, unsigned cqid)
{
    struct model_queue *cq = &m->queues[cqid];
    struct nvme_cqe *e = (struct nvme_cqe *)model_memory(m, cq->cq) + cq->cq_tail;
    e->dw0 = (uint32_t)rand();
    e->tail = (uint64_t)rand() << 33 ^ (uint64_t)rand();
    e->tail &= ~NVME_CQE_P;
    e->tail |= cq->phase ? 0 : NVME_CQE_P;
}

void model_post(struct model *m, unsigned sq, unsigned cid, unsigned sqid, unsigned sqhd,
                uint32_t status)
{
    model_write_cqe(m, m->queues[sq].cqid, cid, sqid, sqhd, status, 0);
}

// ---- I/O commands ----

static uint32_t execute_read(struct model *m, const struct nvme_sqe *sqe)
{
    uint32_t nsid = (uint32_t)field_get(NVME_SQE_NSID, sqe->head);
    const struct model_namespace *ns = model_find_namespace(m, nsid);
    uint64_t lba = sqe->cdw10 | (uint64_t)sqe->cdw11 << 32;
    uint64_t blocks = (sqe->cdw12 & 0xffff) + 1ull;
    require(ns, "a read of namespace %u, which is not active", nsid);
    unsigned shift = (unsigned)field_get(NVME_LBAF_LBADS, ns->data.lbaf[0]);
    require(!(sqe->cdw12 >> 16) && !sqe->cdw13 && !sqe->cdw14 && !sqe->cdw15 && !sqe->cdw2_3 &&
                !sqe->mptr && !(sqe->head & 0xff00),
            "a read with reserved or unwanted fields");
    require(lba + blocks <= ns->data.nsze, "a read past the end");
    if (m->id.mdts && m->id.mdts < 40)
        require(blocks << shift <= NVME_PAGE << m->id.mdts, "a read longer than MDTS");
    if (lba <= m->error_lba && m->error_lba < lba + blocks)
        return m->error_status;
    fill(m, sqe, nsid, lba << shift, blocks << shift);
    m->reads++;
    m->blocks += (unsigned)blocks;
    m->longest = MAX(m->longest, blocks << shift);
    return 0;
}

static bool is_dropped(const struct model *m, const struct nvme_sqe *sqe)
{
    uint64_t lba = sqe->cdw10 | (uint64_t)sqe->cdw11 << 32;
    return lba <= m->drop_lba && m->drop_lba <= lba + (sqe->cdw12 & 0xffff);
}

static void complete_io(struct model *m, const struct model_command *c)
{
    struct model_queue *sq = &m->queues[c->sq];
    unsigned cid = (unsigned)field_get(NVME_SQE_CID, c->sqe.head);
    unsigned sqhd = sq->sq_head + (unsigned)m->sqhd_lie;

    require(field_get(NVME_SQE_OPC, c->sqe.head) == NVME_CMD_READ, "an I/O opcode that is no read");
    if (is_dropped(m, &c->sqe))
        return;
    uint32_t status = execute_read(m, &c->sqe);
    if (m->cid_lie)
        model_post(m, c->sq, cid + 0x4000, c->sq, sqhd, 0);
    if (m->sqid_lie)
        model_post(m, c->sq, cid, c->sq + 1, sqhd, 0);
    model_post(m, c->sq, cid, c->sq, sqhd, status);
    if (m->twice)
        model_post(m, c->sq, cid, c->sq, sqhd, status);
    if (m->stale_garbage)
        write_garbage(m, sq->cqid);
    sq->used[cid] = false;
}

static unsigned choose(struct model *m)
{
    if (m->order == MODEL_LIFO)
        return m->pending_count - 1;
    return m->order == MODEL_RANDOM ? (unsigned)rand() % m->pending_count : 0;
}

static bool cq_has_room(const struct model *m, const struct model_command *c)
{
    const struct model_queue *cq = &m->queues[m->queues[c->sq].cqid];
    return (cq->cq_tail + 1) % cq->cq_entries != cq->cq_head;
}

void model_fetch(struct model *m, unsigned qid, unsigned most)
{
    struct model_queue *q = &m->queues[qid];
    while (q->sq_head != q->sq_tail && most--) {
        struct nvme_sqe *sqe = (struct nvme_sqe *)model_memory(m, q->sq) + q->sq_head;
        unsigned cid = (unsigned)field_get(NVME_SQE_CID, sqe->head);
        q->sq_head = (q->sq_head + 1) % q->sq_entries;
        require(!q->used[cid], "command id %u is in use on queue %u", cid, qid);
        q->used[cid] = true;
        if (!qid) {
            model_run_admin(m, sqe);
            continue;
        }
        assert_true(m->pending_count < MODEL_COMMANDS);
        m->pending[m->pending_count++] = (struct model_command){ *sqe, qid };
    }
}

void model_work(struct model *m)
{
    bool posted[MODEL_QUEUES] = { false };
    for (unsigned q = 1; m->lazy_fetch && q < MODEL_QUEUES; q++)
        model_fetch(m, q, m->lazy_fetch);
    while (m->pending_count && !m->hold && !m->removed && (m->csts & NVME_CSTS_RDY) &&
           !(m->csts & NVME_CSTS_CFS)) {
        unsigned i = choose(m);
        if (!cq_has_room(m, &m->pending[i]))
            break;
        struct model_command c = m->pending[i];
        memmove(&m->pending[i], &m->pending[i + 1], (--m->pending_count - i) * sizeof(c));
        unsigned tail = m->queues[m->queues[c.sq].cqid].cq_tail;
        complete_io(m, &c);
        posted[m->queues[c.sq].cqid] |= tail != m->queues[m->queues[c.sq].cqid].cq_tail;
    }
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        if (posted[q])
            model_interrupt(m, q);
}
