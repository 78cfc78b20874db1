// SPDX-License-Identifier: BSD-2-Clause
// Takes a unit over from the firmware. Anything may be on: pre-boot DMA protection leaves
// translation on, x2APIC firmware leaves remapping and the queue on. Each is ended in the order in
// which the others still work, and nothing is taken for clean.

#include "drivers/vtd/unit.h"

#include "drivers/vtd/unit_text.h"
#include "kernel/base/report.h"
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

static bool turn_off(const struct vtd_unit *u, uint32_t bit, struct problem *p)
{
    return !(vtd_read32(u, VTD_GSTS) & bit) || vtd_gcmd(u, bit, false, p);
}

// Protected memory blocks DMA whether or not translation is on (VT-d 11.4.8.1): a disk's
// completions could end there.
static bool end_protection(struct vtd_unit *u, struct problem *p)
{
    if (!(u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
        return true;
    uint32_t pmen = vtd_read32(u, VTD_PMEN);
    if (!(pmen & (VTD_PMEN_EPM | VTD_PMEN_PRS)))
        return true;
    u->left_protection = true;
    vtd_write32(u, VTD_PMEN, pmen & ~VTD_PMEN_EPM);
    return poll_until(!(vtd_read32(u, VTD_PMEN) & VTD_PMEN_PRS), VTD_DEADLINE_NS) ||
           vtd_problem_protection(u, p);
}

static bool registers_at_rest(const struct vtd_unit *u)
{
    size_t iotlb = 16 * (size_t)field_get(VTD_ECAP_IRO, u->ecap) + VTD_IOTLB;
    return !(vtd_read64(u, VTD_CCMD) & VTD_CCMD_ICC) && !(vtd_read64(u, iotlb) & VTD_IOTLB_IVT);
}

// Our queue may be turned on only when no request made through registers is pending (VT-d 6.5.2).
static bool end_register_requests(const struct vtd_unit *u, struct problem *p)
{
    return poll_until(registers_at_rest(u), VTD_DEADLINE_NS) || vtd_problem_registers(u, p);
}

static bool queue_at_rest(const struct vtd_unit *u)
{
    return vtd_read64(u, VTD_IQH) == vtd_read64(u, VTD_IQT) ||
           (vtd_read32(u, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE));
}

// A queue is turned off only when nothing in it is pending (VT-d 6.5.2). One that has stopped with
// an error fetches nothing more, and is at rest too.
static bool end_queue(struct vtd_unit *u, struct problem *p)
{
    if (!(vtd_read32(u, VTD_GSTS) & VTD_GCMD_QIE))
        return end_register_requests(u, p);
    if (!poll_until(queue_at_rest(u), VTD_DEADLINE_NS))
        return vtd_problem_queue(u, p);
    return vtd_gcmd(u, VTD_GCMD_QIE, false, p);
}

bool vtd_take_over(struct vtd_unit *u, struct problem *p)
{
    mask_events(u);
    // Interrupts first: what they bring about could start DMA.
    if (!turn_off(u, VTD_GCMD_IRE, p) || !turn_off(u, VTD_GCMD_TE, p) || !end_protection(u, p) ||
        !end_queue(u, p))
        return false;
    // Nothing of firmware's table may come back with the next SIRTP.
    if (u->ecap & VTD_ECAP_IR)
        vtd_write64(u, VTD_IRTA, 0);
    vtd_faults_clear(u);
    return true;
}
