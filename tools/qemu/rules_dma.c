// SPDX-License-Identifier: BSD-2-Clause
// The tables for DMA (VT-d 3.4, 6.2, 9.1, 9.3, 9.8): each time that software turns to the queue, all of
// them are read and compared with what they were: a present entry isn't changed in place, and what is
// taken away is invalidated.
#include "tools/qemu/rules.h"

#include <stdlib.h>
#include <string.h>

#include "tools/qemu/model.h"
#include "tools/qemu/qemu_device_abi.h"
#include "tools/qemu/strict.h"

#define TABLES_MAX 4096
#define PAGE 4096
#define DUE_MAX 64 // at once
#define DOMAINS_MAX 64

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MASTER BIT32(2)
#define PCI_BASE_CLASS 0x0b
#define PCI_BASE_CLASS_BRIDGE 0x06

enum kind { ROOT, CONTEXT, PAGING };

struct table {
    uint64_t address;
    enum kind kind;
    unsigned level;  // of paging tables; of context tables, the bus
    bool seen;       // in this round
    uint16_t domain; // of paging tables: by whose context they were found
    uint64_t words[PAGE / 8];
};

static struct {
    struct table *list[TABLES_MAX];
    unsigned count;
    // What was taken away, or where CAP.CM is set added, and is to be invalidated.
    struct due {
        bool context, pages;
        uint16_t source, domain;
        bool is_page; // which was changed, not a context
    } due[DUE_MAX];
    unsigned due_count;
    // Of this round: where each domain's contexts lead to.
    struct {
        uint16_t id;
        uint64_t top;
    } domains[DOMAINS_MAX];
    unsigned domains_count;
    bool domain_told;
    bool is_first; // look: all that is found was there before translation was turned on
} tables;

static struct table *find_or_add(uint64_t address, enum kind kind, unsigned level, bool *new)
{
    for (unsigned i = 0; i < tables.count; i++)
        if (tables.list[i]->address == address && tables.list[i]->kind == kind)
            return tables.list[i];
    if (tables.count == TABLES_MAX)
        return NULL;
    struct table *t = calloc(1, sizeof(*t));
    if (!t)
        refuse("out of memory");
    *t = (struct table){ .address = address, .kind = kind, .level = level };
    tables.list[tables.count++] = t;
    *new = true;
    return t;
}

static bool is_present(const struct table *t, const uint64_t *entry)
{
    return t->kind == PAGING ? entry[0] & (SLPTE_R | SLPTE_W) : entry[0] & 1;
}

static unsigned entry_words(const struct table *t)
{
    return t->kind == PAGING ? 1 : 2;
}

static bool has_reserved(const struct table *t, const uint64_t *entry)
{
    switch (t->kind) {
    case ROOT:
        return entry[0] & ROOT_RESERVED || entry[1];
    case CONTEXT:
        return entry[0] & CONTEXT_RESERVED || entry[1] & CONTEXT_HIGH_RESERVED;
    default:
        return t->level > 3 && entry[0] & SLPTE_PS;
    }
}

// An absent context is cached as domain 0's (VT-d 6.2.2.1). A root entry's are its contexts'.
static void add_due(const struct table *t, const uint64_t *entry, unsigned index, bool was)
{
    if (tables.is_first || t->kind == ROOT || tables.due_count == DUE_MAX)
        return;
    bool context = t->kind == CONTEXT;
    tables.due[tables.due_count++] = (struct due){
        .context = context,
        .pages = was || !context,
        .source = context ? (uint16_t)(t->level << 8 | index) : 0,
        .domain = !context ? t->domain
                  : was    ? (uint16_t)field_get(CONTEXT_DID, entry[1])
                           : 0,
        .is_page = !context,
    };
}

static void compare(const struct table *t, const uint64_t *old, const uint64_t *new, unsigned index)
{
    bool was = is_present(t, old), is = is_present(t, new);
    bool same = !memcmp(old, new, 8 * entry_words(t));
    bool caches_absent = stock_read64(REG_CAP) & CAP_CM;
    if (same)
        return;
    if (was && is)
        strict_breach(
            RULE_DMA_IN_PLACE, "entry %u of the table at %#llx was %016llx, and is %016llx", index,
            (unsigned long long)t->address, (unsigned long long)old[0], (unsigned long long)new[0]);
    if (is && has_reserved(t, new))
        strict_breach(RULE_DMA_RESERVED, "entry %u of the table at %#llx: %016llx", index,
                      (unsigned long long)t->address, (unsigned long long)new[0]);
    if (was || (is && caches_absent))
        add_due(t, was ? old : new, index, was);
}

static void walk(uint64_t address, enum kind kind, unsigned level, uint16_t domain);

// The unit may take what it has cached for one of them for the other's (VT-d 6.2.2.1). Told once: it is so
// at each look.
static void check_domain(uint16_t domain, uint64_t top)
{
    for (unsigned i = 0; i < tables.domains_count; i++) {
        if (tables.domains[i].id != domain)
            continue;
        if (tables.domains[i].top != top && !tables.domain_told)
            strict_breach(RULE_DMA_DOMAIN, "contexts of domain %u lead to %#llx, and to %#llx",
                          domain, (unsigned long long)tables.domains[i].top,
                          (unsigned long long)top);
        tables.domain_told |= tables.domains[i].top != top;
        return;
    }
    if (tables.domains_count == DOMAINS_MAX)
        return;
    tables.domains[tables.domains_count].id = domain;
    tables.domains[tables.domains_count++].top = top;
}

static void follow_context(const uint64_t *entry)
{
    uint16_t domain = (uint16_t)field_get(CONTEXT_DID, entry[1]);
    check_domain(domain, entry[0] & CONTEXT_TABLE);
    walk(entry[0] & CONTEXT_TABLE, PAGING, (unsigned)field_get(CONTEXT_AW, entry[1]) + 2, domain);
}

static void follow(const struct table *t, const uint64_t *entry, unsigned index)
{
    if (!is_present(t, entry))
        return;
    if (t->kind == ROOT)
        walk(entry[0] & ROOT_TABLE, CONTEXT, index, 0);
    else if (t->kind == CONTEXT)
        follow_context(entry);
    else if (t->level > 1 && !(entry[0] & SLPTE_PS))
        walk(entry[0] & SLPTE_ADDR, PAGING, t->level - 1, t->domain);
}

// A new table has no past: its entries came with the one that leads to it.
static void walk(uint64_t address, enum kind kind, unsigned level, uint16_t domain)
{
    static const uint64_t none[2];
    uint64_t now[PAGE / 8] = { 0 };
    bool new = false;
    struct table *t = find_or_add(address, kind, level, &new);
    if (!t || t->seen)
        return;
    t->seen = true;
    t->domain = domain;
    qemu.address_space_rw(qemu.address_space_memory, address, QEMU_ATTRS_NONE, now, PAGE, false);
    unsigned step = entry_words(t);
    for (unsigned i = 0; i < PAGE / 8; i += step)
        compare(t, new ? none : &t->words[i], &now[i], i / step);
    memcpy(t->words, now, PAGE);
    for (unsigned i = 0; i < PAGE / 8; i += step)
        follow(t, &now[i], i / step);
}

void rules_dma_look(void)
{
    if (!(stock_read(REG_GSTS) & GSTS_TES) || model.rtaddr & RTADDR_TTM)
        return;
    for (unsigned i = 0; i < tables.count; i++)
        tables.list[i]->seen = false;
    tables.is_first = !tables.count;
    tables.domains_count = 0;
    walk(model.rtaddr & RTADDR_BASE, ROOT, 0, 0);
}

void rules_dma_forget(void)
{
    for (unsigned i = 0; i < tables.count; i++)
        free(tables.list[i]);
    memset(&tables, 0, sizeof(tables));
}

static void drop_done(void)
{
    unsigned left = 0;
    for (unsigned i = 0; i < tables.due_count; i++)
        if (tables.due[i].context || tables.due[i].pages)
            tables.due[left++] = tables.due[i];
    tables.due_count = left;
}

void rules_dma_invalidate_contexts(unsigned granularity, uint16_t domain, uint16_t source)
{
    for (unsigned i = 0; i < tables.due_count; i++) {
        struct due *due = &tables.due[i];
        if (granularity == 1 ||
            (domain == due->domain && (granularity == 2 || source == due->source)))
            due->context = false;
    }
    drop_done();
}

// Pages are cached by what the contexts say: theirs comes after (VT-d 6.5.3.1).
void rules_dma_invalidate_pages(unsigned granularity, uint16_t domain)
{
    for (unsigned i = 0; i < tables.due_count; i++) {
        struct due *due = &tables.due[i];
        bool hit = granularity == 1 || domain == due->domain;
        due->pages &= due->context || !hit;
    }
    drop_done();
}

static bool read_entry(uint64_t at, uint64_t entry[2])
{
    return qemu.address_space_rw(qemu.address_space_memory, at, QEMU_ATTRS_NONE, entry, 16,
                                 false) == QEMU_OK &&
           entry[0] & 1;
}

static bool has_context(uint16_t source)
{
    uint64_t entry[2];
    return read_entry((model.rtaddr & RTADDR_BASE) + 16 * (source >> 8), entry) &&
           read_entry((entry[0] & ROOT_TABLE) + 16 * (source & 0xff), entry);
}

// As software last turned to the queue, or as was noticed since.
static bool had_context(uint16_t source)
{
    for (unsigned i = 0; i < tables.count; i++) {
        const struct table *t = tables.list[i];
        if (t->kind == CONTEXT && t->level == source >> 8)
            return is_present(t, &t->words[2 * (source & 0xff)]);
    }
    return false;
}

void rules_dma_notice(uint16_t source)
{
    if (has_context(source) && !had_context(source))
        rules_dma_look();
}

bool rules_dma_is_absent(uint16_t source)
{
    bool is_on = stock_read(REG_GSTS) & GSTS_TES;
    return is_on && !tables.due_count && !has_context(source) && !had_context(source);
}

// What it has under way would be blocked from one moment to the next. Bridges send nothing of their own,
// and the bit can't be cleared in some.
static void check_master(struct qemu_object *function)
{
    uint16_t source = qemu_requester_id(function);
    bool is_bridge = qemu_config_read(function, PCI_BASE_CLASS, 1) == PCI_BASE_CLASS_BRIDGE;
    if (!is_bridge && qemu_config_read(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER &&
        !has_context(source))
        strict_breach(RULE_TE_MASTER, "TE set while %02x:%02x.%x masters the bus without a context",
                      source >> 8, source >> 3 & 31, source & 7);
}

void rules_dma_begin(void)
{
    if (strict_on() && !(model.rtaddr & RTADDR_TTM))
        qemu_each_function(check_master);
}

void rules_dma_finish(void)
{
    rules_dma_look();
    if (!(stock_read(REG_GSTS) & GSTS_TES))
        return;
    for (unsigned i = 0; i < tables.due_count; i++) {
        const struct due *due = &tables.due[i];
        if (due->is_page)
            strict_breach(RULE_DMA_STALE,
                          "a page table entry of domain %u was changed, and no page of its "
                          "invalidated",
                          due->domain);
        else
            strict_breach(RULE_DMA_STALE,
                          "the context of source %04x was changed, and its %s not "
                          "invalidated",
                          due->source, due->context ? "entry" : "domain");
    }
    tables.due_count = 0; // told
}
