// SPDX-License-Identifier: BSD-2-Clause
// The DMA arena: a list of pieces, each cut from its low end.

#include "kernel/mem/dma.h"

#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/mem_top.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define PIECES_MAX 256
#define LARGE_SHARE 4 // more than must be is taken where there is so many times as much
#define ARENA_SHARE 8 // a new piece is to be so large a part of the arena

struct piece {
    uint64_t base, next, end; // next: the first free byte
    unsigned node;            // that it was asked for
};

static struct {
    struct piece pieces[PIECES_MAX];
    size_t count;
    uint64_t limit;
    uint64_t largest; // piece to aim at
    mem_dma_map map;
    struct spinlock lock;
} dma = { .limit = DIRECT_MAP_BYTES, .largest = GIB };

void mem_dma_init(uint64_t limit, uint64_t largest, mem_dma_map map)
{
    dma.limit = MIN(limit, DIRECT_MAP_BYTES);
    dma.largest = largest;
    dma.map = map;
}

static uint64_t cut(struct piece *piece, uint64_t bytes, uint64_t align)
{
    uint64_t at = ALIGN_UP(piece->next, align);
    if (at >= piece->end || bytes > piece->end - at)
        return 0;
    __atomic_store_n(&piece->next, at + bytes, __ATOMIC_RELEASE);
    return at;
}

static uint64_t take(uint64_t bytes, uint64_t align, unsigned node)
{
    for (size_t i = 0; i < dma.count; i++) {
        uint64_t at =
            node == NODE_ANY || dma.pieces[i].node == node ? cut(&dma.pieces[i], bytes, align) : 0;
        if (at)
            return at;
    }
    return 0;
}

static bool take_piece(uint64_t size, uint64_t align, uint64_t least, unsigned node,
                       struct piece *out)
{
    uint64_t base = mem_take_top(size, align, least, node, dma.limit);
    *out = (struct piece){ .base = base, .next = base, .end = base + size, .node = node };
    return base;
}

// The larger the pieces, the larger the pages that a unit can map them by: 1 GiB where there is plenty,
// else 2 MiB, and more of them the larger the arena is, so that there are few pieces; single pages where no
// more is left in one piece.
static bool find_piece(uint64_t bytes, unsigned node, struct piece *out)
{
    uint64_t giant = ALIGN_UP(bytes, GIB), large = ALIGN_UP(bytes, 2 * MIB);
    uint64_t share = ALIGN_UP(MAX(bytes, mem_dma_bytes() / ARENA_SHARE), 2 * MIB);
    return (dma.largest >= GIB && take_piece(giant, GIB, LARGE_SHARE * giant, node, out)) ||
           take_piece(share, 2 * MIB, LARGE_SHARE * share, node, out) ||
           take_piece(large, 2 * MIB, large, node, out) ||
           take_piece(ALIGN_UP(bytes, PAGE_BYTES), PAGE_BYTES, 0, node, out);
}

// A piece that ends where another one begins, or begins where it ends, and has nothing in use between,
// is told apart all the same: joined, the free end of one would lie in the middle.
static bool grow(uint64_t bytes, unsigned node)
{
    struct problem p;
    struct piece *piece = &dma.pieces[dma.count];
    if (dma.count == PIECES_MAX || !find_piece(bytes, node, piece))
        return false;
    if (dma.map && !dma.map(piece->base, piece->end - piece->base, &p))
        fail_problem(&p);
    __atomic_store_n(&dma.count, dma.count + 1, __ATOMIC_RELEASE);
    return true;
}

static uint64_t take_or_grow(uint64_t bytes, uint64_t align, unsigned node)
{
    uint64_t at = take(bytes, align, node);
    if (!at && grow(align > PAGE_BYTES ? bytes + align : bytes, node))
        at = take(bytes, align, node);
    return at;
}

static noreturn void fail_for(size_t bytes)
{
    if (dma.count == PIECES_MAX)
        fail("dma-pieces",
             "memory: devices have %u pieces of it, as many as can be, and none has %llu KiB left: "
             "give the machine more memory, so that pieces are larger, or lower iodepth=, bs= or "
             "cpus=",
             PIECES_MAX, (unsigned long long)DIV_UP(bytes, KIB));
    fail("out-of-memory",
         "memory: no %llu KiB for devices are left in one piece (%llu KiB free in all): give "
         "the machine more memory, or lower iodepth=, bs= or cpus=",
         (unsigned long long)DIV_UP(bytes, KIB), (unsigned long long)(mem_free_bytes() / KIB));
}

void *mem_alloc_dma(size_t bytes, size_t align, unsigned node)
{
    uint64_t size = ALIGN_UP(bytes, CACHE_LINE);
    align = MAX(align, (size_t)CACHE_LINE);
    spinlock_lock(&dma.lock);
    uint64_t at = bytes ? take_or_grow(size, align, node) : 0;
    if (!at && bytes && node != NODE_ANY)
        at = take_or_grow(size, align, NODE_ANY);
    spinlock_unlock(&dma.lock);
    if (!at)
        fail_for(bytes);
    return memset((void *)(at + HANDOFF_DIRECT_MAP), 0, bytes);
}

// The list only grows: what has a count is whole.
bool mem_is_dma(const volatile void *virt, uint64_t bytes)
{
    uint64_t phys = (uint64_t)virt - HANDOFF_DIRECT_MAP, end = 0;
    size_t count = __atomic_load_n(&dma.count, __ATOMIC_ACQUIRE);
    for (size_t i = 0; !end && i < count; i++)
        if (phys >= dma.pieces[i].base && phys < dma.pieces[i].end)
            end = __atomic_load_n(&dma.pieces[i].next, __ATOMIC_ACQUIRE);
    return phys < end && bytes <= end - phys;
}

uint64_t mem_dma_bytes(void)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < dma.count; i++)
        bytes += dma.pieces[i].end - dma.pieces[i].base;
    return bytes;
}

uint64_t mem_dma_used(void)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < dma.count; i++)
        bytes += dma.pieces[i].next - dma.pieces[i].base;
    return bytes;
}
