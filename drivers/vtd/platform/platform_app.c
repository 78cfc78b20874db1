// SPDX-License-Identifier: BSD-2-Clause
// app=platform: can this machine post interrupts, and if not, why not?

#include "drivers/vtd/unit.h"
#include "drivers/vtd/platform/dmar_check.h"
#include "drivers/vtd/platform/hsti_check.h"
#include "drivers/vtd/platform/platform.h"
#include "drivers/vtd/platform/unit_check.h"
#include "kernel/base/firmware.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"
#include "kernel/run/app.h"

// CPUID leaves and bits (SDM vol. 2, CPUID).
#define CPUID_1_C_MONITOR_BIT BIT32(3)
#define CPUID_1_C_X2APIC BIT32(21)
#define CPUID_7_D_UINTR BIT32(5)
#define CPUID_PMU 0x0a
#define CPUID_PMU_A_VERSION BITS32(7, 0)
#define CPUID_PMU_A_COUNTERS BITS32(15, 8)
#define CPUID_POWER_LEAF 0x80000007
#define CPUID_POWER_D_INVARIANT_TSC BIT32(8)

static const char *yes(uint32_t bit)
{
    return bit ? "yes" : "no";
}

static void print_cpu(void)
{
    uint32_t most = cpuid(0, 0).a, features = cpuid(1, 0).c;
    uint32_t pmu = most >= CPUID_PMU ? cpuid(CPUID_PMU, 0).a : 0;
    bool has_power = cpuid(0x80000000, 0).a >= CPUID_POWER_LEAF;
    info("CPU: x2APIC %s, invariant TSC %s, MONITOR %s, user interrupts %s, PMU version %u with %u "
         "counters",
         yes(features & CPUID_1_C_X2APIC),
         yes(has_power ? cpuid(CPUID_POWER_LEAF, 0).d & CPUID_POWER_D_INVARIANT_TSC : 0),
         yes(features & CPUID_1_C_MONITOR_BIT),
         yes(most >= 7 ? cpuid(7, 0).d & CPUID_7_D_UINTR : 0),
         (unsigned)field_get(CPUID_PMU_A_VERSION, pmu),
         (unsigned)field_get(CPUID_PMU_A_COUNTERS, pmu));
}

// ---- what the checks are given ----

static struct check_bytes table(const char *signature)
{
    const struct acpi_header *t = acpi_find(signature);
    return t ? (struct check_bytes){ (const uint8_t *)t, t->length } : (struct check_bytes){ 0 };
}

// What is hidden behind a VMD isn't the platform's.
static bool is_of_platform(const struct pci_dev *dev)
{
    return !dev->removed && dev->segment < PCI_SEGMENT_HIDDEN;
}

static struct check_function *list_functions(size_t *count)
{
    const struct pci_dev *dev;
    size_t all = 0;
    while (pci_get(all))
        all++;
    struct check_function *list = mem_alloc((all + 1) * sizeof(*list), 8, NODE_ANY);
    *count = 0;
    for (size_t i = 0; i < all && (dev = pci_get(i)); i++)
        if (is_of_platform(dev))
            list[(*count)++] = (struct check_function){
                .segment = (uint16_t)dev->segment,
                .bdf = dev->bdf,
                .vendor = dev->vendor,
                .device = dev->device,
                .revision = pci_read8(dev, PCI_CLASS_REVISION),
                .header = dev->header,
                .secondary = dev->secondary,
                .class_code = dev->class_code,
                .left_master = dev->left_master,
            };
    return list;
}

static size_t count_left_masters(const struct dmar_check_input *in)
{
    size_t count = 0;
    for (size_t i = 0; i < in->functions_count; i++)
        count += in->functions[i].left_master;
    return count;
}

static void check_units(const struct dmar_check_input *in, struct checks *c)
{
    const struct dmar *d = vtd_units_table();
    struct check_registers *list = mem_alloc((d->units_count + 1) * sizeof(*list), 8, NODE_ANY);
    const struct vtd_unit *u;
    for (size_t i = 0; (u = vtd_unit_named(i)); i++)
        list[i] = (struct check_registers){
            .base = u->base,
            .absent = u->state == VTD_UNIT_ABSENT,
            .cap = u->cap,
            .ecap = u->ecap,
            .left = u->left,
        };
    unit_check(&(struct unit_check_input){ .units = list,
                                           .count = d->units_count,
                                           .remaps = d->intr_remap,
                                           .opts_out = d->x2apic_opt_out,
                                           .claims_no_dma = d->dma_opt_in,
                                           .x2apic = cpuid(1, 0).c & CPUID_1_C_X2APIC,
                                           .left_x2apic = firmware_left_x2apic(),
                                           .left_masters = count_left_masters(in) },
               c);
}

static void check(struct checks *c)
{
    struct dmar_check_input in = {
        .dmar = table("DMAR"), .madt = table("APIC"), .hpet = table("HPET"), .srat = table("SRAT")
    };
    in.ranges = mem_ranges(&in.ranges_count);
    in.functions = list_functions(&in.functions_count);
    dmar_check(&in, c);
    check_units(&in, c);
    hsti_check(firmware_handoff(), c);
}

// ---- the whole ----

static void sum_up(const struct checks *c, unsigned posting)
{
    char buffer[256];
    struct json j;
    size_t units = vtd_units_table()->units_count;
    unsigned failed = checks_count(c, CHECK_FAIL), warned = checks_count(c, CHECK_WARN);
    info("%u of %zu units post interrupts; checks: %u passed, %u warn, %u fail, %u not made",
         posting, units, checks_count(c, CHECK_PASS), warned, failed,
         checks_count(c, CHECK_SKIPPED));
    result_say("%u of %zu units post; %u checks warn, %u fail", posting, units, warned, failed);
    json_begin(&j, buffer, sizeof(buffer), "platform_summary");
    json_u64(&j, "units", units);
    json_u64(&j, "posting", posting);
    json_u64(&j, "pass", checks_count(c, CHECK_PASS));
    json_u64(&j, "warn", warned);
    json_u64(&j, "fail", failed);
    json_u64(&j, "skip", checks_count(c, CHECK_SKIPPED));
    json_text(&j, "dma", vtd_fence_is_on() ? "fence" : "open");
    report_json(&j);
    if (failed)
        error("platform-fail", "%u check%s of the DMAR table failed: each says above what to do",
              failed, failed == 1 ? "" : "s");
}

static void run(const struct cmdline *words)
{
    static struct checks checks;
    print_cpu();
    unsigned posting = platform_print_units();
    info("DMA: %s", vtd_fence_is_on() ? "fenced" : "every bus master reaches all memory");
    platform_print_hsti();
    check(&checks);
    platform_print_checks(&checks);
    platform_print_tree();
    sum_up(&checks, posting);
}

APP(app_platform) = {
    .name = "platform",
    .help = "can this machine post interrupts, and what is wrong with its DMAR table",
    .run = run,
};
