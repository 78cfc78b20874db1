// SPDX-License-Identifier: BSD-2-Clause
// What the modelled unit does with a device's message (VT-d 5.1.4, 5.2.3). Part of vtd_model.h.
#pragma once

#include "vtd_model_state.h"

struct model_result {
    unsigned reason; // of the fault; 0: it arrived
    bool posted;
    uint8_t vector;
    uint32_t destination; // remapped
    uint64_t descriptor;  // posted
    bool notifies;
};

static bool model_source_ok(uint64_t high, uint16_t source)
{
    uint16_t sid = (uint16_t)high;
    static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    switch (high >> 18 & 3) {
    case 0:
        return true;
    case 1:
        return !((sid ^ source) & masks[high >> 16 & 3]);
    default:
        return source >> 8 >= sid >> 8 && source >> 8 <= (sid & 0xff);
    }
}

// Reserved bits of a present entry (VT-d 9.9, 9.10), with EIME=1.
static bool model_reserved(const struct model_unit *m, struct model_entry e)
{
    if ((e.high >> 18 & 3) == 3)
        return true;
    if (!(e.low & 1u << 15))
        return e.low & 0xff007000 || e.high & ~0xfffffull;
    return !(m->cap & M_CAP_PI) || e.low & 0x0000003fff0030fcull || e.high & 0xfff00000;
}

static struct model_entry model_fetch(struct model_unit *m, uint32_t index)
{
    uint64_t at = (m->irta_in_use & ~0xfffull) + 16ull * index;
    struct model_entry e;
    if (!m->cached[index]) {
        const uint8_t *memory = m->ecap & M_ECAP_C ? model_memory : model_dram;
        memcpy(&e, memory + (at - (uint64_t)(uintptr_t)model_memory), sizeof(e));
        m->cache[index] = e;
        m->cached[index] = e.low & 1; // CAP.CM=0: only present ones
    }
    return e = m->cache[index];
}

static unsigned model_blocked(struct model_unit *m, unsigned reason, uint16_t source,
                              uint32_t index)
{
    model_fault(m, reason, source, (uint64_t)index << 48);
    return reason;
}

// VT-d 5.2.3: the bit, then ON and the notification unless it is out already or suppressed. False:
// reserved bits are set in the descriptor.
static bool model_post(struct model_entry e, struct model_result *r)
{
    r->descriptor = (e.low >> 32 & 0xffffffc0) | (e.high & 0xffffffff00000000);
    uint64_t *d = (uint64_t *)(uintptr_t)r->descriptor, on = 1, sn = 2;
    if (d[4] & 0xff00fffc || d[5] || d[6] || d[7])
        return false;
    d[r->vector / 64] |= 1ull << (r->vector % 64);
    r->notifies = !(d[4] & on) && (!(d[4] & sn) || e.low & 1u << 14);
    if (r->notifies)
        d[4] |= on;
    return true;
}

// A device's message. A posted one sets its bit in the descriptor.
static inline struct model_result model_msi(struct model_unit *m, uint16_t source, uint64_t address,
                                            uint32_t data)
{
    struct model_result r = { 0 };
    uint32_t index = (uint32_t)(address >> 5 & 0x7fff) | (address & 4 ? 0x8000 : 0);
    if (!(m->gsts & M_IRE) || !(address & 0x10)) {
        if (m->gsts & M_IRE)
            r.reason = model_blocked(m, 0x25, source, 0);
        r.vector = (uint8_t)data;
        r.destination = (uint32_t)(address >> 12 & 0xff);
        return r;
    }
    if (address & 8)
        index += data & 0xffff;
    if (index >= 2u << (m->irta_in_use & 0xf)) {
        r.reason = model_blocked(m, 0x21, source, index);
        return r;
    }
    struct model_entry e = model_fetch(m, index);
    r.posted = e.low & 1u << 15;
    r.vector = (uint8_t)(e.low >> 16);
    if (!r.posted)
        r.destination = (uint32_t)(e.low >> 32);
    if (!(e.low & 1))
        r.reason = 0x22;
    else if (model_reserved(m, e))
        r.reason = 0x24;
    else if (!model_source_ok(e.high, source))
        r.reason = 0x26;
    else if (r.posted && !model_post(e, &r))
        r.reason = 0x28;
    if (r.reason && !(e.low & 2)) // FPD: not told of
        model_blocked(m, r.reason, source, index);
    return r;
}
