// SPDX-License-Identifier: BSD-2-Clause
// What a command says: its fields by operation, format and place, and where its data or its ranges
// are.

#include "drivers/nvme/command.h"

#include "drivers/nvme/copy.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/scatter.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"

const struct nvme_op nvme_ops[BLOCK_OPS] = {
    [BLOCK_READ] = { NVME_CMD_READ, true, "read", 0 },
    [BLOCK_WRITE] = { NVME_CMD_WRITE, true, "write", 0 },
    [BLOCK_FLUSH] = { NVME_CMD_FLUSH, false, "flush", 0 },
    [BLOCK_WRITE_ZEROES] = { NVME_CMD_WRITE_ZEROES, false, "write of zeroes", 0 },
    [BLOCK_DEALLOCATE] = { NVME_CMD_DATASET_MANAGEMENT, false, "deallocation", 0 },
    [BLOCK_COMPARE] = { NVME_CMD_COMPARE, true, "comparison", 0 },
    [BLOCK_VERIFY] = { NVME_CMD_VERIFY, false, "verification", 0 },
    [BLOCK_COPY] = { NVME_CMD_COPY, false, "copy", 0 },
    [BLOCK_ZONE_REPORT] = { NVME_CMD_ZONE_RECEIVE, true, "report of zones",
                            NVME_ZONE_REPORT | NVME_ZONE_RECEIVE_PARTIAL },
    [BLOCK_ZONE_APPEND] = { NVME_CMD_ZONE_APPEND, true, "zone append", 0 },
    [BLOCK_ZONE_FINISH] = { NVME_CMD_ZONE_SEND, false, "finish of a zone", NVME_ZONE_FINISH },
    [BLOCK_ZONE_RESET] = { NVME_CMD_ZONE_SEND, false, "reset of a zone", NVME_ZONE_RESET },
};

static uint64_t *list_of(struct nvme_queue *q, unsigned id)
{
    if (!q->lists[id])
        q->lists[id] = mem_alloc_dma(q->list_bytes, q->list_bytes, q->dma_node);
    return q->lists[id];
}

// Where the data of a command are, which lie in one piece.
static void point(struct nvme_queue *q, struct nvme_io_sqe *sqe, unsigned id, uint64_t phys,
                  uint64_t bytes)
{
    if (nvme_point(q->ctrl->abilities.sgl, phys, bytes, &sqe->head, sqe->data))
        return;
    uint64_t *list = list_of(q, id);
    struct nvme_prp prp = nvme_prp_build(phys, bytes, list, mem_phys(list));
    sqe->data[0] = prp.prp1;
    sqe->data[1] = prp.prp2;
}

static struct nvme_scatter scatter(const struct nvme_queue *q, const struct nvme_ns *ns,
                                   uint64_t *list)
{
    return (struct nvme_scatter){
        .block_shift = ns->block_shift,
        .sgl = q->ctrl->abilities.sgl,
        .list = list,
        .list_bytes = q->list_bytes,
    };
}

// NVM Command Set 1.0, 3.2.3: one range, which takes the place of a list.
static void name_range(struct nvme_queue *q, struct nvme_io_sqe *sqe, unsigned id, uint64_t lba,
                       uint32_t blocks)
{
    struct nvme_dsm_range *range = (void *)list_of(q, id);
    *range = (struct nvme_dsm_range){ .blocks = blocks, .lba = lba };
    sqe->data[0] = mem_phys(range);
    sqe->slba = NVME_DSM_DEALLOCATE; // CDW10: one range; CDW11
}

static struct nvme_copy copy_limits(const struct nvme_queue *q, const struct nvme_ns *ns)
{
    struct nvme_copy copy = ns->copy;
    copy.ranges_most =
        MIN(copy.ranges_most, (uint32_t)(q->list_bytes / sizeof(struct nvme_copy_range)));
    return copy;
}

// What is read is checked as what is written is (5.2.2): PRACT must be the same in both.
static void name_sources(struct nvme_queue *q, const struct nvme_ns *ns,
                         const struct block_req *req, uint32_t first, uint32_t blocks, unsigned id,
                         struct nvme_io_sqe *sqe)
{
    const struct nvme_form *form = &ns->forms[BLOCK_COPY];
    struct nvme_copy_range *list = (void *)list_of(q, id);
    struct nvme_copy copy = copy_limits(q, ns);
    unsigned ranges = nvme_copy_list(&copy, req, first, blocks, (uint32_t)form->tag_mask, list);
    uint64_t prinfo = field_get(NVME_PRINFO, form->control);
    sqe->data[0] = mem_phys(list);
    sqe->cdw12 = (req->length & ~NVME_IO_NLB) | (ranges - 1) |
                 (uint32_t)field_put(NVME_COPY_PRINFOR, prinfo);
}

// CDW12: blocks and what goes with them; of a report, its dwords (ZNS 3.4.2.1).
static uint32_t length_of(const struct nvme_ns *ns, const struct block_req *req, uint32_t blocks)
{
    switch (req->op) {
    case BLOCK_DEALLOCATE:
    case BLOCK_ZONE_FINISH:
    case BLOCK_ZONE_RESET:
        return 0;
    case BLOCK_ZONE_REPORT:
        return (blocks << ns->block_shift) / 4 - 1;
    default:
        return (req->length & ~NVME_IO_NLB) | (blocks ? blocks - 1 : 0);
    }
}

struct nvme_io_sqe nvme_command(struct nvme_queue *q, const struct nvme_ns *ns,
                                const struct block_req *req, unsigned id, uint32_t first,
                                uint32_t blocks)
{
    const struct nvme_form *form = &ns->forms[req->op];
    uint64_t tag = (req->lba + first) & form->tag_mask; // CDW14, and the rest in CDW3 (NVM 5.2.1)
    struct nvme_io_sqe sqe = {
        .head = (req->command & ~NVME_SQE_PSDT) | field_put(NVME_SQE_CID, id),
        .cdw2_3 = tag & ~(uint64_t)UINT32_MAX,
        .mptr = form->mptr,
        .slba = req->lba + first,
        .cdw12 = length_of(ns, req, blocks),
        .cdw13 = nvme_ops[req->op].cdw13,
        .cdw14 = (uint32_t)tag,
    };
    if (req->op == BLOCK_DEALLOCATE) {
        name_range(q, &sqe, id, req->lba + first, blocks);
    } else if (req->op == BLOCK_COPY) {
        name_sources(q, ns, req, first, blocks, id, &sqe);
    } else if (nvme_is_scattered(req)) {
        struct nvme_scatter s = scatter(q, ns, list_of(q, id));
        nvme_scatter_point(&s, req, first, blocks, &sqe);
    } else if (nvme_ops[req->op].moves_data) {
        uint64_t skip = (uint64_t)first << ns->block_shift;
        point(q, &sqe, id, mem_phys(req->buffer) + skip, (uint64_t)blocks << ns->block_shift);
    }
    return sqe;
}

uint32_t nvme_command_blocks(const struct nvme_queue *q, const struct nvme_ns *ns,
                             const struct block_req *req, uint32_t first)
{
    uint32_t blocks = nvme_piece(&ns->forms[req->op].cuts, req->lba + first, req->blocks - first);
    struct nvme_scatter s = scatter(q, ns, NULL);
    struct nvme_copy copy = copy_limits(q, ns);
    if (nvme_is_scattered(req))
        return nvme_scatter_run(&s, req, first, blocks);
    return req->op == BLOCK_COPY ? nvme_copy_run(&copy, req, first, blocks) : blocks;
}
