// SPDX-License-Identifier: BSD-2-Clause
// Pieces of memory as a command's data pointer tells them.

#include "drivers/nvme/scatter.h"

#include "drivers/nvme/prp.h"
#include "kernel/mem/mem.h"

// A stretch of a piece, as the controller sees it.
struct span {
    uint64_t phys, bytes;
};

// A place in a request's pieces, and what is left of the blocks that are looked at.
struct walk {
    const struct block_piece *piece;
    uint32_t skip; // blocks of it that are passed
    uint32_t left;
    unsigned shift;
};

static struct walk begin(const struct nvme_scatter *s, const struct block_req *req, uint32_t first,
                         uint32_t blocks)
{
    struct walk w = { .piece = req->pieces, .left = blocks, .shift = s->block_shift };
    for (w.skip = first; w.skip >= w.piece->blocks; w.piece++)
        w.skip -= w.piece->blocks;
    return w;
}

static struct span next(struct walk *w)
{
    uint32_t blocks = MIN(w->piece->blocks - w->skip, w->left);
    struct span span = {
        .phys = mem_phys(w->piece->at) + ((uint64_t)w->skip << w->shift),
        .bytes = (uint64_t)blocks << w->shift,
    };
    w->left -= blocks;
    w->skip = 0;
    w->piece++;
    return span;
}

static bool meet_at_a_page(const struct span *a, const struct span *b)
{
    return (a->phys + a->bytes) % NVME_PAGE == 0 && b->phys % NVME_PAGE == 0;
}

// ---- how far ----

// Blocks up to the first seam that PRPs can't tell.
static uint32_t run_of_pages(const struct nvme_scatter *s, const struct block_req *req,
                             uint32_t first, uint32_t most)
{
    struct walk w = begin(s, req, first, most);
    struct span span = next(&w);
    while (w.left) {
        uint32_t done = most - w.left;
        struct span after = next(&w);
        if (!meet_at_a_page(&span, &after))
            return done;
        span = after;
    }
    return most;
}

// Blocks of as many pieces as a list has descriptors for.
static uint32_t run_of_descriptors(const struct nvme_scatter *s, const struct block_req *req,
                                   uint32_t first, uint32_t most)
{
    struct walk w = begin(s, req, first, most);
    for (uint32_t i = 0; w.left && i < s->list_bytes / sizeof(struct nvme_sgl); i++)
        next(&w);
    return most - w.left;
}

uint32_t nvme_scatter_run(const struct nvme_scatter *s, const struct block_req *req, uint32_t first,
                          uint32_t most)
{
    uint32_t pages = run_of_pages(s, req, first, most);
    return s->sgl && pages < most ? run_of_descriptors(s, req, first, most) : pages;
}

// ---- where ----

// All pages after the first one, into the list; where there is one alone, it needs none.
static void point_by_pages(const struct nvme_scatter *s, struct walk w, struct nvme_io_sqe *sqe)
{
    struct span span = next(&w);
    unsigned count = 0;
    uint64_t page = ALIGN_DOWN(span.phys, NVME_PAGE) + NVME_PAGE;
    sqe->data[0] = span.phys;
    for (;;) {
        for (; page < span.phys + span.bytes; page += NVME_PAGE)
            s->list[count++] = page;
        if (!w.left)
            break;
        span = next(&w);
        page = span.phys;
    }
    sqe->data[1] = count > 1 ? mem_phys(s->list) : count ? s->list[0] : 0;
}

static void point_by_descriptors(const struct nvme_scatter *s, struct walk w,
                                 struct nvme_io_sqe *sqe)
{
    struct nvme_sgl *list = (struct nvme_sgl *)s->list;
    unsigned count = 0;
    while (w.left) {
        struct span span = next(&w);
        list[count++] = nvme_sgl_block(span.phys, span.bytes);
    }
    struct nvme_sgl all = nvme_sgl_last_segment(mem_phys(list), count);
    sqe->head |= field_put(NVME_SQE_PSDT, NVME_SQE_PSDT_SGL);
    sqe->data[0] = all.address;
    sqe->data[1] = all.length;
}

void nvme_scatter_point(const struct nvme_scatter *s, const struct block_req *req, uint32_t first,
                        uint32_t blocks, struct nvme_io_sqe *sqe)
{
    struct walk w = begin(s, req, first, blocks);
    if (run_of_pages(s, req, first, blocks) == blocks)
        point_by_pages(s, w, sqe);
    else
        point_by_descriptors(s, w, sqe);
}
