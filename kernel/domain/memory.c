// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/domain/memory.h"

#include "kernel/domain/abi.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/mem_top.h"
#include "kernel/pci/pci.h"
#include "lib/string.h"

// What is left for all else.
#define LEFT (64 * MIB)

static bool is_there(uint64_t bytes, struct problem *p)
{
    uint64_t free = mem_free_bytes();
    if (free > LEFT && bytes <= free - LEFT)
        return true;
    return problem_set(p, "domain-memory",
                       "%llu MiB are asked for, and %llu MiB are free, of which %llu MiB stay the "
                       "kernel's: ask for less by mem=",
                       (unsigned long long)(bytes / MIB), (unsigned long long)(free / MIB),
                       (unsigned long long)(LEFT / MIB));
}

// Not zeroed: each life begins with that, on its own CPU.
static uint64_t take_large(unsigned node)
{
    uint64_t phys = mem_take_top(SPACE_LARGE, SPACE_LARGE, SPACE_LARGE, node, DIRECT_MAP_BYTES);
    return phys ? phys
                : mem_take_top(SPACE_LARGE, SPACE_LARGE, SPACE_LARGE, NODE_ANY, DIRECT_MAP_BYTES);
}

static bool take_piece(struct domain_memory *m, unsigned i, unsigned node, struct space *space,
                       struct pci_space *reach, struct problem *p)
{
    uint64_t at = DOMAIN_MEMORY + i * SPACE_LARGE, phys = take_large(node);
    if (!phys)
        return problem_set(p, "domain-memory",
                           "only %llu MiB of memory are left in pieces of 2 MiB: ask for less by "
                           "mem=",
                           (unsigned long long)(i * SPACE_LARGE / MIB));
    m->pieces[i] = mem_at(phys);
    space_map(space, at, phys, SPACE_LARGE, SPACE_DATA);
    return !reach || pci_space_map(reach, at, phys, SPACE_LARGE, p);
}

bool domain_memory_take(struct domain_memory *m, uint64_t bytes, unsigned node, struct space *space,
                        struct pci_space *reach, struct problem *p)
{
    unsigned count = (unsigned)(bytes / SPACE_LARGE);
    if (!is_there(bytes, p))
        return false;
    m->pieces = mem_alloc(count * sizeof(*m->pieces), alignof(void *), node);
    for (; m->count < count; m->count++)
        if (!take_piece(m, m->count, node, space, reach, p))
            return false;
    return true;
}

// By words: where no ERMSB is, in an emulator for one, memset() takes a byte at a time.
static void clear_piece(void *piece)
{
    uint64_t words = SPACE_LARGE / sizeof(uint64_t);
    __asm__ volatile("rep stosq" : "+D"(piece), "+c"(words) : "a"(0ull) : "memory");
}

void domain_memory_clear(const struct domain_memory *m)
{
    for (unsigned i = 0; i < m->count; i++)
        clear_piece(m->pieces[i]);
}

void *domain_pages(struct space *space, uint64_t virt, uint64_t bytes, enum space_kind kind,
                   unsigned node)
{
    void *pages = mem_alloc(bytes, PAGE_BYTES, node);
    space_map(space, virt, mem_phys(pages), bytes, kind);
    return pages;
}
