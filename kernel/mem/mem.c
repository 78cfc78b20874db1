// SPDX-License-Identifier: BSD-2-Clause
// RAM: a short list of free regions, each cut from its low end.

#include "kernel/mem/mem.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem_init.h"
#include "kernel/mem/mem_top.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define REGIONS_MAX 512
#define NODES_MAX 512
#define LOW_MEMORY MIB // left to firmware and the trampoline

struct region {
    uint64_t base, end;
    unsigned node;
};

static struct {
    struct region regions[REGIONS_MAX];
    size_t count;
    uint64_t total;
    uint64_t passed_over; // bytes that found no room in regions[]
    const struct handoff *handoff;
    struct region nodes[NODES_MAX]; // as mem_set_node() was told
    size_t nodes_count;
    struct spinlock lock;
} mem;

static const struct handoff_range *handoff_ranges(void)
{
    return (void *)(mem.handoff->ranges_base + HANDOFF_DIRECT_MAP);
}

const struct handoff_range *mem_ranges(size_t *count)
{
    *count = mem.handoff->ranges;
    return handoff_ranges();
}

static void add_region(uint64_t base, uint64_t end, unsigned node)
{
    base = ALIGN_UP(MAX(base, LOW_MEMORY), PAGE_BYTES);
    end = ALIGN_DOWN(MIN(end, DIRECT_MAP_BYTES), PAGE_BYTES);
    if (base >= end)
        return;
    if (mem.count == REGIONS_MAX) {
        mem.passed_over += end - base;
        return;
    }
    mem.regions[mem.count++] = (struct region){ base, end, node };
}

static void add_ranges(uint32_t kind)
{
    for (uint64_t i = 0; i < mem.handoff->ranges; i++) {
        const struct handoff_range *r = &handoff_ranges()[i];
        if (r->kind == kind)
            add_region(r->base, r->base + r->bytes, NODE_ANY);
    }
}

void mem_init(const struct handoff *h)
{
    mem.handoff = h;
    for (uint64_t i = 0; i < h->ranges; i++)
        if (handoff_ranges()[i].kind != HANDOFF_OTHER)
            mem.total += handoff_ranges()[i].bytes;
    add_ranges(HANDOFF_FREE);
}

static void warn_passed_over(void)
{
    if (mem.passed_over)
        warn("mem-pieces",
             "memory: %llu KiB lie in more pieces than the %d we keep track of: not used",
             (unsigned long long)(mem.passed_over / KIB), REGIONS_MAX);
    mem.passed_over = 0;
}

// Cuts region `i` where the node's memory begins and ends, and marks the part within.
static void mark_node(size_t i, uint64_t from, uint64_t to, unsigned node)
{
    struct region *r = &mem.regions[i];
    uint64_t base = MAX(r->base, from), end = MIN(r->end, to);
    if (base >= end || r->node != NODE_ANY)
        return;
    struct region before = { r->base, base, NODE_ANY }, after = { end, r->end, NODE_ANY };
    *r = (struct region){ base, end, node };
    if (before.base < before.end)
        add_region(before.base, before.end, before.node);
    if (after.base < after.end)
        add_region(after.base, after.end, after.node);
}

static void mark_all(const struct region *told)
{
    for (size_t i = 0; i < mem.count; i++)
        mark_node(i, told->base, told->end, told->node);
}

void mem_add_boot_ranges(void)
{
    add_ranges(HANDOFF_BOOT);
    for (size_t i = 0; i < mem.nodes_count; i++)
        mark_all(&mem.nodes[i]);
    warn_passed_over();
}

void mem_set_node(uint64_t base, uint64_t bytes, unsigned node)
{
    struct region told = { base, base + bytes, node };
    if (mem.nodes_count < NODES_MAX)
        mem.nodes[mem.nodes_count++] = told;
    mark_all(&told);
    warn_passed_over();
}

unsigned mem_phys_node(uint64_t phys)
{
    for (size_t i = 0; i < mem.nodes_count; i++)
        if (phys >= mem.nodes[i].base && phys < mem.nodes[i].end)
            return mem.nodes[i].node;
    return NODE_ANY;
}

// Cuts `bytes` from the region, or returns 0. Regions start above 1 MiB, so 0 is no address.
static uint64_t cut(struct region *r, uint64_t bytes, uint64_t align, uint64_t limit)
{
    uint64_t base = ALIGN_UP(r->base, align);
    uint64_t end = MIN(r->end, limit);
    if (base >= end || bytes > end - base)
        return 0;
    r->base = base + bytes;
    return base;
}

static uint64_t take(uint64_t bytes, uint64_t align, unsigned node, uint64_t limit)
{
    for (size_t i = 0; i < mem.count; i++) {
        if (node != NODE_ANY && mem.regions[i].node != node)
            continue;
        uint64_t at = cut(&mem.regions[i], bytes, align, limit);
        if (at)
            return at;
    }
    return node == NODE_ANY ? 0 : take(bytes, align, NODE_ANY, limit);
}

static void *alloc(size_t bytes, size_t align, unsigned node, uint64_t limit)
{
    align = MAX(align, (size_t)CACHE_LINE);
    spinlock_lock(&mem.lock);
    uint64_t at = bytes ? take(ALIGN_UP(bytes, CACHE_LINE), align, node, limit) : 0;
    spinlock_unlock(&mem.lock);
    if (!at)
        fail("out-of-memory",
             "memory: no %llu KiB in one piece are left (%llu KiB free in all): give the machine "
             "more memory, or lower iodepth=, bs= or cpus=",
             (unsigned long long)DIV_UP(bytes, KIB), (unsigned long long)(mem_free_bytes() / KIB));
    return memset((void *)(at + HANDOFF_DIRECT_MAP), 0, bytes);
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    return alloc(bytes, align, node, DIRECT_MAP_BYTES);
}

// Where the piece would begin; 0: the region has no room for it.
static uint64_t find_top(const struct region *r, uint64_t bytes, uint64_t align, uint64_t least,
                         uint64_t limit)
{
    uint64_t end = MIN(r->end, limit);
    if (end <= r->base || end - r->base < MAX(bytes, least))
        return 0;
    uint64_t base = ALIGN_DOWN(end - bytes, align);
    return base < r->base ? 0 : base;
}

// What lies behind the piece becomes a region of its own.
static uint64_t take_top(uint64_t bytes, uint64_t align, uint64_t least, unsigned node,
                         uint64_t limit)
{
    size_t best = mem.count;
    uint64_t at = 0;
    for (size_t i = 0; i < mem.count; i++) {
        const struct region *r = &mem.regions[i];
        uint64_t base =
            node == NODE_ANY || r->node == node ? find_top(r, bytes, align, least, limit) : 0;
        if (base > at) {
            at = base;
            best = i;
        }
    }
    if (at) {
        struct region *r = &mem.regions[best];
        uint64_t end = r->end;
        r->end = at;
        add_region(at + bytes, end, r->node);
    }
    return at;
}

uint64_t mem_take_top(uint64_t bytes, uint64_t align, uint64_t least, unsigned node, uint64_t limit)
{
    spinlock_lock(&mem.lock);
    uint64_t at = take_top(bytes, align, least, node, limit);
    spinlock_unlock(&mem.lock);
    return at;
}

void *mem_alloc_below(size_t bytes, size_t align, uint64_t limit)
{
    return alloc(bytes, align, NODE_ANY, limit);
}

uint64_t mem_free_bytes(void)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < mem.count; i++)
        bytes += mem.regions[i].end - mem.regions[i].base;
    return bytes;
}

uint64_t mem_total_bytes(void)
{
    return mem.total;
}

uint64_t mem_phys_image(const volatile void *virt)
{
    uint64_t at = (uint64_t)virt;
    if (at >= KERNEL_BASE)
        return at - KERNEL_BASE + mem.handoff->kernel_base;
    fail("mem-phys", "memory: %p is not an address that a device may be given", (const void *)virt);
}

bool mem_is_ram(uint64_t phys, uint64_t bytes)
{
    uint64_t end = phys + bytes;
    if (end < phys || end > DIRECT_MAP_BYTES)
        return false;
    for (uint64_t i = 0; i < mem.handoff->ranges && phys < end; i++) {
        const struct handoff_range *r = &handoff_ranges()[i];
        if (r->kind != HANDOFF_OTHER && r->base <= phys && phys < r->base + r->bytes)
            phys = r->base + r->bytes;
    }
    return phys >= end;
}

bool mem_has_ram(uint64_t phys, uint64_t bytes)
{
    for (uint64_t i = 0; i < mem.handoff->ranges; i++) {
        const struct handoff_range *r = &handoff_ranges()[i];
        if (r->kind != HANDOFF_OTHER && r->base < phys + bytes && phys < r->base + r->bytes)
            return true;
    }
    return false;
}

uint64_t mem_ram_end(void)
{
    uint64_t end = 0;
    for (uint64_t i = 0; i < mem.handoff->ranges; i++) {
        const struct handoff_range *r = &handoff_ranges()[i];
        if (r->kind != HANDOFF_OTHER)
            end = MAX(end, r->base + r->bytes);
    }
    return MIN(end, DIRECT_MAP_BYTES);
}
