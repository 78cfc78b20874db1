// SPDX-License-Identifier: BSD-2-Clause
// Sources of a copy as a command's ranges.

#include "drivers/nvme/copy.h"

// A place in a request's sources, and what is left of the blocks that are looked at.
struct walk {
    const struct block_source *source;
    uint32_t skip; // blocks of it that are passed
    uint32_t left;
    uint32_t most; // blocks of a range
};

static struct walk begin(const struct nvme_copy *c, const struct block_req *req, uint32_t first,
                         uint32_t blocks)
{
    struct walk w = { .source = req->sources, .left = blocks, .most = c->source_most };
    for (w.skip = first; w.skip >= w.source->blocks; w.source++)
        w.skip -= w.source->blocks;
    return w;
}

static struct nvme_copy_range next(struct walk *w)
{
    uint32_t blocks = w->source->blocks - w->skip;
    blocks = MIN(blocks, w->left);
    blocks = MIN(blocks, w->most);
    struct nvme_copy_range range = {
        .slba = w->source->lba + w->skip,
        .nlb = (uint16_t)(blocks - 1),
    };
    w->left -= blocks;
    w->skip += blocks;
    if (w->skip == w->source->blocks) {
        w->source++;
        w->skip = 0;
    }
    return range;
}

uint32_t nvme_copy_run(const struct nvme_copy *c, const struct block_req *req, uint32_t first,
                       uint32_t most)
{
    struct walk w = begin(c, req, first, most);
    for (uint32_t i = 0; w.left && i < c->ranges_most; i++)
        next(&w);
    return most - w.left;
}

unsigned nvme_copy_list(const struct nvme_copy *c, const struct block_req *req, uint32_t first,
                        uint32_t blocks, uint32_t tag_mask, struct nvme_copy_range *list)
{
    struct walk w = begin(c, req, first, blocks);
    unsigned count = 0;
    for (; w.left; count++) {
        list[count] = next(&w);
        list[count].eilbrt = (uint32_t)list[count].slba & tag_mask;
    }
    return count;
}
