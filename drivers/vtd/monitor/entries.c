// SPDX-License-Identifier: BSD-2-Clause
// The commands irte and context: entries of a unit's tables. What a CPU changes meanwhile may be seen in
// part: it is for people, and takes no lock.

#include "drivers/vtd/monitor/fields_regs.h"
#include "drivers/vtd/monitor/pick.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"
#include "lib/string.h"

// ---- irte ----

static void describe(uint32_t n, const struct vtd_table *t)
{
    struct irte_fields f = irte_unpack(t->entries[n]);
    const char *name = t->owners[n] ? t->owners[n]->name : "nobody";
    if (f.posted)
        info("%5u  %-12s posted, bit 0x%02x of the descriptor at 0x%llx%s, SID %04x", n, name,
             f.vector, (unsigned long long)f.descriptor, f.urgent ? ", urgent" : "", f.source.sid);
    else
        info("%5u  %-12s remapped, vector 0x%02x of APIC id 0x%x, SID %04x", n, name, f.vector,
             f.destination, f.source.sid);
}

static bool list_unit(size_t unit)
{
    const struct vtd_unit *u = vtd_unit_named(unit);
    const struct vtd_table *t = &u->table;
    uint32_t present = 0;
    if (!t->entries)
        return false;
    for (uint32_t n = 0; n < t->count; n++)
        present += (t->entries[n].low & IRTE_LOW_P) != 0;
    info("unit %zu, 0x%llx: %u of %u entries are present", unit, (unsigned long long)u->base,
         present, t->count);
    for (uint32_t n = 0; n < t->count; n++)
        if (t->entries[n].low & IRTE_LOW_P)
            describe(n, t);
    return true;
}

static bool list(struct problem *p)
{
    bool any = false;
    for (size_t i = 0; vtd_unit_named(i); i++)
        any |= list_unit(i);
    return any || problem_set(p, "monitor-word",
                              "irte: no unit has a remapping table: irq=msi, or no VT-d");
}

static void print_entry(const struct vtd_table *t, uint32_t n)
{
    struct irte e = t->entries[n];
    bool posted = e.low & IRTE_LOW_IM;
    info("entry %u at 0x%llx, of %s: %s (VT-d 9.%s)", n,
         (unsigned long long)mem_phys(&t->entries[n]), t->owners[n] ? t->owners[n]->name : "nobody",
         posted ? "posted" : "remapped", posted ? "10" : "9");
    command_print_fields("low ", e.low, posted ? fields_irte_low_posted : fields_irte_low_remapped,
                         posted ? ARRAY_SIZE(fields_irte_low_posted)
                                : ARRAY_SIZE(fields_irte_low_remapped));
    command_print_fields(
        "high", e.high, posted ? fields_irte_high_posted : fields_irte_high_remapped,
        posted ? ARRAY_SIZE(fields_irte_high_posted) : ARRAY_SIZE(fields_irte_high_remapped));
}

static bool irte(const struct command_words *words, struct problem *p)
{
    const struct vtd_unit *u;
    uint64_t n;
    if (!command_at_most(words, 2, p) || !vtd_pick_unit(words, 2, &u, p))
        return false;
    if (words->count == 1)
        return list(p);
    if (!u->table.entries)
        return problem_set(p, "monitor-word", "irte: VT-d unit 0x%llx has no remapping table",
                           (unsigned long long)u->base);
    if (!command_number(words, 1, "entry", u->table.count - 1, 0, &n, p))
        return false;
    print_entry(&u->table, (uint32_t)n);
    return true;
}

COMMAND(command_irte) = {
    .name = "irte",
    .usage = "[N [UNIT]]",
    .help = "entries of the interrupt remapping tables; or one, bit by bit",
    .when = COMMAND_ALWAYS,
    .run = irte,
};

// ---- context ----

static const struct vtd_entry *context_of(const struct vtd_entry *root, uint16_t source)
{
    const struct vtd_entry *table = mem_at(root[PCI_BUS(source)].low & ROOT_LOW_CTP);
    return root[PCI_BUS(source)].low & ROOT_LOW_P ? &table[source & 0xff] : NULL;
}

static void print_context(const struct vtd_entry *root, uint16_t source)
{
    const struct vtd_entry *e = context_of(root, source);
    command_print_fields("root low", root[PCI_BUS(source)].low, fields_root_low,
                         ARRAY_SIZE(fields_root_low));
    if (!e)
        return;
    command_print_fields("context low ", e->low, fields_context_low,
                         ARRAY_SIZE(fields_context_low));
    command_print_fields("context high", e->high, fields_context_high,
                         ARRAY_SIZE(fields_context_high));
}

static void list_contexts(void)
{
    struct problem p;
    for_each_pci_dev (dev) {
        const struct vtd_unit *u = dev->removed ? NULL : vtd_unit_of(dev, &p);
        const struct vtd_entry *e = u && u->root ? context_of(u->root, dev->requester) : NULL;
        if (e)
            info("%-14s unit 0x%llx, domain %u, %s  %016llx %016llx", dev->name,
                 (unsigned long long)u->base, vtd_context_domain(u, dev->requester),
                 e->low & CONTEXT_LOW_P ? "granted" : "nothing", (unsigned long long)e->high,
                 (unsigned long long)e->low);
    }
    info("functions that aren't listed reach nothing, where there is a fence; units tells");
}

static bool context(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 1, p))
        return false;
    if (words->count == 1) {
        list_contexts();
        return true;
    }
    const struct pci_dev *dev = command_pci_function(words->word[1], p);
    const struct vtd_unit *u = dev ? vtd_unit_of(dev, p) : NULL;
    if (!u)
        return false;
    if (!u->root)
        return problem_set(p, "monitor-word",
                           "context: VT-d unit 0x%llx has no tables for DMA: dma=open",
                           (unsigned long long)u->base);
    print_context(u->root, dev->requester);
    return true;
}

COMMAND(command_context) = {
    .name = "context",
    .usage = "[BUS:DEV.FN]",
    .help = "which functions' DMA is let through the fence; or the entries of one",
    .when = COMMAND_BESIDE,
    .run = context,
};
