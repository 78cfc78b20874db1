// SPDX-License-Identifier: BSD-2-Clause
// Builds and walks the tables of the lower half. An entry is written once, from absent to present, and never
// changed, so that no TLB can hold an older one.

#include "kernel/domain/space.h"

#include "kernel/base/report.h"
#include "kernel/domain/abi.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/paging_regs.h"
#include "kernel/mem/tables.h"

struct space {
    struct tables tables;
    uint64_t root; // CR3
};

// Not global: what is cached of them goes with the next load of CR3 (SDM vol. 3, 5.10.4.1).
static const uint64_t kind_bits[] = {
    [SPACE_CODE] = PTE_P | PTE_U,
    [SPACE_CONST] = PTE_P | PTE_U | PTE_NX,
    [SPACE_DATA] = PTE_P | PTE_U | PTE_W | PTE_NX,
    [SPACE_REGISTER] = PTE_P | PTE_U | PTE_W | PTE_NX | PTE_PCD | PTE_PWT,
};

struct space *space_create(void)
{
    struct space *s = mem_alloc(sizeof(*s), alignof(struct space), NODE_ANY);
    s->tables = (struct tables){
        .levels = 4,
        .link = PTE_P | PTE_W | PTE_U,
        .snooped = true,
        .node = NODE_ANY,
    };
    s->root = paging_new_root(&s->tables.root);
    return s;
}

uint64_t space_root(const struct space *s)
{
    return s->root;
}

noreturn static void refuse(uint64_t virt, const char *why)
{
    fail("domain-map", "domain: 0x%llx can't be mapped: %s", (unsigned long long)virt, why);
}

static void map_one(struct space *s, uint64_t virt, uint64_t entry, unsigned level)
{
    unsigned found;
    uint64_t *at = tables_entry(&s->tables, virt, level, &found);
    if (*at)
        refuse(virt, "it is already");
    *at = entry | (level > 1 ? PTE_LARGE : 0);
}

void space_map(struct space *s, uint64_t virt, uint64_t phys, uint64_t bytes, enum space_kind kind)
{
    if ((virt | phys | bytes) % PAGE_BYTES || phys & ~PTE_ADDRESS)
        refuse(virt, "these are no whole pages");
    if (virt >= DOMAIN_END || bytes > DOMAIN_END - virt)
        refuse(virt, "it isn't a domain's");
    for (uint64_t done = 0, page; done < bytes; done += page) {
        unsigned level = table_largest_level(2, (virt + done) | (phys + done), bytes - done);
        page = table_page_bytes(level);
        map_one(s, virt + done, (phys + done) | kind_bits[kind], level);
    }
}

// The memory of the page around `virt`, with `rights` at each level; false where there is none.
static bool find_page(const struct space *s, uint64_t virt, uint64_t rights, uint64_t *phys,
                      uint64_t *bytes)
{
    uint64_t entry = table_find_page(s->tables.root, virt, rights, bytes);
    *phys = entry & PTE_ADDRESS;
    return entry && !(entry & PTE_PCD); // registers have no place in the direct map
}

void *space_at(const struct space *s, uint64_t virt, uint64_t bytes, bool write)
{
    const uint64_t rights = PTE_P | PTE_U | (write ? PTE_W : 0);
    uint64_t page, page_bytes;
    if (virt >= DOMAIN_END || bytes > DOMAIN_END - virt || !bytes ||
        !find_page(s, virt, rights, &page, &page_bytes))
        return NULL;
    const uint64_t start = page + virt % page_bytes;
    uint64_t next = virt + (page_bytes - virt % page_bytes);
    while (next - virt < bytes) {
        if (!find_page(s, next, rights, &page, &page_bytes) || page != start + (next - virt))
            return NULL;
        next += page_bytes;
    }
    return mem_at(start);
}
