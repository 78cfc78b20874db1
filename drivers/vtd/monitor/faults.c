// SPDX-License-Identifier: BSD-2-Clause
// The command faults: what the units have recorded. It clears nothing: that is the driver's.

#include "drivers/vtd/monitor/fields_regs.h"
#include "drivers/vtd/monitor/pick.h"
#include "kernel/base/report.h"
#include "lib/format.h"

static void print_record(const struct vtd_unit *u, size_t n, uint64_t low, uint64_t high)
{
    char text[400];
    struct vtd_fault f = vtd_fault_decode(u->base, u->segment, low, high);
    vtd_fault_sentence(text, sizeof(text), &f);
    info("record %zu: %s", n, text);
    command_print_fields("low ", low, f.interrupt ? fields_frcd_low_irq : fields_frcd_low_dma, 1);
    command_print_fields("high", high, fields_frcd_high, ARRAY_SIZE(fields_frcd_high));
}

static void print_unit(const struct vtd_unit *u)
{
    size_t records = (size_t)field_get(VTD_CAP_NFR, u->cap) + 1;
    size_t base = 16 * (size_t)field_get(VTD_CAP_FRO, u->cap);
    info("VT-d unit 0x%llx, %zu fault record%s", (unsigned long long)u->base, records,
         records == 1 ? "" : "s");
    command_print_fields("FSTS", vtd_read32(u, VTD_FSTS), fields_fsts, ARRAY_SIZE(fields_fsts));
    for (size_t n = 0; n < records; n++) {
        uint64_t high = vtd_read64(u, base + VTD_FRCD_BYTES * n + VTD_FRCD_HIGH);
        if (high & VTD_FRCD_HIGH_F)
            print_record(u, n, vtd_read64(u, base + VTD_FRCD_BYTES * n + VTD_FRCD_LOW), high);
    }
}

static bool faults(const struct command_words *words, struct problem *p)
{
    const struct vtd_unit *u;
    if (!command_at_most(words, 0, p) || !vtd_pick_unit(words, 1, &u, p))
        return false;
    for (size_t i = 0; (u = vtd_unit_named(i)); i++)
        if (u->regs)
            print_unit(u);
    info("%llu faults were told of since remapping was turned on; log fault shows them",
         (unsigned long long)vtd_fault_count());
    return true;
}

COMMAND(command_faults) = {
    .name = "faults",
    .help = "fault status and records of the VT-d units",
    .when = COMMAND_ALWAYS,
    .run = faults,
};
