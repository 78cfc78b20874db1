// SPDX-License-Identifier: BSD-2-Clause
// Takes a unit over from the firmware. Anything may be on: pre-boot DMA protection leaves
// translation or protected memory on, x2APIC firmware leaves remapping and the queue on. Each is ended
// in the order in which the others still work, and nothing is taken for clean.

#include "drivers/vtd/unit.h"

#include "drivers/vtd/unit_text.h"
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

static bool is_protected(const struct vtd_unit *u)
{
    return u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR) &&
           vtd_read32(u, VTD_PMEN) & (VTD_PMEN_EPM | VTD_PMEN_PRS);
}

// Protected memory blocks DMA whether or not translation is on (VT-d 11.4.8.1): a disk's
// completions could end there.
static bool end_protection(const struct vtd_unit *u, struct problem *p)
{
    if (!is_protected(u))
        return true;
    vtd_write32(u, VTD_PMEN, vtd_read32(u, VTD_PMEN) & ~VTD_PMEN_EPM);
    return poll_until(!(vtd_read32(u, VTD_PMEN) & VTD_PMEN_PRS), VTD_DEADLINE_NS) ||
           vtd_problem_protection(u, p);
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
    return (poll_until(invalidations_done(u), VTD_DEADLINE_NS) ||
            vtd_problem_invalidations(u, p)) &&
           vtd_gcmd(u, VTD_GCMD_QIE, false, p);
}

// Translation that may never turn off, since it could hang a display, is left to the reset.
static bool end_fence(struct vtd_unit *u, struct problem *p)
{
    if (!u->hung_display && !vtd_gcmd(u, VTD_GCMD_TE, false, p))
        return false;
    u->fenced &= u->hung_display;
    return end_protection(u, p);
}

// Interrupts first: what they bring about could start DMA.
bool vtd_take_over(struct vtd_unit *u, bool keep_fence, struct problem *p)
{
    bool kept = keep_fence && !u->fenced;
    mask_events(u);
    if (!vtd_gcmd(u, VTD_GCMD_IRE, false, p) || (!kept && !end_fence(u, p)) || !end_queue(u, p))
        return false;
    // Nothing of firmware's table may come back with the next SIRTP.
    if (u->ecap & VTD_ECAP_IR)
        vtd_write64(u, VTD_IRTA, 0);
    vtd_faults_clear(u);
    return true;
}

// ---- from firmware's fence to ours ----

// All memory that there is, where the unit can. Bounds change only while nothing is protected by them (VT-d
// 11.4.8.2): what firmware protects ends first, while its translation still holds.
static bool protect(const struct vtd_unit *u, struct problem *p)
{
    if (!(u->cap & VTD_CAP_PLMR) || !(u->cap & VTD_CAP_PHMR))
        return true;
    if (!end_protection(u, p))
        return false;
    vtd_write32(u, VTD_PLMBASE, 0);
    vtd_write32(u, VTD_PLMLIMIT, ~0u); // low bits are as the unit has them
    vtd_write64(u, VTD_PHMBASE, 4 * GIB);
    vtd_write64(u, VTD_PHMLIMIT, ~0ull);
    vtd_write32(u, VTD_PMEN, vtd_read32(u, VTD_PMEN) | VTD_PMEN_EPM);
    return poll_until(vtd_read32(u, VTD_PMEN) & VTD_PMEN_PRS, VTD_DEADLINE_NS) ||
           vtd_problem_protection(u, p);
}

// The mode of tables changes only with translation off (VT-d 11.4.5): protected memory stands in for it
// meanwhile.
static bool leave_other_mode(const struct vtd_unit *u, struct problem *p)
{
    if (!(vtd_read32(u, VTD_GSTS) & VTD_GCMD_TE) ||
        field_get(VTD_RTADDR_TTM, vtd_read64(u, VTD_RTADDR)) == VTD_TTM_LEGACY)
        return true;
    if (u->hung_display)
        return vtd_problem_display(u, p);
    return protect(u, p) && vtd_gcmd(u, VTD_GCMD_TE, false, p);
}

// Tables of the same mode change by one command, while the unit translates (VT-d 6.6).
bool vtd_turn_translation_on(struct vtd_unit *u, struct problem *p)
{
    if (!leave_other_mode(u, p))
        return false;
    vtd_write64(u, VTD_RTADDR, mem_phys(u->root) | field_put(VTD_RTADDR_TTM, VTD_TTM_LEGACY));
    if (!vtd_flush_write_buffer(u, p) || !vtd_gcmd(u, VTD_GCMD_SRTP, true, p) ||
        !vtd_invalidate_translations(u, p) || !vtd_gcmd(u, VTD_GCMD_TE, true, p))
        return false;
    u->fenced = true;
    return end_protection(u, p);
}
