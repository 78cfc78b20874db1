// SPDX-License-Identifier: BSD-2-Clause
// Sentences on what is wrong with a unit: thing, value, remedy.

#include "drivers/vtd/unit_text.h"

#include "drivers/vtd/unit.h"

#define DEADLINE_MS ((unsigned long long)(VTD_DEADLINE_NS / NS_PER_MS))

bool vtd_problem_absent(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(
        p, "vtd-unit-absent",
        "VT-d unit 0x%llx is in the DMAR table, but nothing answers there (CAP %llx, "
        "ECAP %llx): update the firmware, or switch the part of the board back on",
        (unsigned long long)u->base, (unsigned long long)u->cap, (unsigned long long)u->ecap);
}

bool vtd_problem_nowhere(const struct vtd_unit *u, size_t bytes, struct problem *p)
{
    return problem_set(p, "vtd-unit-absent",
                       "the DMAR table puts the registers of a VT-d unit (%llu KiB) at 0x%llx, "
                       "which is RAM or past "
                       "what the CPU can reach: update the firmware",
                       (unsigned long long)bytes / KIB, (unsigned long long)u->base);
}

bool vtd_problem_display(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(
        p, "vtd-unit-left",
        "firmware left DMA translation of VT-d unit 0x%llx on, which serves a display "
        "of a kind that may hang when it is turned off",
        (unsigned long long)u->base);
}

bool vtd_problem_no_qi(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "vtd-no-qi",
                       "ECAP.QI (bit 1) of VT-d unit 0x%llx is 0: it has no invalidation queue, "
                       "so its interrupts can't be remapped on this machine",
                       (unsigned long long)u->base);
}

bool vtd_problem_no_ir(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "vtd-no-ir",
                       "ECAP.IR (bit 3) of VT-d unit 0x%llx is 0: it can't remap interrupts; "
                       "turn interrupt remapping on in the firmware set-up (QEMU: intremap=on)",
                       (unsigned long long)u->base);
}

bool vtd_problem_no_eim(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "vtd-no-eim",
                       "ECAP.EIM (bit 4) of VT-d unit 0x%llx is 0: it can't send to x2APIC ids; "
                       "turn x2APIC on in the firmware set-up (QEMU: eim=on)",
                       (unsigned long long)u->base);
}

bool vtd_problem_no_posting(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "vtd-no-posting",
                       "CAP.PI (bit 59) of VT-d unit 0x%llx is 0: it can't post interrupts; "
                       "irq=remapped works",
                       (unsigned long long)u->base);
}

static const char *command_name(uint32_t bit)
{
    switch (bit) {
    case VTD_GCMD_TE:
        return "DMA translation (TE)";
    case VTD_GCMD_SRTP:
        return "the new root table (SRTP)";
    case VTD_GCMD_QIE:
        return "the invalidation queue (QIE)";
    case VTD_GCMD_IRE:
        return "interrupt remapping (IRE)";
    case VTD_GCMD_SIRTP:
        return "the new remapping table (SIRTP)";
    case VTD_GCMD_CFI:
        return "compatibility format (CFI)";
    case VTD_GCMD_WBF:
        return "the write buffer flush (WBF)";
    default:
        return "a command";
    }
}

bool vtd_problem_command(const struct vtd_unit *u, uint32_t bit, bool on, struct problem *p)
{
    return problem_set(p, "vtd-timeout",
                       "VT-d unit 0x%llx didn't turn %s %s within %llu ms (GSTS %08x): power the "
                       "machine off and on; if that doesn't help, the unit is broken",
                       (unsigned long long)u->base, command_name(bit), on ? "on" : "off",
                       DEADLINE_MS, vtd_read32(u, VTD_GSTS));
}

bool vtd_problem_protection(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "vtd-timeout",
                       "VT-d unit 0x%llx didn't give up firmware's protected memory within %llu ms "
                       "(PMEN %08x): turn pre-boot DMA protection off in the firmware set-up",
                       (unsigned long long)u->base, DEADLINE_MS, vtd_read32(u, VTD_PMEN));
}

bool vtd_problem_invalidations(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(
        p, "vtd-timeout",
        "VT-d unit 0x%llx didn't finish firmware's last invalidation within %llu ms "
        "(CCMD %llx, queue's head %llx, tail %llx): power the machine off and on",
        (unsigned long long)u->base, DEADLINE_MS, (unsigned long long)vtd_read64(u, VTD_CCMD),
        (unsigned long long)vtd_read64(u, VTD_IQH), (unsigned long long)vtd_read64(u, VTD_IQT));
}

bool vtd_problem_no_translation(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "dma-no-translation",
                       "VT-d unit 0x%llx can't translate DMA by tables of 3, 4 or 5 levels (SAGAW "
                       "%llx, CAP bits 12:8): run with dma=open, where every device reaches all "
                       "memory",
                       (unsigned long long)u->base,
                       (unsigned long long)field_get(VTD_CAP_SAGAW, u->cap));
}

bool vtd_problem_domains(const struct vtd_unit *u, struct problem *p)
{
    return problem_set(p, "dma-domains",
                       "VT-d unit 0x%llx has fewer domains (CAP.ND %llu) than devices with memory "
                       "that firmware reserved: run with dma=fence",
                       (unsigned long long)u->base,
                       (unsigned long long)field_get(VTD_CAP_ND, u->cap));
}

bool vtd_problem_space(const struct vtd_unit *u, const char *device, unsigned id, struct problem *p)
{
    return problem_set(p, "domain-ids",
                       "%s can't have memory of its own by number %u: VT-d unit 0x%llx knows too "
                       "few domains (CAP.ND %llu): ask for fewer",
                       device, id, (unsigned long long)u->base,
                       (unsigned long long)field_get(VTD_CAP_ND, u->cap));
}

bool vtd_problem_alias(const char *device, const char *other, struct problem *p)
{
    return problem_set(p, "domain-alias",
                       "%s and %s send by one requester id, so that both reach the same memory: "
                       "they can't be in different hands",
                       device, other);
}

bool vtd_problem_reserved(const struct vtd_unit *u, const char *device, uint64_t end,
                          struct problem *p)
{
    return problem_set(p, "dma-reserved",
                       "firmware reserved memory up to 0x%llx for %s, which VT-d unit 0x%llx can't "
                       "translate: run with dma=fence",
                       (unsigned long long)end, device, (unsigned long long)u->base);
}
