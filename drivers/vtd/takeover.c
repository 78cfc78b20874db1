// SPDX-License-Identifier: BSD-2-Clause
// Turns a unit off, at the beginning, when it is taken over from the firmware, and at the end, when the next kernel
// takes it over. Anything may be on: pre-boot DMA protection leaves translation or protected memory on, x2APIC
// firmware leaves remapping and the queue on. Each is ended in the order in which the others still work, and
// nothing is taken for clean.

#include "drivers/vtd/unit.h"

#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"

// Masks the unit's own interrupts: their vectors are the firmware's. The reads push out what is
// already on its way (VT-d 7.3).
static void mask_events(const struct vtd_unit *u)
{
    static const struct {
        uint16_t control;
        uint64_t needs; // of ECAP; reserved without
    } events[] = { { VTD_FECTL, 0 }, { VTD_IECTL, VTD_ECAP_QI }, { VTD_PECTL, VTD_ECAP_PRS } };
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        uint16_t at = events[i].control;
        if ((u->ecap & events[i].needs) != events[i].needs)
            continue;
        vtd_write32(u, at, vtd_read32(u, at) | VTD_EVENT_IM);
        (void)vtd_read32(u, at);
    }
}

// A queue that has stopped with an error fetches nothing more.
static bool invalidations_done(const struct vtd_unit *u)
{
    size_t iotlb = 16 * (size_t)field_get(VTD_ECAP_IRO, u->ecap) + VTD_IOTLB;
    if (vtd_read32(u, VTD_GSTS) & VTD_GCMD_QIE)
        return vtd_read64(u, VTD_IQH) == vtd_read64(u, VTD_IQT) ||
               vtd_read32(u, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE);
    return !(vtd_read64(u, VTD_CCMD) & VTD_CCMD_ICC) && !(vtd_read64(u, iotlb) & VTD_IOTLB_IVT);
}

// A queue is turned off, or on, only when no request made to it, or through registers, is pending (VT-d
// 6.5.2).
static bool end_queue(const struct vtd_unit *u, struct problem *p)
{
    if (poll_until(invalidations_done(u), VTD_DEADLINE_NS))
        return vtd_gcmd(u, VTD_GCMD_QIE, false, p);
    return problem_set(p, "vtd-timeout",
                       "VT-d unit 0x%llx didn't finish firmware's last invalidation within %llu ms "
                       "(CCMD %llx, queue's head %llx, tail %llx): power the machine off and on",
                       (unsigned long long)u->base, VTD_DEADLINE_NS / NS_PER_MS,
                       (unsigned long long)vtd_read64(u, VTD_CCMD),
                       (unsigned long long)vtd_read64(u, VTD_IQH),
                       (unsigned long long)vtd_read64(u, VTD_IQT));
}

// Translation that may never turn off, since it could hang a display, is left to the reset.
static bool end_fence(struct vtd_unit *u, struct problem *p)
{
    if (!u->hung_display && !vtd_gcmd(u, VTD_GCMD_TE, false, p))
        return false;
    u->fenced &= u->hung_display;
    return vtd_end_protection(u, p);
}

// No address of firmware's, or of ours, comes back with the next command, or event. Where translation stayed on,
// the unit goes on by its tables.
static void forget_addresses(const struct vtd_unit *u)
{
    if (u->ecap & VTD_ECAP_IR)
        vtd_write64(u, VTD_IRTA, 0);
    if (u->ecap & VTD_ECAP_QI) {
        vtd_write64(u, VTD_IQT, 0);
        vtd_write64(u, VTD_IQA, 0);
    }
    if (!(vtd_read32(u, VTD_GSTS) & VTD_GCMD_TE))
        vtd_write64(u, VTD_RTADDR, 0);
    vtd_write32(u, VTD_FEDATA, 0);
    vtd_write32(u, VTD_FEADDR, 0);
    vtd_write32(u, VTD_FEUADDR, 0);
}

// Interrupts first: what they bring about could start DMA.
bool vtd_take_over(struct vtd_unit *u, bool keep_fence, struct problem *p)
{
    mask_events(u);
    if (!vtd_gcmd(u, VTD_GCMD_IRE, false, p) || ((!keep_fence || u->fenced) && !end_fence(u, p)) ||
        !end_queue(u, p))
        return false;
    forget_addresses(u);
    vtd_faults_clear(u);
    (void)vtd_read32(u, VTD_GSTS); // writes are posted: they have arrived before this comes back
    return true;
}

void vtd_hand_back(void)
{
    struct problem p;
    vtd_faults_finish();
    for_each_unit (u)
        if (!vtd_take_over(u, false, &p))
            warn_problem(&p);
}
