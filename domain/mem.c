// SPDX-License-Identifier: BSD-2-Clause
// The domain's memory, which is zeroed, and never taken back: what devices may be given grows from its low
// end, behind the queues, and all else from its high end. Its devices reach both, but an app that mixes them
// up is told so here as well.

#include "kernel/mem/mem.h"

#include "domain/call.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "lib/spinlock.h"

static struct {
    uint64_t low, high; // what lies between is free
    struct spinlock lock;
} mem;

static uint64_t first(void)
{
    return DOMAIN_MEMORY + ALIGN_UP(domain_info()->memory_used, PAGE_BYTES);
}

// The first one allocates, on CPU 0, before there is any other.
static void begin(void)
{
    if (mem.high)
        return;
    mem.low = first();
    mem.high = DOMAIN_MEMORY + domain_info()->memory;
}

static uint64_t take_low(uint64_t bytes, uint64_t align)
{
    uint64_t at = ALIGN_UP(mem.low, align);
    if (at < mem.low || at > mem.high || bytes > mem.high - at)
        return 0;
    __atomic_store_n(&mem.low, at + bytes, __ATOMIC_RELEASE);
    return at;
}

static uint64_t take_high(uint64_t bytes, uint64_t align)
{
    if (bytes > mem.high - mem.low)
        return 0;
    uint64_t at = ALIGN_DOWN(mem.high - bytes, align);
    if (at < mem.low)
        return 0;
    mem.high = at;
    return at;
}

static void *alloc(uint64_t (*from)(uint64_t, uint64_t), size_t bytes, size_t align)
{
    align = MAX(align, (size_t)CACHE_LINE);
    spinlock_lock(&mem.lock);
    begin();
    bool sane = bytes && bytes <= domain_info()->memory;
    uint64_t at = sane ? from(ALIGN_UP(bytes, CACHE_LINE), align) : 0;
    spinlock_unlock(&mem.lock);
    if (!at)
        fail("out-of-memory",
             "memory: no %llu KiB are left in one piece (%llu KiB free in all): give the domain "
             "more "
             "(mem= of its domain=), or lower iodepth= or bs=",
             (unsigned long long)DIV_UP(bytes, KIB), (unsigned long long)(mem_free_bytes() / KIB));
    return (void *)at;
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    return alloc(take_high, bytes, align);
}

void *mem_alloc_dma(size_t bytes, size_t align, unsigned node)
{
    return alloc(take_low, bytes, align);
}

bool mem_is_dma(const volatile void *virt, uint64_t bytes)
{
    uint64_t at = (uint64_t)virt, end = __atomic_load_n(&mem.low, __ATOMIC_ACQUIRE);
    return at >= first() && at < end && bytes <= end - at;
}

uint64_t mem_free_bytes(void)
{
    begin();
    return mem.high - mem.low;
}

uint64_t mem_dma_bytes(void)
{
    return domain_info()->memory;
}

uint64_t mem_dma_used(void)
{
    return mem.low - DOMAIN_MEMORY;
}

bool mem_is_ram(uint64_t phys, uint64_t bytes)
{
    return phys >= DOMAIN_MEMORY && phys - DOMAIN_MEMORY <= domain_info()->memory &&
           bytes <= DOMAIN_MEMORY + domain_info()->memory - phys;
}

unsigned mem_phys_node(uint64_t phys)
{
    return domain_info()->node;
}

unsigned mem_node(const volatile void *virt)
{
    return mem_phys_node((uint64_t)virt);
}
