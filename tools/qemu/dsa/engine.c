// SPDX-License-Identifier: BSD-2-Clause
// Arbiter and engines (3.4, 3.5, 3.8, 3.9). Each engine takes one descriptor; another engine is first to
// finish each time, so that nobody relies on an order that the specification doesn't give.
#include "tools/qemu/dsa/complete.h"
#include "tools/qemu/dsa/descriptor.h"

#define ASTRAY_BIT 38

// ---- what is in the device ----

static bool engine_busy(const struct dsa_engine *e, uint64_t wqs, uint64_t before)
{
    return e->busy && (wqs & BIT64(e->work.wq)) && e->work.number < before;
}

bool dsa_busy(const struct dsa *d, uint64_t wqs, uint64_t before)
{
    for (unsigned i = 0; i < d->options.wqs; i++) {
        const struct dsa_wq *q = &d->wqs[i];
        if ((wqs & BIT64(i)) && q->count && q->ring[q->head].number < before)
            return true;
    }
    for (unsigned i = 0; i < d->options.engines; i++)
        if (engine_busy(&d->engines[i], wqs, before))
            return true;
    return false;
}

static struct dsa_descriptor dequeue(const struct dsa *d, struct dsa_wq *q)
{
    struct dsa_descriptor w = q->ring[q->head];
    q->head = (q->head + 1) % (unsigned)d->options.total_size;
    q->count--;
    return w;
}

// What engines have begun is finished; what waits in queues is dropped.
void dsa_abandon(struct dsa *d, uint64_t wqs, uint64_t before)
{
    for (unsigned i = 0; i < d->options.wqs; i++) {
        struct dsa_wq *q = &d->wqs[i];
        while ((wqs & BIT64(i)) && q->count && q->ring[q->head].number < before)
            dequeue(d, q);
    }
}

void dsa_engines_reset(struct dsa *d)
{
    for (unsigned i = 0; i < MAX_WQS; i++) {
        d->wqs[i].state = DSA_DISABLED;
        d->wqs[i].count = 0;
    }
    memset(d->engines, 0, sizeof(d->engines));
    d->repeat.due = false;
}

// ---- dispatch (4.1): in each round a queue has as many turns as its priority ----

static uint64_t ready_wqs(const struct dsa *d, unsigned engine)
{
    uint64_t ready = 0;
    for (unsigned g = 0; g < d->options.groups; g++)
        if (d->group_engines[g] & BIT64(engine))
            ready |= d->group_wqs[g];
    for_each_bit (i, ready)
        if (!d->wqs[i].count)
            ready &= ~BIT64(i);
    return ready;
}

static unsigned next_wq(struct dsa *d, uint64_t ready)
{
    unsigned best = (unsigned)__builtin_ctzll(ready);
    for_each_bit (i, ready)
        if (d->wqs[i].turns > d->wqs[best].turns)
            best = (unsigned)i;
    if (!d->wqs[best].turns)
        for_each_bit (i, ready)
            d->wqs[i].turns = (unsigned)field_get(WQCFG_PRIORITY, d->wqcfg[i][WQCFG_MODE / 4]);
    d->wqs[best].turns -= d->wqs[best].turns > 0;
    return best;
}

// An address bit flips: above all memory, and within what an IOMMU translates.
static void lead_astray(struct dsa *d, struct dsa_descriptor *w)
{
    uint8_t op = descriptor_operation(w);
    bool reads = op != OP_NOOP && op != OP_DRAIN && op != OP_FILL;
    bool second = op == OP_MOVE || op == OP_FILL || op == OP_COMPARE || op == OP_COPY_CRC;
    if ((!reads && !second) || !dsa_planted(d, DSA_PLANT_ASTRAY))
        return;
    bool first = reads && (!second || d->plant_count / d->plant_every % 2);
    w->bytes[(first ? 16 : 24) + ASTRAY_BIT / 8] ^= 1 << ASTRAY_BIT % 8;
}

static void dispatch(struct dsa *d, unsigned engine)
{
    struct dsa_engine *e = &d->engines[engine];
    uint64_t ready = e->busy || d->options.hold ? 0 : ready_wqs(d, engine);
    if (!ready)
        return;
    unsigned wq = next_wq(d, ready);
    *e = (struct dsa_engine){ .busy = true, .work = dequeue(d, &d->wqs[wq]) };
    lead_astray(d, &e->work);
    dsa_check_occupancy(d, wq);
}

// ---- execution ----

static struct dsa_result process(struct dsa *d, const struct dsa_descriptor *w)
{
    struct dsa_result r = dsa_descriptor_check(d, w);
    if (r.status == STATUS_NONE)
        r = dsa_execute(d, w);
    dsa_complete(d, w, r);
    return r;
}

static void end(struct dsa *d, struct dsa_engine *e, struct dsa_result r)
{
    dsa_complete(d, &e->work, r);
    e->busy = false;
}

static void end_batch(struct dsa *d, struct dsa_engine *e)
{
    end(d, e,
        (struct dsa_result){ .status = e->failed ? STATUS_BATCH_FAILED : STATUS_SUCCESS,
                             .bytes = e->done });
}

static void batch_fault(struct dsa *d, struct dsa_engine *e, uint64_t address)
{
    uint8_t status = dsa_ats_on(d) ? STATUS_BATCH_FAULT : STATUS_READ_ERROR;
    end(d, e, (struct dsa_result){ .status = status, .bytes = e->done, .address = address });
}

// One member of the batch, or its end.
static void batch_step(struct dsa *d, struct dsa_engine *e)
{
    struct dsa_descriptor w = e->work;
    uint64_t at = descriptor_source(&e->work) + (uint64_t)e->done * DESCRIPTOR_BYTES;
    if (e->done == e->count) {
        end_batch(d, e);
        return;
    }
    if (!dsa_dma(d, at, w.bytes, sizeof(w.bytes), false)) {
        batch_fault(d, e, at);
        return;
    }
    w.batched = true;
    w.member = (uint16_t)e->done;
    if ((descriptor_flags(&w) & FLAG_FENCE) && e->failed) {
        end_batch(d, e);
        return;
    }
    e->failed |= process(d, &w).status != STATUS_SUCCESS;
    e->done++;
}

static void drain(struct dsa *d, struct dsa_engine *e)
{
    if (!dsa_busy(d, BIT64(e->work.wq), e->work.number))
        end(d, e, (struct dsa_result){ .status = STATUS_SUCCESS });
}

static void step(struct dsa *d, struct dsa_engine *e)
{
    uint8_t op = descriptor_operation(&e->work);
    if (e->batch) {
        batch_step(d, e);
        return;
    }
    struct dsa_result r = dsa_descriptor_check(d, &e->work);
    if (r.status) {
        end(d, e, r);
    } else if (op == OP_BATCH) {
        e->batch = true;
        e->count = descriptor_size(&e->work);
    } else if (op == OP_DRAIN) {
        drain(d, e);
    } else {
        process(d, &e->work);
        e->busy = false;
    }
}

static bool work_left(const struct dsa *d)
{
    for (unsigned i = 0; i < d->options.engines; i++)
        if (d->engines[i].busy || (!d->options.hold && ready_wqs(d, i)))
            return true;
    return false;
}

// Whether any engine had something to do.
static bool finish_some(struct dsa *d)
{
    unsigned engines = (unsigned)d->options.engines;
    bool any = false;
    for (unsigned i = 0; i < engines && d->state != DSA_HALTED; i++) {
        struct dsa_engine *e = &d->engines[(d->first_engine + i) % engines];
        any |= e->busy;
        if (e->busy)
            step(d, e);
    }
    return any;
}

bool dsa_engines_step(struct dsa *d)
{
    if (d->state != DSA_ENABLED && d->state != DSA_DRAINING)
        return false;
    for (unsigned i = 0; i < d->options.engines; i++)
        dispatch(d, i);
    if (finish_some(d))
        d->first_engine = (d->first_engine + 1) % (unsigned)d->options.engines;
    return work_left(d);
}
