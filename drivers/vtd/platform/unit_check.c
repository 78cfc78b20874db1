// SPDX-License-Identifier: BSD-2-Clause
// What remapping units say of themselves must hold together, and be the same for all of them.

#include "drivers/vtd/platform/unit_check.h"

#include "drivers/vtd/vtd_regs.h"

#define ECAP_INTERRUPTS (VTD_ECAP_IR | VTD_ECAP_EIM | VTD_ECAP_QI)
#define FSTS_PENDING (VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)
#define CAP_WIDTHS (VTD_CAP_MGAW | VTD_CAP_SAGAW)

typedef unsigned long long ull;

static void check_abilities(const struct unit_check_input *in, const struct check_registers *u,
                            struct checks *c)
{
    bool remaps = u->ecap & VTD_ECAP_IR, extended = u->ecap & VTD_ECAP_EIM;
    if (in->remaps && !remaps)
        checks_add(c, CHECK_UNIT_IR, "ECAP.IR of unit 0x%llx is 0", (ull)u->base);
    if (remaps && !(u->ecap & VTD_ECAP_QI))
        checks_add(c, CHECK_UNIT_QI, "ECAP.QI of unit 0x%llx is 0, IR is 1", (ull)u->base);
    if (remaps && in->x2apic && !extended)
        checks_add(c, CHECK_UNIT_EIM, "ECAP.EIM of unit 0x%llx is 0", (ull)u->base);
    if (extended && !remaps)
        checks_add(c, CHECK_UNIT_EIM_ALONE, "ECAP.EIM of unit 0x%llx is 1, IR is 0", (ull)u->base);
    if (u->cap & VTD_CAP_PI && !remaps)
        checks_add(c, CHECK_UNIT_PI_ALONE, "CAP.PI of unit 0x%llx is 1, IR is 0", (ull)u->base);
    if (!(u->cap & VTD_CAP_PLMR) != !(u->cap & VTD_CAP_PHMR))
        checks_add(c, CHECK_UNIT_PROTECTS_HALF, "CAP of unit 0x%llx is %llx", (ull)u->base,
                   (ull)u->cap);
}

static void check_left(const struct check_registers *u, struct checks *c)
{
    uint32_t gsts = u->left.gsts;
    if (gsts & VTD_GCMD_IRE)
        checks_add(c, CHECK_LEFT_REMAPPING, "unit 0x%llx, GSTS %08x", (ull)u->base, gsts);
    if (gsts & VTD_GCMD_CFI)
        checks_add(c, CHECK_LEFT_COMPATIBILITY, "unit 0x%llx, GSTS %08x", (ull)u->base, gsts);
    if (gsts & VTD_GCMD_QIE && !(gsts & (VTD_GCMD_TE | VTD_GCMD_IRE)))
        checks_add(c, CHECK_LEFT_QUEUE, "unit 0x%llx, GSTS %08x", (ull)u->base, gsts);
    if (u->left.fsts & FSTS_PENDING)
        checks_add(c, CHECK_LEFT_FAULTS, "unit 0x%llx, FSTS %08x", (ull)u->base, u->left.fsts);
    if (!(u->left.fectl & VTD_EVENT_IM))
        checks_add(c, CHECK_LEFT_FAULT_EVENT, "unit 0x%llx, FECTL %08x", (ull)u->base,
                   u->left.fectl);
}

// A range whose limit is below its base is off (VT-d 11.4.8.3, 11.4.8.5).
static void check_protected(const struct unit_check_input *in, const struct check_registers *u,
                            struct checks *c)
{
    const struct vtd_left *l = &u->left;
    bool low = u->cap & VTD_CAP_PLMR && l->low_base <= l->low_limit;
    bool high = u->cap & VTD_CAP_PHMR && l->high_base <= l->high_limit;
    if (!vtd_left_protected(l))
        return;
    if (!in->claims_no_dma)
        checks_add(c, CHECK_LEFT_PROTECTED, "unit 0x%llx, PMEN %08x", (ull)u->base, l->pmen);
    if (!low && !high)
        checks_add(c, CHECK_LEFT_PROTECTED_EMPTY,
                   "unit 0x%llx, %08x to %08x and %llx to %llx, CAP %llx", (ull)u->base,
                   l->low_base, l->low_limit, (ull)l->high_base, (ull)l->high_limit, (ull)u->cap);
}

// Ids of 32 bits are for x2APIC mode, those of 8 for the other (VT-d 5.1.4).
static void check_mode(const struct unit_check_input *in, const struct check_registers *u,
                       struct checks *c)
{
    bool extended = u->left.irta & VTD_IRTA_EIME;
    if (u->left.gsts & VTD_GCMD_IRE &&
        (extended != in->left_x2apic || (extended && !(u->ecap & VTD_ECAP_EIM))))
        checks_add(c, CHECK_LEFT_EIME, "unit 0x%llx, EIME %u, ECAP.EIM %u, x2APIC %s", (ull)u->base,
                   extended, !!(u->ecap & VTD_ECAP_EIM), in->left_x2apic ? "on" : "off");
    if (in->claims_no_dma && in->left_masters && !(u->left.gsts & VTD_GCMD_TE) &&
        !vtd_left_protected(&u->left))
        checks_add(c, CHECK_LEFT_DMA_CLAIM,
                   "unit 0x%llx lets all DMA through, %zu devices could do some", (ull)u->base,
                   in->left_masters);
}

// Against the first one that is there.
static void check_alike(const struct check_registers *first, const struct check_registers *u,
                        struct checks *c)
{
    if ((first->ecap ^ u->ecap) & ECAP_INTERRUPTS || (first->cap ^ u->cap) & VTD_CAP_PI)
        checks_add(c, CHECK_UNITS_DIFFER,
                   "CAP %llx, ECAP %llx of unit 0x%llx; CAP %llx, ECAP %llx of 0x%llx",
                   (ull)first->cap, (ull)first->ecap, (ull)first->base, (ull)u->cap, (ull)u->ecap,
                   (ull)u->base);
    if ((first->cap ^ u->cap) & CAP_WIDTHS)
        checks_add(c, CHECK_UNITS_WIDTH, "CAP %llx of unit 0x%llx, %llx of 0x%llx", (ull)first->cap,
                   (ull)first->base, (ull)u->cap, (ull)u->base);
}

void unit_check(const struct unit_check_input *in, struct checks *out)
{
    const struct check_registers *first = NULL;
    for (size_t i = 0; i < in->count; i++) {
        const struct check_registers *u = &in->units[i];
        if (u->absent) {
            checks_add(out, CHECK_UNIT_ABSENT, "unit 0x%llx", (ull)u->base);
            continue;
        }
        first = first ? first : u;
        check_abilities(in, u, out);
        check_left(u, out);
        check_protected(in, u, out);
        check_mode(in, u, out);
        check_alike(first, u, out);
    }
    if (in->count && in->left_x2apic && (!in->remaps || in->opts_out))
        checks_add(out, CHECK_LEFT_X2APIC, "remapping is %s, the opt-out %s",
                   in->remaps ? "offered" : "not offered", in->opts_out ? "set" : "clear");
    for (unsigned id = CHECK_UNIT_FIRST; in->count && id < CHECKS; id++)
        checks_made(out, id);
}
