// SPDX-License-Identifier: BSD-2-Clause
// What remapping units say of themselves must hold together, and be the same for all of them.

#include "drivers/vtd/platform/unit_check.h"

#include "drivers/vtd/vtd_regs.h"

#define ECAP_INTERRUPTS (VTD_ECAP_IR | VTD_ECAP_EIM | VTD_ECAP_QI)
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
}

static void check_left(const struct check_registers *u, struct checks *c)
{
    if (u->left_on & VTD_GCMD_IRE)
        checks_add(c, CHECK_LEFT_REMAPPING, "unit 0x%llx, GSTS %08x", (ull)u->base, u->left_on);
    if (u->left_on & VTD_GCMD_CFI)
        checks_add(c, CHECK_LEFT_COMPATIBILITY, "unit 0x%llx, GSTS %08x", (ull)u->base, u->left_on);
    if (u->left_on & VTD_GCMD_QIE && !(u->left_on & (VTD_GCMD_TE | VTD_GCMD_IRE)))
        checks_add(c, CHECK_LEFT_QUEUE, "unit 0x%llx, GSTS %08x", (ull)u->base, u->left_on);
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
        check_alike(first, u, out);
    }
    for (unsigned id = CHECK_UNIT_FIRST; in->count && id < CHECKS; id++)
        checks_made(out, id);
}
