// SPDX-License-Identifier: BSD-2-Clause
// What firmware may keep DMA out by until our tables are there: protected memory (VT-d 11.4.8), and translation,
// perhaps by tables of another mode.

#include "drivers/vtd/unit.h"

#include "kernel/x86/time.h"

static bool set_protection(const struct vtd_unit *u, bool on, struct problem *p)
{
    uint32_t others = vtd_read32(u, VTD_PMEN) & ~VTD_PMEN_EPM;
    vtd_write32(u, VTD_PMEN, on ? others | VTD_PMEN_EPM : others);
    return poll_until(!!(vtd_read32(u, VTD_PMEN) & VTD_PMEN_PRS) == on, VTD_DEADLINE_NS) ||
           problem_set(p, "vtd-timeout",
                       "VT-d unit 0x%llx didn't give up firmware's protected memory within %llu ms "
                       "(PMEN %08x): turn pre-boot DMA protection off in the firmware set-up",
                       (unsigned long long)u->base, VTD_DEADLINE_NS / NS_PER_MS,
                       vtd_read32(u, VTD_PMEN));
}

// Protected memory blocks DMA whether or not translation is on (VT-d 11.4.8.1): a disk's
// completions could end there.
bool vtd_end_protection(const struct vtd_unit *u, struct problem *p)
{
    bool on = u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR) &&
              vtd_read32(u, VTD_PMEN) & (VTD_PMEN_EPM | VTD_PMEN_PRS);
    return !on || set_protection(u, false, p);
}

// All memory that there is, where the unit can. Bounds change only while nothing is protected by them (VT-d
// 11.4.8.2): what firmware protects ends first, while its translation still holds.
static bool protect(const struct vtd_unit *u, struct problem *p)
{
    if (!(u->cap & VTD_CAP_PLMR) || !(u->cap & VTD_CAP_PHMR))
        return true;
    if (!vtd_end_protection(u, p))
        return false;
    vtd_write32(u, VTD_PLMBASE, 0);
    vtd_write32(u, VTD_PLMLIMIT, ~0u); // low bits are as the unit has them
    vtd_write64(u, VTD_PHMBASE, 4 * GIB);
    vtd_write64(u, VTD_PHMLIMIT, ~0ull);
    return set_protection(u, true, p);
}

bool vtd_may_end_translation(const struct vtd_unit *u, struct problem *p)
{
    return !u->hung_display || !(vtd_read32(u, VTD_GSTS) & VTD_GCMD_TE) ||
           problem_set(p, "vtd-unit-left",
                       "firmware left DMA translation of VT-d unit 0x%llx on, which serves a "
                       "display of a kind that may hang when it is turned off",
                       (unsigned long long)u->base);
}

// The mode of tables changes only with translation off (VT-d 11.4.5): protected memory stands in for it
// meanwhile.
bool vtd_leave_other_mode(const struct vtd_unit *u, struct problem *p)
{
    if (!(vtd_read32(u, VTD_GSTS) & VTD_GCMD_TE) ||
        field_get(VTD_RTADDR_TTM, vtd_read64(u, VTD_RTADDR)) == VTD_TTM_LEGACY)
        return true;
    return vtd_may_end_translation(u, p) && protect(u, p) && vtd_gcmd(u, VTD_GCMD_TE, false, p);
}
