// SPDX-License-Identifier: BSD-2-Clause
// The invalidation queue (VT-d 6.5.2): each descriptor is checked before QEMU's own unit takes it,
// and those for the interrupt entry cache are carried out.
#include "tools/qemu/entry_cache.h"
#include "tools/qemu/model.h"
#include "tools/qemu/plant.h"
#include "tools/qemu/rules.h"
#include "tools/qemu/strict.h"

struct qi_descriptor {
    uint64_t low, high;
    uint64_t rest[2]; // of a wide one
};

static bool reserved_clear(const struct qi_descriptor *d, uint64_t low, uint64_t high)
{
    if (!(d->low & low) && !(d->high & high) && !d->rest[0] && !d->rest[1])
        return true;
    strict_breach(RULE_QI_RESERVED, "descriptor %016llx %016llx has reserved bits set",
                  (unsigned long long)d->low, (unsigned long long)d->high);
    return false;
}

static bool run_iec(const struct qi_descriptor *d, struct invalidations *done)
{
    unsigned mask_bits = (unsigned)field_get(QI_IEC_IM, d->low);
    unsigned limit = (unsigned)field_get(ECAP_MHMV, stock_read64(REG_ECAP));
    if (!reserved_clear(d, QI_IEC_RESERVED, ~0ull))
        return false;
    if (!(d->low & QI_IEC_BY_INDEX)) {
        if (!planted(PLANT_STALE_TABLE))
            entry_cache_empty();
        done->entries = true;
        return true;
    }
    if (mask_bits > limit)
        strict_breach(RULE_QI_IEC_MASK, "descriptor %016llx has IM=%u, and ECAP.MHMV is %u",
                      (unsigned long long)d->low, mask_bits, limit);
    entry_cache_invalidate((uint16_t)field_get(QI_IEC_IIDX, d->low),
                           planted(PLANT_MASK) ? 0 : mask_bits);
    return true;
}

// G: 1 all, 2 a domain's, 3 a device's.
static bool run_contexts(const struct qi_descriptor *d, struct invalidations *done)
{
    if (!reserved_clear(d, QI_CONTEXT_RESERVED, ~0ull))
        return false;
    done->contexts |= field_get(QI_G, d->low) == 1;
    rules_dma_invalidate_contexts((unsigned)field_get(QI_G, d->low),
                                  (uint16_t)field_get(QI_DID, d->low),
                                  (uint16_t)field_get(QI_CONTEXT_SID, d->low));
    return true;
}

static bool run_pages(const struct qi_descriptor *d, struct invalidations *done)
{
    if (!reserved_clear(d, QI_IOTLB_RESERVED, QI_IOTLB_HIGH_RESERVED))
        return false;
    done->pages |= field_get(QI_G, d->low) == 1;
    rules_dma_invalidate_pages((unsigned)field_get(QI_G, d->low),
                               (uint16_t)field_get(QI_DID, d->low));
    return true;
}

static bool check_wait(const struct qi_descriptor *d)
{
    if (!reserved_clear(d, QI_WAIT_RESERVED, QI_WAIT_HIGH_RESERVED))
        return false;
    if ((d->low & QI_WAIT_SW) && !ram_at(d->high, 4))
        strict_breach(RULE_QI_WAIT, "a wait descriptor's status address %#llx is not RAM",
                      (unsigned long long)d->high);
    return true;
}

static unsigned type_of(const struct qi_descriptor *d)
{
    return (unsigned)(field_get(QI_TYPE, d->low) | field_get(QI_TYPE_HIGH, d->low) << 4);
}

// False: the unit stops at it.
static bool run(const struct qi_descriptor *d, struct invalidations *done)
{
    unsigned type = type_of(d);
    bool scalable = stock_read64(REG_ECAP) & ECAP_SMTS;
    switch (type) {
    case QI_TYPE_CONTEXT:
        return run_contexts(d, done);
    case QI_TYPE_IOTLB:
        return run_pages(d, done);
    case QI_TYPE_DEVICE_TLB:
        return true;
    case QI_TYPE_IEC:
        return run_iec(d, done);
    case QI_TYPE_WAIT:
        return check_wait(d);
    default:
        if (scalable && type >= QI_TYPE_PASID_FIRST && type <= QI_TYPE_PASID_LAST)
            return true;
        strict_breach(RULE_QI_TYPE, "descriptor %016llx %016llx is of type %u",
                      (unsigned long long)d->low, (unsigned long long)d->high, type);
        return false;
    }
}

struct invalidations rules_queue(uint64_t iqa, uint32_t head, uint32_t tail)
{
    uint32_t size = 4096u << field_get(IQA_QS, iqa), step = iqa & IQA_DW ? 32 : 16;
    struct invalidations seen = { 0 };
    for (uint32_t done = 0; head != tail && done < size; done += step) {
        struct qi_descriptor d = { 0 };
        uint64_t at = (iqa & IQA_BASE) + head;
        if (qemu.address_space_rw(qemu.address_space_memory, at, QEMU_ATTRS_NONE, &d, step,
                                  false) != QEMU_OK) {
            strict_breach(RULE_QI_READ, "there is no memory at %#llx", (unsigned long long)at);
            return seen;
        }
        if (!run(&d, &seen))
            return seen;
        head = (head + step) % size;
    }
    return seen;
}
