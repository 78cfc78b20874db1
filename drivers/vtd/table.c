// SPDX-License-Identifier: BSD-2-Clause
// A unit's remapping table. Each entry has one owner, and one function changes entries.

#include "drivers/vtd/unit.h"

#include "kernel/mem/mem.h"
#include "lib/format.h"

#define ENTRIES_MIN 4096u
#define ENTRIES_MAX 65536u // all that a message can name (VT-d 5.1.2.2)
#define ENTRY_BYTES (sizeof(struct irte) + sizeof(struct irq *)) // the unit's part and ours

// Owns entries that a unit may still have in its cache: nobody else gets them.
static struct irq retired = { .name = "retired" };

// How many irqs there will be is the drivers' to say, later: so as many as can be, 1.5 MiB, except
// where that would take a good part of the memory.
bool vtd_table_start(struct vtd_unit *u, struct problem *p)
{
    struct vtd_table *t = &u->table;
    uint32_t count = ENTRIES_MAX;
    while (count > ENTRIES_MIN && count * ENTRY_BYTES > mem_free_bytes() / 16)
        count /= 2;
    size_t bytes = count * sizeof(struct irte);
    *t = (struct vtd_table){
        .count = count,
        // Aligned to its size, not to a page alone: data sheets of some chipsets ask for it.
        .entries = mem_alloc(bytes, bytes, u->node),
        .owners = mem_alloc(count * sizeof(struct irq *), alignof(struct irq *), u->node),
    };
    vtd_flush(u, t->entries, bytes);
    uint64_t s = (uint64_t)__builtin_ctz(count) - 1;
    vtd_write64(u, VTD_IRTA, mem_phys(t->entries) | VTD_IRTA_EIME | field_put(VTD_IRTA_S, s));
    // The cache may hold entries of an older table (VT-d 6.7). Units with CAP.ESIRTPS drop them by
    // themselves; asking again is harmless, and proves that the queue works.
    return vtd_flush_write_buffer(u, p) && vtd_gcmd(u, VTD_GCMD_SIRTP, true, p) &&
           vtd_invalidate_all(u, p);
}

// Store, flush, invalidate, wait (VT-d 6.5.2.8; 9.10). Under the lock. The store is one of 16 bytes, so that the unit
// never reads half an entry: it fetches each in one piece (VT-d 5.1.4).
static bool change(struct vtd_unit *u, uint32_t index, struct irte entry, struct problem *p)
{
    struct irte *at = &u->table.entries[index];
    if (!__sync_bool_compare_and_swap(&at->whole, at->whole, entry.whole))
        return problem_set(p, "vtd-entry-changed",
                           "entry %u of VT-d unit 0x%llx changed while it was replaced: something "
                           "writes into the remapping table",
                           index, (unsigned long long)u->base);
    vtd_flush(u, at, sizeof(*at));
    return vtd_invalidate_entries(u, (uint16_t)index, 0, p);
}

// Where the unit refuses, or doesn't answer, the old entry comes back, since that's the one that the
// caller goes on with.
bool vtd_table_write(struct vtd_unit *u, uint32_t index, struct irte entry, struct problem *p)
{
    spinlock_guard(&u->lock);
    struct irte old = u->table.entries[index];
    bool ok = change(u, index, entry, p);
    if (!ok)
        change(u, index, old, NULL);
    return ok;
}

// Under the lock. count: all are taken.
static uint32_t take_free(struct vtd_table *t, struct irq *irq)
{
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t index = (t->next + i) % t->count;
        if (!t->owners[index]) {
            t->owners[index] = irq;
            t->next = index + 1;
            t->end = MAX(t->end, index + 1);
            return index;
        }
    }
    return t->count;
}

bool vtd_table_take(struct vtd_unit *u, struct irq *irq, uint32_t *index, struct problem *p)
{
    spinlock_guard(&u->lock);
    *index = take_free(&u->table, irq);
    return *index < u->table.count ||
           problem_set(p, "vtd-table-full",
                       "all %u entries of VT-d unit 0x%llx are in use: use fewer CPUs (cpus=), "
                       "fewer queues (nvme.queues=) or fewer disks",
                       u->table.count, (unsigned long long)u->base);
}

bool vtd_table_release(struct vtd_unit *u, uint32_t index, struct problem *p)
{
    spinlock_guard(&u->lock);
    bool ok = change(u, index, (struct irte){ 0 }, p);
    u->table.owners[index] = ok ? NULL : &retired;
    return ok;
}

// Under the lock. count: none.
static uint32_t find_used(const struct vtd_table *t, const struct vtd_fault *f)
{
    if (f->has_index)
        return f->index < t->count && t->owners[f->index] ? f->index : t->count;
    for (uint32_t i = 0; i < t->end; i++) {
        struct irte_fields entry = irte_unpack(t->entries[i]);
        if (t->owners[i] && entry.present && irte_source_allows(entry.source, f->source))
            return i;
    }
    return t->count;
}

bool vtd_table_owner(struct vtd_unit *u, struct vtd_fault *f)
{
    const struct vtd_table *t = &u->table;
    spinlock_guard(&u->lock);
    uint32_t index = find_used(t, f);
    if (index == t->count)
        return false;
    format_text(f->owner, sizeof(f->owner), "%s", t->owners[index]->name);
    f->entry = irte_unpack(t->entries[index]);
    return true;
}
