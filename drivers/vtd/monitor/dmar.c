// SPDX-License-Identifier: BSD-2-Clause
// The command dmar: the table as it lies in memory. Nothing of it is believed.

#include "drivers/vtd/dmar_regs.h"
#include "kernel/base/report.h"
#include "kernel/run/command.h"
#include "lib/format.h"
#include "lib/string.h"

#define RAW_BYTES 16 // to a line
#define STRUCTURES_MAX 4096

static void print_raw(const uint8_t *bytes, size_t at, size_t count)
{
    char text[80];
    for (size_t i = 0; i < count; i += RAW_BYTES) {
        size_t used = (size_t)format_text(text, sizeof(text), "    %04zx ", at + i);
        for (size_t k = i; k < MIN(count, i + RAW_BYTES); k++)
            used += (size_t)format_text(text + used, sizeof(text) - used, " %02x", bytes[k]);
        info("%s", text);
    }
}

static void print_scopes(const uint8_t *at, size_t length)
{
    static const char *const types[] = { "type 0", "endpoint", "bridge", "IOAPIC", "HPET", "ACPI" };
    char path[64];
    while (length >= sizeof(struct dmar_scope_entry)) {
        struct dmar_scope_entry scope;
        memcpy(&scope, at, sizeof(scope));
        if (scope.length < sizeof(scope) || scope.length > length)
            break;
        size_t used = 0;
        path[0] = 0;
        for (size_t i = sizeof(scope); i + 1 < scope.length && used + 8 < sizeof(path); i += 2)
            used += (size_t)format_text(path + used, sizeof(path) - used, "%s%02x.%x",
                                        used ? " -> " : "", at[i], at[i + 1]);
        info("    scope %s, id %u, bus %02x, path %s",
             scope.type < ARRAY_SIZE(types) ? types[scope.type] : "of an unknown type", scope.id,
             scope.start_bus, path);
        at += scope.length;
        length -= scope.length;
    }
    if (length)
        info("    %zu bytes are no scope", length);
}

static void print_drhd(const uint8_t *at, size_t length)
{
    struct dmar_drhd d;
    if (length < sizeof(d))
        return;
    memcpy(&d, at, sizeof(d));
    info("    flags %02x%s, size %u, segment %u, registers at 0x%llx", d.flags,
         d.flags & DMAR_DRHD_INCLUDE_PCI_ALL ? " INCLUDE_PCI_ALL" : "", d.size, d.segment,
         (unsigned long long)d.base);
    print_scopes(at + sizeof(d), length - sizeof(d));
}

static void print_rmrr(const uint8_t *at, size_t length)
{
    struct dmar_rmrr r;
    if (length < sizeof(r))
        return;
    memcpy(&r, at, sizeof(r));
    info("    segment %u, memory 0x%llx to 0x%llx", r.segment, (unsigned long long)r.base,
         (unsigned long long)r.limit);
    print_scopes(at + sizeof(r), length - sizeof(r));
}

static void print_rhsa(const uint8_t *at, size_t length)
{
    struct dmar_rhsa r;
    if (length < sizeof(r))
        return;
    memcpy(&r, at, sizeof(r));
    info("    registers at 0x%llx are in proximity domain %u", (unsigned long long)r.base,
         r.domain);
}

static void print_structure(const uint8_t *table, size_t at, const struct dmar_structure *s)
{
    static const char *const names[] = { "DRHD", "RMRR", "ATSR", "RHSA", "ANDD", "SATC", "SIDP" };
    info("  %04zx  type %u %s, %u bytes", at, s->type,
         s->type < ARRAY_SIZE(names) ? names[s->type] : "(unknown)", s->length);
    if (s->type == DMAR_DRHD)
        print_drhd(table + at, s->length);
    else if (s->type == DMAR_RMRR)
        print_rmrr(table + at, s->length);
    else if (s->type == DMAR_RHSA)
        print_rhsa(table + at, s->length);
    print_raw(table + at, at, s->length);
}

static void print_structures(const uint8_t *table, size_t length)
{
    struct dmar_structure s;
    size_t at = sizeof(struct dmar_table);
    for (unsigned n = 0; at + sizeof(s) <= length && n < STRUCTURES_MAX; n++, at += s.length) {
        memcpy(&s, table + at, sizeof(s));
        if (s.length < sizeof(s) || s.length > length - at) {
            info("  %04zx  type %u says %u bytes: the table ends here", at, s.type, s.length);
            return;
        }
        print_structure(table, at, &s);
    }
}

static bool dmar(const struct command_words *words, struct problem *p)
{
    const struct acpi_header *header = acpi_find("DMAR");
    struct dmar_table t;
    if (!command_at_most(words, 0, p))
        return false;
    if (!header || header->length < sizeof(t))
        return problem_set(p, "monitor-word",
                           "dmar: firmware has no DMAR table: turn VT-d on in its set-up");
    memcpy(&t, header, sizeof(t));
    info("DMAR, %u bytes, revision %u, %.6s %.8s: %u address bits, flags %02x%s%s%s",
         t.header.length, t.header.revision, t.header.oem_id, t.header.oem_table_id, t.width + 1u,
         t.flags, t.flags & DMAR_FLAG_INTR_REMAP ? " INTR_REMAP" : "",
         t.flags & DMAR_FLAG_X2APIC_OPT_OUT ? " X2APIC_OPT_OUT" : "",
         t.flags & DMAR_FLAG_DMA_OPT_IN ? " DMA_CTRL_PLATFORM_OPT_IN" : "");
    print_structures((const uint8_t *)header, header->length);
    return true;
}

COMMAND(command_dmar) = {
    .name = "dmar",
    .help = "the DMAR table, structure by structure, raw and decoded",
    .more = "platform checks it.",
    .when = COMMAND_ALWAYS,
    .run = dmar,
};
