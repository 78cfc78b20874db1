// SPDX-License-Identifier: BSD-2-Clause
// All remapping units together: found, taken over, checked, and turned on.

#include "drivers/vtd/vtd.h"

#include "drivers/vtd/unit.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"
#include "lib/string.h"

#define CPUID_1_C_CX16 BIT32(13)

static vtd_is_driven is_driven;
static enum vtd_dma dma;
static struct warnings found; // what is wrong with units, and not in our way

void vtd_set_driven(vtd_is_driven driven)
{
    is_driven = driven;
}

void vtd_set_dma(enum vtd_dma wanted)
{
    dma = wanted;
}

static void tell_warnings(void)
{
    warn_all(&found);
    found.count = 0;
}

// ---- taking over ----

// The run doesn't end for a unit that no device of ours is behind. False: one is.
static bool put_aside(struct vtd_unit *u, const struct problem *p)
{
    if (u->needed)
        return false;
    warnings_add(&found, "vtd-unit-left",
                 "%s; no device in use is behind the unit: it is put aside", p->message);
    u->state = VTD_UNIT_LEFT;
    u->regs = NULL;
    return true;
}

// A unit that doesn't answer is left out: boards name units whose devices are switched off.
static void map_all(struct dmar *d)
{
    struct vtd_unit *u;
    struct problem p;
    for (size_t i = 0; (u = vtd_unit_named(i)); i++) {
        if (d->units[i].absent || vtd_unit_map(u, &p))
            continue;
        warnings_add(&found, p.what, "%s", p.message);
        d->units[i].absent = true;
    }
}

static bool take_over_all(struct problem *p)
{
    for_each_named_unit (u) {
        if (!u->regs)
            continue;
        if ((dma != VTD_DMA_OPEN || vtd_may_end_translation(u, p)) &&
            vtd_take_over(u, dma != VTD_DMA_OPEN, p))
            u->state = vtd_unit_check(u, NULL) ? VTD_UNIT_USED : VTD_UNIT_LACKING;
        else if (!put_aside(u, p))
            return false;
    }
    return true;
}

// Where some units can't remap and others can, what is behind the former is not used. It sends nothing
// either, since the loader has taken its bus mastering away, but from displays, which nobody makes interrupt.
// Where none can, the machine has no remapping.
static bool check_all(const struct dmar *d, struct problem *p)
{
    bool any = vtd_unit_get(0);
    if (!d->intr_remap)
        return problem_set(p, "no-vtd",
                           "the DMAR table's flags say that the platform doesn't remap interrupts "
                           "(INTR_REMAP, bit 0, is 0): turn interrupt remapping on in the firmware "
                           "set-up (QEMU: intremap=on)");
    problem_set(
        p, "no-vtd",
        "the DMAR table has no VT-d unit that answers: turn VT-d on in the firmware set-up");
    for_each_named_unit (u)
        if (u->state == VTD_UNIT_LACKING && !vtd_unit_check(u, p) && any)
            warnings_add(&found, p->what, "%s; devices behind it are not used", p->message);
    if (!any)
        return false;
    if (!(cpuid(1, 0).c & CPUID_1_C_CX16))
        return problem_set(p, "vtd-no-cx16",
                           "the CPU has no CMPXCHG16B (CPUID.1:ECX bit 13), which remapping "
                           "entries are replaced with (QEMU: -cpu max)");
    return true;
}

bool vtd_init(struct problem *p)
{
    struct dmar *d = vtd_units_read(p);
    if (!d)
        return false;
    map_all(d);
    vtd_units_find_needs(is_driven);
    // Taken over before they are judged: without remapping the machine can go on with plain MSIs,
    // but not with firmware's translation or remapping still on.
    bool ok = take_over_all(p) && check_all(d, p) && (dma == VTD_DMA_OPEN || vtd_fence_plan(p));
    tell_warnings();
    if (ok && d->x2apic_opt_out)
        warn("x2apic-opt-out",
             "firmware asks not to use x2APIC (DMAR flags, bit 1); Onebell does: its interrupts go "
             "to 32-bit APIC ids. If the machine hangs, clear the x2APIC opt-out in the set-up");
    return ok;
}

// A table that can't be read at all is as good as none.
bool vtd_is_lacking(const struct problem *p)
{
    return strcmp(p->what, "no-vtd") == 0 || strncmp(p->what, "vtd-no-", 7) == 0 ||
           strncmp(p->what, "dmar-", 5) == 0;
}

static bool is_needed_anywhere(void)
{
    for_each_unit (u)
        if (u->needed)
            return true;
    return false;
}

bool vtd_can_post(bool driven_only, struct problem *p)
{
    driven_only &= is_needed_anywhere();
    for_each_unit (u)
        if ((u->needed || !driven_only) && !vtd_unit_can_post(u, p))
            return false;
    return true;
}

// ---- turning on ----

// Contexts are entered before there is translation: nothing is granted yet.
static bool fence(struct vtd_unit *u, struct problem *p)
{
    u->root = table_new(vtd_snoops(u), u->node);
    return vtd_undriven_settle(u, dma == VTD_DMA_RMRR, is_driven, p) &&
           vtd_turn_translation_on(u, p);
}

// Each step stands on those before it (VT-d 6.5.2, 6.6, 6.7). With EIME=1 compatibility format is blocked
// whatever CFI says (5.1.4); it is cleared so that the status says the same.
static bool turn_on(struct vtd_unit *u, struct problem *p)
{
    return vtd_queue_start(u, p) && vtd_table_start(u, p) && (dma == VTD_DMA_OPEN || fence(u, p)) &&
           vtd_gcmd(u, VTD_GCMD_IRE, true, p) && vtd_gcmd(u, VTD_GCMD_CFI, false, p);
}

static bool give_up(struct vtd_unit *u, const struct problem *p)
{
    if (!u->needed)
        (void)vtd_take_over(u, dma != VTD_DMA_OPEN, NULL);
    return put_aside(u, p);
}

// All of them, also those that no device of ours is behind: only then is every interrupt checked.
static bool turn_on_all(uint8_t fault_vector, uint32_t boot_apic_id, struct problem *p)
{
    for_each_named_unit (u) {
        if (u->state != VTD_UNIT_USED)
            continue;
        vtd_faults_start(u, fault_vector, boot_apic_id);
        if (!turn_on(u, p) && !give_up(u, p))
            return false;
    }
    return true;
}

bool vtd_enable(uint8_t fault_vector, uint32_t boot_apic_id, struct problem *p)
{
    fault_report_reset();
    bool ok = turn_on_all(fault_vector, boot_apic_id, p);
    tell_warnings();
    if (ok && dma != VTD_DMA_OPEN)
        vtd_fence_raise();
    // Some units on and some off would be a machine whose interrupts work by halves.
    if (!ok)
        for_each_unit (u)
            (void)vtd_take_over(u, false, NULL);
    return ok;
}

// ---- what people and tools see ----

static const char *left_on_text(const struct vtd_unit *u, char *to, size_t bytes)
{
    format_text(to, bytes, "%s%s%s%s", u->left.gsts & VTD_GCMD_TE ? " translation" : "",
                u->left.gsts & VTD_GCMD_IRE ? " remapping" : "",
                u->left.gsts & VTD_GCMD_QIE ? " queue" : "",
                vtd_left_protected(&u->left) ? " protection" : "");
    return to;
}

static void print_json(const struct vtd_unit *u, const char *left_on)
{
    char buffer[512];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "vtd_unit");
    json_format(&j, "unit", "0x%llx", (unsigned long long)u->base);
    json_u64(&j, "segment", u->segment);
    json_bool(&j, "all_other_devices", u->include_pci_all);
    json_format(&j, "version", "%u.%u", (unsigned)field_get(VTD_VER_MAX, u->version),
                (unsigned)field_get(VTD_VER_MIN, u->version));
    json_format(&j, "cap", "0x%016llx", (unsigned long long)u->cap);
    json_format(&j, "ecap", "0x%016llx", (unsigned long long)u->ecap);
    json_bool(&j, "posting", u->cap & VTD_CAP_PI);
    json_bool(&j, "coherent", u->ecap & VTD_ECAP_C);
    json_u64(&j, "entries", u->table.count);
    json_u64(&j, "fault_records", field_get(VTD_CAP_NFR, u->cap) + 1);
    if (u->node != NODE_ANY)
        json_u64(&j, "node", u->node);
    json_text(&j, "left_on", left_on[0] ? left_on + 1 : "");
    report_json(&j);
}

void vtd_print(void)
{
    char left_on[64];
    for_each_unit (u) {
        left_on_text(u, left_on, sizeof(left_on));
        info("VT-d unit 0x%llx: segment %u%s, version %u.%u, %s, %s, %u entries%s%s",
             (unsigned long long)u->base, u->segment, u->include_pci_all ? " (all others)" : "",
             (unsigned)field_get(VTD_VER_MAX, u->version),
             (unsigned)field_get(VTD_VER_MIN, u->version),
             u->cap & VTD_CAP_PI ? "posts" : "can't post",
             u->ecap & VTD_ECAP_C ? "coherent" : "not coherent", u->table.count,
             left_on[0] ? "; firmware had left on:" : "", left_on);
        print_json(u, left_on);
    }
}
