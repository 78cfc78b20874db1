// SPDX-License-Identifier: BSD-2-Clause
// Gives the units back before a reset: the next kernel finds remapping, queue and events off, no
// address of ours in any register, and no fault of ours on record.

#include "drivers/vtd/unit.h"
#include "drivers/vtd/vtd.h"
#include "kernel/base/report.h"

// Only with the unit at rest; an event that is unmasked later goes nowhere. Where translation stayed on, the
// unit goes on by its tables.
static void forget_addresses(const struct vtd_unit *u)
{
    if (u->ecap & VTD_ECAP_QI) {
        vtd_write64(u, VTD_IQT, 0);
        vtd_write64(u, VTD_IQA, 0);
    }
    if (!(vtd_read32(u, VTD_GSTS) & VTD_GCMD_TE))
        vtd_write64(u, VTD_RTADDR, 0);
    vtd_write32(u, VTD_FEDATA, 0);
    vtd_write32(u, VTD_FEADDR, 0);
    vtd_write32(u, VTD_FEUADDR, 0);
    (void)vtd_read32(u, VTD_GSTS); // writes are posted: they have arrived before this comes back
}

bool vtd_give_up(struct vtd_unit *u, bool keep_fence, struct problem *p)
{
    if (!vtd_take_over(u, keep_fence, p))
        return false;
    forget_addresses(u);
    return true;
}

// The same steps, in the same order, as those that took the unit from firmware.
void vtd_hand_back(void)
{
    struct vtd_unit *u;
    struct problem p;
    vtd_faults_finish();
    for (size_t i = 0; (u = vtd_unit_get(i)); i++)
        if (!vtd_give_up(u, false, &p))
            warn_problem(&p);
}
