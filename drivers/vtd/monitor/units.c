// SPDX-License-Identifier: BSD-2-Clause
// The command units: remapping units, and the registers of one.

#include "drivers/vtd/monitor/fields_regs.h"
#include "drivers/vtd/monitor/pick.h"
#include "kernel/base/report.h"
#include "lib/string.h"

static size_t count_units(void)
{
    size_t count = 0;
    while (vtd_unit_named(count))
        count++;
    return count;
}

bool vtd_pick_unit(const struct command_words *words, unsigned i, const struct vtd_unit **u,
                   struct problem *p)
{
    uint64_t n;
    size_t count = count_units();
    if (!count)
        return problem_set(p, "monitor-word",
                           "%s: the DMAR table names no VT-d unit, or there is none",
                           words->word[0]);
    if (!command_number(words, i, "VT-d unit", count - 1, 0, &n, p))
        return false;
    *u = vtd_unit_named(n);
    return true;
}

static const char *state_name(const struct vtd_unit *u)
{
    static const char *const names[] = { "absent", "left alone", "can't remap", "used" };
    return names[u->state];
}

static void list(void)
{
    const struct vtd_unit *u;
    for (size_t i = 0; (u = vtd_unit_named(i)); i++)
        info("unit %zu: 0x%llx, segment %u%s, %s%s%s, CAP %016llx, ECAP %016llx", i,
             (unsigned long long)u->base, u->segment, u->include_pci_all ? " (all others)" : "",
             state_name(u), u->cap & VTD_CAP_PI ? ", posts" : "", u->fenced ? ", fenced" : "",
             (unsigned long long)u->cap, (unsigned long long)u->ecap);
}

// Those that reading doesn't change.
static void print_registers(const struct vtd_unit *u)
{
    static const struct {
        const char *name;
        size_t offset;
        bool wide;
        const struct command_field *fields;
        size_t count;
    } registers[] = {
        { "GSTS", VTD_GSTS, false, fields_gsts, ARRAY_SIZE(fields_gsts) },
        { "FSTS", VTD_FSTS, false, fields_fsts, ARRAY_SIZE(fields_fsts) },
        { "FECTL", VTD_FECTL, false, fields_event, ARRAY_SIZE(fields_event) },
        { "RTADDR", VTD_RTADDR, true, fields_rtaddr, ARRAY_SIZE(fields_rtaddr) },
        { "IQA", VTD_IQA, true, fields_iqa, ARRAY_SIZE(fields_iqa) },
        { "IQH", VTD_IQH, true, fields_iq_offset, ARRAY_SIZE(fields_iq_offset) },
        { "IQT", VTD_IQT, true, fields_iq_offset, ARRAY_SIZE(fields_iq_offset) },
        { "IRTA", VTD_IRTA, true, fields_irta, ARRAY_SIZE(fields_irta) },
        { "PMEN", VTD_PMEN, false, fields_pmen, ARRAY_SIZE(fields_pmen) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
        command_print_fields(registers[i].name,
                             registers[i].wide ? vtd_read64(u, registers[i].offset)
                                               : vtd_read32(u, registers[i].offset),
                             registers[i].fields, registers[i].count);
}

static bool units(const struct command_words *words, struct problem *p)
{
    const struct vtd_unit *u = NULL;
    if (!command_at_most(words, 1, p) || !vtd_pick_unit(words, 1, &u, p))
        return false;
    if (words->count == 1) {
        list();
        return true;
    }
    info("VT-d unit 0x%llx, version %u.%u, %s", (unsigned long long)u->base,
         (unsigned)field_get(VTD_VER_MAX, u->version), (unsigned)field_get(VTD_VER_MIN, u->version),
         state_name(u));
    command_print_fields("CAP", u->cap, fields_cap, ARRAY_SIZE(fields_cap));
    command_print_fields("ECAP", u->ecap, fields_ecap, ARRAY_SIZE(fields_ecap));
    if (u->regs)
        print_registers(u);
    return true;
}

COMMAND(command_units) = {
    .name = "units",
    .usage = "[N]",
    .help = "VT-d units; or the registers of one, bit by bit",
    .when = COMMAND_ALWAYS,
    .run = units,
};
