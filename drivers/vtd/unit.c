// SPDX-License-Identifier: BSD-2-Clause
// A unit's registers: where they are, what they say the unit can do, and its commands.

#include "drivers/vtd/unit.h"

#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"

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

// Registers of what the unit doesn't have are reserved.
static struct vtd_left read_left(const struct vtd_unit *u)
{
    struct vtd_left left = {
        .gsts = vtd_read32(u, VTD_GSTS),
        .fsts = vtd_read32(u, VTD_FSTS),
        .fectl = vtd_read32(u, VTD_FECTL),
    };
    if (u->ecap & VTD_ECAP_IR)
        left.irta = vtd_read64(u, VTD_IRTA);
    if (u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR))
        left.pmen = vtd_read32(u, VTD_PMEN);
    if (u->cap & VTD_CAP_PLMR) {
        left.low_base = vtd_read32(u, VTD_PLMBASE);
        left.low_limit = vtd_read32(u, VTD_PLMLIMIT);
    }
    if (u->cap & VTD_CAP_PHMR) {
        left.high_base = vtd_read64(u, VTD_PHMBASE);
        left.high_limit = vtd_read64(u, VTD_PHMLIMIT);
    }
    return left;
}

static bool map(struct vtd_unit *u, size_t bytes, struct problem *p)
{
    u->regs = mem_may_be_mmio(u->base, bytes) ? mem_map_mmio(u->base, bytes) : NULL;
    return u->regs ||
           problem_set(
               p, "vtd-unit-absent",
               "the DMAR table puts the registers of a VT-d unit (%llu KiB) at 0x%llx, which "
               "is RAM, the interrupt window, or past what the CPU can reach: update the firmware",
               bytes / KIB, (unsigned long long)u->base);
}

bool vtd_unit_map(struct vtd_unit *u, struct problem *p)
{
    if (!map(u, VTD_FIXED_BYTES, p))
        return false;
    u->version = vtd_read32(u, VTD_VER);
    u->cap = vtd_read64(u, VTD_CAP);
    u->ecap = vtd_read64(u, VTD_ECAP);
    // What is switched off reads as ones, or as zeros. Neither register can: CAP says where the fault records
    // are, ECAP where the IOTLB's registers are. VER tells us nothing.
    if (!u->cap || u->cap == ~0ull || !u->ecap || u->ecap == ~0ull) {
        u->regs = NULL;
        return problem_set(
            p, "vtd-unit-absent",
            "VT-d unit 0x%llx is in the DMAR table, but nothing answers there (CAP %llx, "
            "ECAP %llx): update the firmware, or switch the part of the board back on",
            (unsigned long long)u->base, (unsigned long long)u->cap, (unsigned long long)u->ecap);
    }
    size_t bytes = register_bytes(u->cap, u->ecap);
    if (bytes > VTD_FIXED_BYTES && !map(u, bytes, p))
        return false;
    u->left = read_left(u);
    return true;
}

bool vtd_unit_check(const struct vtd_unit *u, struct problem *p)
{
    if (!(u->ecap & VTD_ECAP_QI))
        return problem_set(p, "vtd-no-qi",
                           "ECAP.QI (bit 1) of VT-d unit 0x%llx is 0: it has no invalidation "
                           "queue, so its interrupts can't be remapped on this machine",
                           (unsigned long long)u->base);
    if (!(u->ecap & VTD_ECAP_IR))
        return problem_set(p, "vtd-no-ir",
                           "ECAP.IR (bit 3) of VT-d unit 0x%llx is 0: it can't remap interrupts; "
                           "turn interrupt remapping on in the firmware set-up (QEMU: intremap=on)",
                           (unsigned long long)u->base);
    return u->ecap & VTD_ECAP_EIM ||
           problem_set(p, "vtd-no-eim",
                       "ECAP.EIM (bit 4) of VT-d unit 0x%llx is 0: it can't send to x2APIC ids; "
                       "turn x2APIC on in the firmware set-up (QEMU: eim=on)",
                       (unsigned long long)u->base);
}

bool vtd_unit_can_post(const struct vtd_unit *u, struct problem *p)
{
    return u->cap & VTD_CAP_PI ||
           problem_set(p, "vtd-no-posting",
                       "CAP.PI (bit 59) of VT-d unit 0x%llx is 0: it can't post interrupts; "
                       "irq=remapped works",
                       (unsigned long long)u->base);
}

// By bit of the global command register.
static const char *const commands[] = {
    [23] = "compatibility format (CFI)",   [24] = "the new remapping table (SIRTP)",
    [25] = "interrupt remapping (IRE)",    [26] = "the invalidation queue (QIE)",
    [27] = "the write buffer flush (WBF)", [30] = "the new root table (SRTP)",
    [31] = "DMA translation (TE)",
};

bool vtd_gcmd(const struct vtd_unit *u, uint32_t bit, bool on, struct problem *p)
{
    uint32_t status = vtd_read32(u, VTD_GSTS) & VTD_GCMD_KEPT;
    if (bit & VTD_GCMD_KEPT && !!(status & bit) == on)
        return true;
    vtd_write32(u, VTD_GCMD, on ? status | bit : status & ~bit);

    // WBFS is set while the flush runs; every other status follows its command.
    bool wanted = bit == VTD_GCMD_WBF ? false : on;
    return poll_until(!!(vtd_read32(u, VTD_GSTS) & bit) == wanted, VTD_DEADLINE_NS) ||
           problem_set(p, "vtd-timeout",
                       "VT-d unit 0x%llx didn't turn %s %s within %llu ms (GSTS %08x): power the "
                       "machine off and on; if that doesn't help, the unit is broken",
                       (unsigned long long)u->base, commands[__builtin_ctz(bit)], on ? "on" : "off",
                       VTD_DEADLINE_NS / NS_PER_MS, vtd_read32(u, VTD_GSTS));
}

bool vtd_flush_write_buffer(const struct vtd_unit *u, struct problem *p)
{
    return !(u->cap & VTD_CAP_RWBF) || vtd_gcmd(u, VTD_GCMD_WBF, true, p);
}
