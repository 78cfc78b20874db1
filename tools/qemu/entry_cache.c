// SPDX-License-Identifier: BSD-2-Clause
// One place for each of the 65536 entries: nothing is ever evicted, as a unit with little to do
// might behave.
#include "tools/qemu/entry_cache.h"

#include <stdlib.h>

#include "tools/qemu/model.h"
#include "tools/qemu/strict.h"

#define ENTRIES 65536u

static struct irte *cached; // P=0: none
static uint64_t stale_uses;

bool entry_read(uint16_t index, struct irte *e)
{
    if (index >= 2ull << field_get(IRTA_S, model.irta))
        return false;
    uint64_t address = (model.irta & IRTA_BASE) + index * sizeof(*e);
    return qemu.address_space_rw(qemu.address_space_memory, address, QEMU_ATTRS_NONE, e, sizeof(*e),
                                 false) == QEMU_OK;
}

void entry_cache_init(void)
{
    cached = calloc(ENTRIES, sizeof(*cached));
    if (!cached)
        refuse("out of memory");
}

bool entry_cache_find(uint16_t index, struct irte memory, struct irte *e)
{
    if (!cached || !(cached[index].low & IRTE_P))
        return false;
    *e = cached[index];
    stale_uses += e->low != memory.low || e->high != memory.high;
    return true;
}

void entry_cache_add(uint16_t index, struct irte e)
{
    if (cached)
        cached[index] = e;
}

void entry_cache_invalidate(uint16_t index, unsigned mask_bits)
{
    uint32_t count = mask_bits < 16 ? 1u << mask_bits : ENTRIES;
    uint32_t first = index & ~(count - 1);
    for (uint32_t i = first; cached && i < first + count; i++)
        cached[i] = (struct irte){ 0 };
}

void entry_cache_empty(void)
{
    entry_cache_invalidate(0, 16);
}

uint64_t entry_cache_stale_uses(void)
{
    return stale_uses;
}

void entry_cache_check(void)
{
    for (uint32_t i = 0; cached && i < ENTRIES; i++) {
        struct irte memory;
        if (!(cached[i].low & IRTE_P) || !entry_read((uint16_t)i, &memory))
            continue;
        if (cached[i].low != memory.low || cached[i].high != memory.high)
            strict_breach(RULE_IRTE_STALE,
                          "entry %u was changed after its use, and then not "
                          "invalidated",
                          i);
    }
}
