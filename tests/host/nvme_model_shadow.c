// SPDX-License-Identifier: BSD-2-Clause
// The model's shadow doorbells (NVMe Base 2.0, 5.8 and B.5): it looks at them whenever it works, and
// asks to be told by the register of the first change after that.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

uint32_t model_take_shadows(struct model *m, const struct nvme_sqe *sqe)
{
    require(sqe->prp1 && sqe->prp2 && !(sqe->prp1 % NVME_PAGE) && !(sqe->prp2 % NVME_PAGE) &&
                sqe->prp1 != sqe->prp2,
            "shadow doorbells at %llx and %llx", (unsigned long long)sqe->prp1,
            (unsigned long long)sqe->prp2);
    static const uint8_t zeros[NVME_PAGE];
    require(!memcmp(model_memory(m, sqe->prp1), zeros, NVME_PAGE) &&
                !memcmp(model_memory(m, sqe->prp2), zeros, NVME_PAGE),
            "shadow doorbells that are not zero");
    if (!(m->id.oacs & NVME_OACS_DBBUF))
        return NVME_STATUS(0, 0x01);
    m->shadows = sqe->prp1;
    m->shadow_events = sqe->prp2;
    return 0;
}

static uint32_t *at(const struct model *m, uint64_t page, size_t offset)
{
    return (uint32_t *)((char *)model_memory(m, page) + offset);
}

void model_check_shadow(const struct model *m, size_t offset, uint32_t value)
{
    size_t stride = 4ull << field_get(NVME_CAP_DSTRD, m->cap);
    if (m->shadows && offset >= 2 * stride && offset < NVME_PAGE) // the admin queue's come late
        require(*at(m, m->shadows, offset) == value, "a doorbell of %u, and %u in its shadow",
                value, *at(m, m->shadows, offset));
}

void model_look_at_shadows(struct model *m)
{
    size_t stride = 4ull << field_get(NVME_CAP_DSTRD, m->cap);
    for (unsigned n = 2; m->shadows && n < 2 * MODEL_QUEUES; n++) {
        struct model_queue *q = &m->queues[n / 2];
        unsigned seen = n % 2 ? q->cq_head : q->sq_tail;
        if (!(n % 2 ? q->cq : q->sq) || n * stride >= NVME_PAGE)
            continue;
        uint32_t value = *at(m, m->shadows, n * stride);
        m->looks = true;
        if (value != seen)
            model_doorbell(m, n * stride, value);
        m->looks = false;
        *at(m, m->shadow_events, n * stride) = m->mute ? (value + 20000) & 0xffff : value;
    }
}
