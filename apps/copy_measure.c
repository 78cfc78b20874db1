// SPDX-License-Identifier: BSD-2-Clause
// Both ways take the same memory in turn, several requests in flight; the best of some tries counts, since
// whatever else goes on only adds to them.
#include "apps/copy_pays.h"

#include "apps/arena.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/bits.h"

#define IN_FLIGHT 16
#define TRIES 8

static struct {
    struct copy_req reqs[IN_FLIGHT];
    unsigned left;
    bool stop, failed;
} burst;

static void done(struct copy_req *req)
{
    burst.failed |= req->status != COPY_OK;
    burst.stop = --burst.left == 0;
}

// Nanoseconds for each; 0: one failed.
static uint64_t run_burst(void)
{
    uint64_t start = time_ns();
    burst.left = IN_FLIGHT;
    burst.stop = burst.failed = false;
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        copy_resubmit(&burst.reqs[i]);
    cpu_run_until(&burst.stop);
    return burst.failed ? 0 : (time_ns() - start) / IN_FLIGHT;
}

static uint64_t measure(enum copy_op op, struct copy_dev *dev, uint8_t *memory, uint32_t bytes)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        uint8_t *at = memory + 2ull * COPY_PAYS_MOST * i;
        burst.reqs[i] = (struct copy_req){ .op = op,
                                           .bytes = bytes,
                                           .from = at,
                                           .to = at + COPY_PAYS_MOST,
                                           .dev = dev,
                                           .done = done };
        copy_prepare(&burst.reqs[i]);
    }
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t ns = run_burst();
        if (!ns)
            return UINT64_MAX;
        best = MIN(best, ns);
    }
    return best;
}

static struct copy_dev *find(enum copy_op op)
{
    struct copy_dev *dev = copy_first();
    while (dev && !(dev->ops & BIT32(op)))
        dev = dev->next;
    return dev;
}

// While nothing is chosen, requests without a device are the CPU's.
bool copy_pays_measure(enum copy_op op, struct copy_pays *out)
{
    struct copy_dev *dev = find(op);
    if (!dev)
        return false;
    uint8_t *memory =
        arena_alloc_dma(arena_of_run(), 2ull * COPY_PAYS_MOST * IN_FLIGHT, PAGE_BYTES, cpu_node(0));
    copy_set_least(op, UINT32_MAX);
    for (unsigned i = 0; i < COPY_PAYS_SIZES; i++) {
        out->cpu_ns[i] = measure(op, NULL, memory, COPY_PAYS_LEAST << i);
        out->dev_ns[i] = measure(op, dev, memory, COPY_PAYS_LEAST << i);
    }
    out->least = copy_pays_from(out);
    copy_set_least(op, out->least);
    return true;
}
