// SPDX-License-Identifier: BSD-2-Clause
// A unit's registers: where they are, what they say the unit can do, and its commands.

#include "drivers/vtd/unit.h"

#include "kernel/mem.h"
#include "kernel/time.h"

// The fault and IOTLB registers may lie in pages after the first (VT-d 11.4, note 1 to the register
// table), and tables of older firmware give no size: what CAP and ECAP say decides.
static size_t register_bytes(uint64_t cap, uint64_t ecap)
{
    size_t faults = 16 * (size_t)field_get(VTD_CAP_FRO, cap) +
                    VTD_FRCD_BYTES * ((size_t)field_get(VTD_CAP_NFR, cap) + 1);
    size_t iotlb = 16 * (size_t)field_get(VTD_ECAP_IRO, ecap) + 16;
    size_t end = MAX(faults, iotlb);
    return ALIGN_UP(MAX(end, (size_t)VTD_FIXED_BYTES), PAGE_BYTES);
}

bool vtd_unit_map(struct vtd_unit *u, struct problem *p)
{
    u->regs = mem_map_mmio(u->base, VTD_FIXED_BYTES);
    u->version = vtd_read32(u, VTD_VER);
    u->cap = vtd_read64(u, VTD_CAP);
    u->ecap = vtd_read64(u, VTD_ECAP);
    if (u->cap == ~0ull && u->ecap == ~0ull) {
        u->regs = NULL;
        return problem_set(p, "vtd-unit-absent",
                           "VT-d unit 0x%llx is in the DMAR table, but nothing answers there: "
                           "update the firmware, or switch the part of the board back on",
                           (unsigned long long)u->base);
    }
    size_t bytes = register_bytes(u->cap, u->ecap);
    if (bytes > VTD_FIXED_BYTES)
        u->regs = mem_map_mmio(u->base, bytes);
    u->left_on = vtd_read32(u, VTD_GSTS);
    u->left_protection = false;
    return true;
}

bool vtd_unit_check(const struct vtd_unit *u, struct problem *p)
{
    unsigned long long base = u->base;
    if (!(u->ecap & VTD_ECAP_QI))
        return problem_set(
            p, "vtd-no-qi",
            "ECAP.QI (bit 1) of VT-d unit 0x%llx is 0: it has no invalidation queue, "
            "so its interrupts can't be remapped on this machine",
            base);
    if (!(u->ecap & VTD_ECAP_IR))
        return problem_set(p, "vtd-no-ir",
                           "ECAP.IR (bit 3) of VT-d unit 0x%llx is 0: it can't remap interrupts; "
                           "turn interrupt remapping on in the firmware set-up (QEMU: intremap=on)",
                           base);
    if (!(u->ecap & VTD_ECAP_EIM))
        return problem_set(
            p, "vtd-no-eim",
            "ECAP.EIM (bit 4) of VT-d unit 0x%llx is 0: it can't send to x2APIC ids; "
            "turn x2APIC on in the firmware set-up (QEMU: eim=on)",
            base);
    return true;
}

static const char *command_name(uint32_t bit)
{
    switch (bit) {
    case VTD_GCMD_TE:
        return "DMA translation (TE)";
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

bool vtd_gcmd(const struct vtd_unit *u, uint32_t bit, bool on, struct problem *p)
{
    uint32_t status = vtd_read32(u, VTD_GSTS) & VTD_GCMD_KEPT;
    vtd_write32(u, VTD_GCMD, on ? status | bit : status & ~bit);

    // WBFS is set while the flush runs; every other status follows its command.
    bool wanted = bit == VTD_GCMD_WBF ? false : on;
    if (poll_until(!!(vtd_read32(u, VTD_GSTS) & bit) == wanted, VTD_DEADLINE_NS))
        return true;
    return problem_set(p, "vtd-timeout",
                       "VT-d unit 0x%llx didn't turn %s %s within %llu ms (GSTS %08x): power the "
                       "machine off and on; if that doesn't help, the unit is broken",
                       (unsigned long long)u->base, command_name(bit), on ? "on" : "off",
                       VTD_DEADLINE_NS / NS_PER_MS, vtd_read32(u, VTD_GSTS));
}

bool vtd_flush_write_buffer(const struct vtd_unit *u, struct problem *p)
{
    return !(u->cap & VTD_CAP_RWBF) || vtd_gcmd(u, VTD_GCMD_WBF, true, p);
}
