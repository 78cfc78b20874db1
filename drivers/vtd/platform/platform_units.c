// SPDX-License-Identifier: BSD-2-Clause
// What each remapping unit can do, in words, and whether it can post interrupts.

#include "drivers/vtd/platform/platform.h"
#include "kernel/base/report.h"
#include "lib/format.h"
#include "lib/string.h"

enum ability { UNIT_NEITHER, UNIT_REMAPS, UNIT_POSTS };

static const char *const abilities[] = { "neither posts nor remaps", "remaps only",
                                         "posts interrupts" };
static const char *const ability_names[] = { "neither", "remaps", "posts" };

// Why it can't do more is the problem.
static enum ability judge(const struct vtd_unit *u, struct problem *p)
{
    *p = (struct problem){ .what = "" };
    if (u->state == VTD_UNIT_ABSENT) {
        problem_set(
            p, "vtd-unit-absent",
            "nothing answers there (CAP %llx, ECAP %llx): update the firmware, or switch the "
            "part of the board back on",
            (unsigned long long)u->cap, (unsigned long long)u->ecap);
        return UNIT_NEITHER;
    }
    if (!vtd_unit_check(u, p))
        return UNIT_NEITHER;
    if (u->cap & VTD_CAP_PI)
        return UNIT_POSTS;
    problem_set(p, "vtd-no-posting",
                "CAP.PI (bit 59) is 0: no set-up changes that as a rule; use a machine whose units "
                "post (QEMU's own has none), or irq=remapped");
    return UNIT_REMAPS;
}

static void print_abilities(const struct vtd_unit *u)
{
    uint64_t sagaw = field_get(VTD_CAP_SAGAW, u->cap);
    info("  interrupts: %s, %s, %s, %s", u->ecap & VTD_ECAP_IR ? "remapped" : "not remapped",
         u->ecap & VTD_ECAP_EIM ? "x2APIC ids" : "8-bit APIC ids",
         u->ecap & VTD_ECAP_QI ? "a queue of invalidations" : "no queue",
         u->cap & VTD_CAP_PI ? "posted" : "not posted");
    info("  DMA: %u address bits, tables of%s%s%s levels, %s, %s protected memory",
         (unsigned)field_get(VTD_CAP_MGAW, u->cap) + 1, sagaw & BIT64(1) ? " 3" : "",
         sagaw & BIT64(2) ? " 4" : "", sagaw & BIT64(3) ? " 5" : "",
         u->ecap & VTD_ECAP_C ? "coherent" : "not coherent",
         u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR) ? "with" : "without");
    info("  firmware left on: %s%s%s%s%s%s", u->left.gsts & VTD_GCMD_TE ? "translation " : "",
         u->left.gsts & VTD_GCMD_IRE ? "remapping " : "",
         u->left.gsts & VTD_GCMD_QIE ? "queue " : "",
         u->left.gsts & VTD_GCMD_CFI ? "compatibility-format " : "",
         vtd_left_protected(&u->left) ? "protected-memory " : "",
         u->left.gsts & (VTD_GCMD_TE | VTD_GCMD_IRE | VTD_GCMD_QIE | VTD_GCMD_CFI) ||
                 vtd_left_protected(&u->left)
             ? ""
             : "nothing");
}

static void send(const struct vtd_unit *u, enum ability can, const struct problem *why)
{
    char buffer[768];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "platform_unit");
    json_format(&j, "unit", "0x%llx", (unsigned long long)u->base);
    json_u64(&j, "segment", u->segment);
    json_text(&j, "verdict", ability_names[can]);
    json_text(&j, "what", why->what);
    json_text(&j, "reason", can == UNIT_POSTS ? "" : why->message);
    report_json(&j);
}

unsigned platform_print_units(void)
{
    struct problem why;
    unsigned posting = 0;
    for_each_named_unit (u) {
        enum ability can = judge(u, &why);
        info("VT-d unit 0x%llx, segment %u%s: %s", (unsigned long long)u->base, u->segment,
             u->include_pci_all ? " (all others)" : "", abilities[can]);
        if (can != UNIT_POSTS)
            info("  since %s", why.message);
        if (u->state != VTD_UNIT_ABSENT)
            print_abilities(u);
        send(u, can, &why);
        posting += can == UNIT_POSTS;
    }
    return posting;
}
