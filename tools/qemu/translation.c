// SPDX-License-Identifier: BSD-2-Clause
// Walks the guest's tables for DMA, apart from QEMU's own unit.
#include "tools/qemu/translation.h"

#include "tools/qemu/model.h"

struct pair {
    uint64_t low, high;
};

static uint64_t read_word(uint64_t address)
{
    uint64_t value = 0;
    qemu.address_space_rw(qemu.address_space_memory, address, QEMU_ATTRS_NONE, &value,
                          sizeof(value), false);
    return value;
}

static struct pair read_pair(uint64_t address)
{
    return (struct pair){ read_word(address), read_word(address + 8) };
}

static void walk(struct translation *t, uint64_t table, unsigned level, uint64_t address)
{
    t->table = table;
    if (address >> (9 * level + 12))
        return;
    for (;; level--) {
        uint64_t entry = read_word(table + 8 * (address >> (9 * level + 3) & 511));
        if (!(entry & (SLPTE_R | SLPTE_W)))
            return;
        if (level == 1 || entry & SLPTE_PS) {
            t->mapped = true;
            t->writable = entry & SLPTE_W;
            uint64_t within = (1ull << (9 * level + 3)) - 1;
            t->memory = (entry & SLPTE_ADDR & ~within) | (address & within);
            return;
        }
        table = entry & SLPTE_ADDR;
    }
}

struct translation translate(uint16_t source, uint64_t address)
{
    uint64_t rtaddr = model.rtaddr;
    struct translation t = { .root = rtaddr & RTADDR_BASE };
    if (!(stock_read(REG_GSTS) & GSTS_TES))
        return (struct translation){ .mapped = true, .writable = true, .memory = address };
    struct pair root = read_pair(t.root + 16ull * (source >> 8));
    if (!(root.low & 1))
        return t;
    t.context = root.low & ROOT_TABLE;
    struct pair context = read_pair(t.context + 16ull * (source & 0xff));
    if (context.low & CONTEXT_P)
        walk(&t, context.low & CONTEXT_TABLE, (unsigned)field_get(CONTEXT_AW, context.high) + 2,
             address);
    return t;
}
