// SPDX-License-Identifier: BSD-2-Clause
// Queued invalidation (VT-d 6.5.2): requests go into a ring in memory; a wait descriptor behind
// each has the unit write the request's number into a status word that lives as long as the unit.

#include "drivers/vtd/unit.h"

#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define QUEUE_BYTES PAGE_BYTES // IQA.QS = 0

bool vtd_queue_start(struct vtd_unit *u, struct problem *p)
{
    struct vtd_queue *q = &u->queue;
    // Where firmware used scalable or abort-DMA mode, RTADDR.TTM keeps its value with translation
    // off, and 128-bit descriptors are errors there; 256-bit ones serve every mode of a unit that
    // has those modes, and no other unit (VT-d 6.5.2.11, table 26; 11.4.9.9).
    bool wide = u->ecap & (VTD_ECAP_SMTS | VTD_ECAP_ADMS);
    *q = (struct vtd_queue){
        .step = wide ? 2 * QI_BYTES : QI_BYTES,
        .descriptors = mem_alloc(QUEUE_BYTES, PAGE_BYTES, u->node),
        .status = mem_alloc(CACHE_LINE, CACHE_LINE, u->node),
    };
    // The tail is at 0 since the unit was taken over.
    vtd_write64(u, VTD_IQA, mem_phys(q->descriptors) | (wide ? VTD_IQA_DW : 0));
    return vtd_gcmd(u, VTD_GCMD_QIE, true, p);
}

// The queue is always read with snooping (VT-d 11.4.3, C): it needs no cache flush.
static void put_at(const struct vtd_queue *q, uint32_t offset, uint64_t low, uint64_t high)
{
    uint64_t padded[2 * QI_BYTES / sizeof(uint64_t)] = { low, high };
    memcpy((uint8_t *)q->descriptors + offset, padded, q->step);
}

static void put(struct vtd_queue *q, uint64_t low, uint64_t high)
{
    put_at(q, q->tail, low, high);
    q->tail = (q->tail + q->step) % QUEUE_BYTES;
}

static bool done(const struct vtd_queue *q)
{
    return atomic_load_explicit(q->status, memory_order_acquire) == q->number;
}

static bool stopped(const struct vtd_unit *u)
{
    return vtd_read32(u, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE);
}

static const char *error_text(uint64_t iqei)
{
    static const char *const texts[] = {
        "no details",
        "invalid tail",
        "a descriptor can't be read",
        "invalid descriptor type",
        "reserved bits in a descriptor",
        "invalid descriptor width",
        "tail not aligned",
        "invalid translation mode",
    };
    return iqei < ARRAY_SIZE(texts) ? texts[iqei] : "unknown details";
}

// The unit stands at a descriptor that it refuses. An empty wait in its place lets it go on with
// the rest; if it then doesn't reach the tail, the queue is given up.
static void recover(struct vtd_unit *u)
{
    struct vtd_queue *q = &u->queue;
    uint32_t head = (uint32_t)(vtd_read64(u, VTD_IQH) & VTD_IQ_OFFSET);
    if (head % q->step == 0 && head < QUEUE_BYTES)
        put_at(q, head, field_put(QI_TYPE, QI_TYPE_WAIT), 0);
    vtd_write32(u, VTD_FSTS, VTD_FSTS_IQE | VTD_FSTS_ITE);
    q->stuck = !poll_until(vtd_read64(u, VTD_IQH) == q->tail, VTD_DEADLINE_NS);
}

static bool queue_error(struct vtd_unit *u, uint64_t request, struct problem *p)
{
    uint64_t iqei = field_get(VTD_IQERCD_IQEI, vtd_read64(u, VTD_IQERCD));
    uint32_t fsts = vtd_read32(u, VTD_FSTS);
    recover(u);
    return problem_set(p, "vtd-queue-error",
                       "VT-d unit 0x%llx refused invalidation %016llx: %s (FSTS %08x)%s",
                       (unsigned long long)u->base, (unsigned long long)request,
                       fsts & VTD_FSTS_IQE ? error_text(iqei) : "a device TLB didn't answer", fsts,
                       u->queue.stuck ? "; its queue is stuck now: power the machine off and on"
                                      : "; the queue goes on: report this as an error of Onebell");
}

static bool queue_stuck(struct vtd_unit *u, uint64_t request, struct problem *p)
{
    u->queue.stuck = true;
    return problem_set(
        p, "vtd-queue-stuck",
        "VT-d unit 0x%llx gave no answer to invalidation %016llx within %llu ms (head "
        "%llx, tail %llx, FSTS %08x): power the machine off and on",
        (unsigned long long)u->base, (unsigned long long)request, VTD_DEADLINE_NS / NS_PER_MS,
        (unsigned long long)vtd_read64(u, VTD_IQH), (unsigned long long)vtd_read64(u, VTD_IQT),
        vtd_read32(u, VTD_FSTS));
}

// One request at a time, waited for: the ring never fills. A request that timed out may still be
// answered later; its number then matches nothing. The high word of what is asked for here is 0.
static bool submit(struct vtd_unit *u, unsigned type, uint64_t fields, struct problem *p)
{
    struct vtd_queue *q = &u->queue;
    uint64_t request = field_put(QI_TYPE, type) | fields;
    if (q->stuck)
        return problem_set(p, "vtd-queue-stuck",
                           "the queue of VT-d unit 0x%llx has been stuck since an earlier request: "
                           "power the machine off and on",
                           (unsigned long long)u->base);
    q->number++;
    put(q, request, 0);
    put(q, field_put(QI_TYPE, QI_TYPE_WAIT) | QI_WAIT_SW | field_put(QI_WAIT_DATA, q->number),
        mem_phys(q->status));
    vtd_write64(u, VTD_IQT, q->tail);

    bool ended = poll_until(done(q) || stopped(u), VTD_DEADLINE_NS);
    return done(q) || (ended ? queue_error(u, request, p) : queue_stuck(u, request, p));
}

bool vtd_invalidate_all(struct vtd_unit *u, struct problem *p)
{
    return submit(u, QI_TYPE_IEC, 0, p);
}

bool vtd_invalidate_entries(struct vtd_unit *u, uint16_t index, unsigned mask, struct problem *p)
{
    uint64_t which = QI_IEC_G | field_put(QI_IEC_IM, mask) | field_put(QI_IEC_IIDX, index);
    return submit(u, QI_TYPE_IEC, which, p);
}

static bool invalidate_pages(struct vtd_unit *u, uint64_t which, struct problem *p)
{
    uint64_t drains =
        (u->cap & VTD_CAP_DRD ? QI_IOTLB_DR : 0) | (u->cap & VTD_CAP_DWD ? QI_IOTLB_DW : 0);
    return submit(u, QI_TYPE_IOTLB, which | drains, p);
}

bool vtd_invalidate_domain(struct vtd_unit *u, uint16_t domain, struct problem *p)
{
    uint64_t which = field_put(QI_IOTLB_G, QI_G_DOMAIN) | field_put(QI_IOTLB_DID, domain);
    return invalidate_pages(u, which, p);
}

bool vtd_invalidate_source(struct vtd_unit *u, uint16_t source, uint16_t domain, struct problem *p)
{
    uint64_t which = field_put(QI_CONTEXT_G, QI_G_DEVICE) | field_put(QI_CONTEXT_DID, domain) |
                     field_put(QI_CONTEXT_SID, source);
    return submit(u, QI_TYPE_CONTEXT, which, p) && vtd_invalidate_domain(u, domain, p);
}

bool vtd_invalidate_translations(struct vtd_unit *u, struct problem *p)
{
    return submit(u, QI_TYPE_CONTEXT, field_put(QI_CONTEXT_G, QI_G_ALL), p) &&
           invalidate_pages(u, field_put(QI_IOTLB_G, QI_G_ALL), p);
}
