// SPDX-License-Identifier: BSD-2-Clause
// The temporary tables: firmware's lower half twice, and the kernel's image by 4 KiB pages.

#include "boot/boot_paging.h"

#include "boot/paging_regs.h"

#define PAGE 4096ull
#define LOWER_HALF (PAGE_ENTRIES / 2)
#define TABLE_SPAN (PAGE * PAGE_ENTRIES) // what one table of 4 KiB pages maps
#define IMAGE_PML4 PAGE_INDEX(KERNEL_LINK_BASE, 4)
static_assert(KERNEL_BYTES_MAX <= GIB && KERNEL_LINK_BASE % GIB == 0,
              "one page directory is enough");

size_t boot_paging_tables(uint64_t image_bytes, bool five_levels)
{
    size_t top = five_levels ? 2 : 1;
    return top + 2 + DIV_UP(image_bytes, TABLE_SPAN); // 2: page-directory pointers, page directory
}

static uint64_t *table_at(uint64_t entry)
{
    return (uint64_t *)(entry & PAGE_ENTRY_ADDRESS);
}

static uint64_t link_to(const uint64_t *table)
{
    return (uint64_t)table | PAGE_ENTRY_P | PAGE_ENTRY_W;
}

static void map_segment(uint64_t *leaves, uint64_t image, const struct kernel_segment *s)
{
    uint64_t bits = PAGE_ENTRY_P | (s->write ? PAGE_ENTRY_W : 0) | (s->execute ? 0 : PAGE_ENTRY_NX);
    for (uint64_t at = s->base; at < s->base + s->bytes; at += PAGE)
        leaves[at / PAGE] = (image + at) | bits;
}

// Tables follow one another, so the leaves are one array.
static void map_image(uint64_t *pml4, uint64_t *tables, uint64_t image, const struct kernel_elf *k)
{
    uint64_t *pointers = tables, *directory = pointers + PAGE_ENTRIES,
             *leaves = directory + PAGE_ENTRIES;
    pml4[IMAGE_PML4] = link_to(pointers);
    pointers[PAGE_INDEX(KERNEL_LINK_BASE, 3)] = link_to(directory);
    for (size_t i = 0; i < DIV_UP(k->bytes, TABLE_SPAN); i++)
        directory[i] = link_to(leaves + i * PAGE_ENTRIES);
    for (size_t i = 0; i < k->count; i++)
        map_segment(leaves, image, &k->segments[i]);
}

// Without the user bit at the top, nothing below is a user page: firmware that sets it everywhere
// would make its map unusable once the kernel turns on SMEP and SMAP (SDM vol. 3, 5.6.1).
static void copy_lower_half(uint64_t *pml4, const uint64_t *firmware_pml4)
{
    for (size_t i = 0; i < LOWER_HALF; i++) {
        pml4[i] = firmware_pml4[i] & ~PAGE_ENTRY_U;
        pml4[LOWER_HALF + i] = pml4[i];
    }
}

bool boot_paging_build(const struct boot_paging *b, const struct kernel_elf *k, void *tables,
                       uint64_t *root, struct problem *p)
{
    uint64_t *next = tables, *pml5 = NULL;
    const uint64_t *firmware = table_at(b->firmware_root);
    if (b->five_levels) {
        if (!(firmware[0] & PAGE_ENTRY_P))
            return problem_set(p, "boot-paging",
                               "firmware's first PML5 entry is 0x%llx: it maps no low memory; turn "
                               "5-level paging (LA57) off in its set-up",
                               (unsigned long long)firmware[0]);
        firmware = table_at(firmware[0]);
        pml5 = next;
        next += PAGE_ENTRIES;
    }
    uint64_t *pml4 = next;
    copy_lower_half(pml4, firmware);
    map_image(pml4, pml4 + PAGE_ENTRIES, b->image, k);
    if (pml5) // addresses that are canonical for 48 bits use its first and last entry alone
        pml5[0] = pml5[PAGE_ENTRIES - 1] = link_to(pml4);
    *root = (uint64_t)(pml5 ? pml5 : pml4);
    return true;
}

bool boot_paging_find(uint64_t root, bool five_levels, uint64_t virt, struct boot_paging_page *page)
{
    uint64_t entry = root;
    *page = (struct boot_paging_page){ .write = true, .execute = true, .user = true };
    for (unsigned level = five_levels ? 5 : 4; level; level--) {
        entry = table_at(entry)[PAGE_INDEX(virt, level)];
        if (!(entry & PAGE_ENTRY_P))
            return false;
        page->write &= (entry & PAGE_ENTRY_W) != 0;
        page->user &= (entry & PAGE_ENTRY_U) != 0;
        page->execute &= !(entry & PAGE_ENTRY_NX);
        uint64_t within = BIT64(PAGE_SHIFT(level)) - 1;
        if (level == 1 || (level < 4 && entry & PAGE_ENTRY_PS)) {
            page->phys = (entry & PAGE_ENTRY_ADDRESS & ~within) | (virt & within);
            return true;
        }
    }
    return false;
}
