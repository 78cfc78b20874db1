// SPDX-License-Identifier: BSD-2-Clause
// Page tables (SDM vol. 3, chapter 5).

#include "kernel/mem/paging.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/mem_init.h"
#include "kernel/mem/paging_regs.h"
#include "kernel/mem/tables.h"
#include "lib/spinlock.h"
#include "lib/string.h"

// Entry 1 (PWT) is write-combining instead of the reset value write-through; entry 3 (PCD and PWT)
// stays strongly uncached (SDM vol. 3, 13.12).
#define PAT_VALUE 0x0007040600070106ull

extern char text_end[], rodata_end[], kernel_end[], boot_stack_guard[];

static struct {
    struct tables tables;
    uint64_t root; // CR3: the PML4, or the PML5 above it
    bool five_levels;
    uint64_t window_next;
    struct spinlock lock;
} paging = {
    .tables = { .levels = 4, .link = PTE_P | PTE_W, .snooped = true, .node = NODE_ANY },
    .window_next = WINDOW_BASE,
};

static const uint64_t kind_bits[] = {
    [PAGE_CODE] = PTE_P | PTE_G,
    [PAGE_CONST] = PTE_P | PTE_G | PTE_NX,
    [PAGE_DATA] = PTE_P | PTE_G | PTE_W | PTE_NX,
    [PAGE_REGISTER] = PTE_P | PTE_G | PTE_W | PTE_NX | PTE_PCD | PTE_PWT,
    [PAGE_COMBINE] = PTE_P | PTE_G | PTE_W | PTE_NX | PTE_PWT,
};

// All aligned to 4 KiB.
static void map(uint64_t virt, uint64_t phys, uint64_t bytes, enum page_kind kind)
{
    if (!tables_map(&paging.tables, virt, phys, bytes, kind_bits[kind]))
        fail("mapped-twice", "0x%llx bytes at 0x%llx are mapped to another place than 0x%llx",
             (unsigned long long)bytes, (unsigned long long)virt, (unsigned long long)phys);
}

static void map_image(const struct handoff *h)
{
    const struct {
        uint64_t start, end;
        enum page_kind kind;
    } parts[] = {
        { KERNEL_BASE, (uint64_t)text_end, PAGE_CODE },
        { (uint64_t)text_end, (uint64_t)rodata_end, PAGE_CONST },
        { (uint64_t)rodata_end, (uint64_t)boot_stack_guard, PAGE_DATA },
        { (uint64_t)boot_stack_guard + PAGE_BYTES, (uint64_t)kernel_end, PAGE_DATA },
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        map(parts[i].start, parts[i].start - KERNEL_BASE + h->kernel_base,
            ALIGN_UP(parts[i].end - parts[i].start, PAGE_BYTES), parts[i].kind);
}

void paging_set_cpu(void)
{
    struct cpuid features = cpuid(7, 0);
    uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_MCE | (read_cr4() & CR4_LA57);
    cr4 |= features.b & BIT32(7) ? CR4_SMEP : 0;
    cr4 |= features.b & BIT32(20) ? CR4_SMAP : 0;
    cr4 |= features.c & BIT32(2) ? CR4_UMIP : 0;
    write_cr4(cr4);
    write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    wrmsr(MSR_PAT, PAT_VALUE);
}

static uint64_t clamp(uint64_t at, uint64_t least, uint64_t most)
{
    return MAX(least, MIN(at, most));
}

// The kernel's code and constants can't be written to here either.
static void map_ram(const struct handoff *h, const struct handoff_range *r)
{
    if (r->kind == HANDOFF_OTHER || r->base >= DIRECT_MAP_BYTES)
        return;
    uint64_t end = r->base + MIN(r->bytes, DIRECT_MAP_BYTES - r->base);
    uint64_t fixed_end = h->kernel_base + ((uint64_t)rodata_end - KERNEL_BASE);
    const struct {
        uint64_t end;
        enum page_kind kind;
    } parts[] = { { h->kernel_base, PAGE_DATA }, { fixed_end, PAGE_CONST }, { end, PAGE_DATA } };
    for (uint64_t at = r->base, i = 0; i < ARRAY_SIZE(parts); i++) {
        uint64_t part_end = clamp(parts[i].end, at, end);
        map(HANDOFF_DIRECT_MAP + at, at, part_end - at, parts[i].kind);
        at = part_end;
    }
}

// The root over a PML4: with 5 levels, its layout at both ends, of which ring 3 may use the lower one.
static uint64_t root_over(const uint64_t *pml4)
{
    if (!paging.five_levels)
        return mem_phys(pml4);
    uint64_t *pml5 = table_new(true, NODE_ANY);
    pml5[PTE_ENTRIES - 1] = mem_phys(pml4) | PTE_P | PTE_W;
    pml5[0] = pml5[PTE_ENTRIES - 1] | PTE_U;
    return mem_phys(pml5);
}

void paging_init(const struct handoff *h)
{
    if (cpuid(0x80000000, 0).a < 0x80000001 || !(cpuid(0x80000001, 0).d & BIT32(20)))
        fail("cpu-no-nx", "the CPU has no execute-disable (CPUID 80000001h EDX bit 20 is 0): "
                          "turn it on in the firmware's set-up");
    paging.tables.largest = cpuid(0x80000001, 0).d & BIT32(26) ? 3 : 2;
    paging.five_levels = read_cr4() & CR4_LA57;
    paging.tables.root = table_new(true, NODE_ANY);

    const struct handoff_range *ranges = (void *)(h->ranges_base + HANDOFF_DIRECT_MAP);
    for (uint64_t i = 0; i < h->ranges; i++)
        map_ram(h, &ranges[i]);
    map_image(h);
    paging.root = root_over(paging.tables.root);
    paging_set_cpu();
    write_cr3(paging.root);
}

// Takes a piece of the window, with an unmapped page before it.
static uint64_t window_take(uint64_t bytes)
{
    uint64_t at = paging.window_next + PAGE_BYTES;
    if (bytes > WINDOW_END - at)
        fail("window-full", "no address space is left for mapping %llu bytes of registers",
             (unsigned long long)bytes);
    paging.window_next = at + bytes;
    return at;
}

volatile void *paging_map_window(uint64_t phys, uint64_t bytes, enum page_kind kind)
{
    uint64_t offset = phys % PAGE_BYTES;
    uint64_t span = ALIGN_UP(offset + bytes, PAGE_BYTES);
    spinlock_lock(&paging.lock);
    uint64_t virt = window_take(span);
    map(virt, phys - offset, span, kind);
    spinlock_unlock(&paging.lock);
    return (volatile void *)(virt + offset);
}

uint64_t paging_alloc_stack(unsigned node)
{
    void *stack = mem_alloc(STACK_BYTES, PAGE_BYTES, node);
    return (uint64_t)paging_map_window(mem_phys(stack), STACK_BYTES, PAGE_DATA) + STACK_BYTES;
}

bool paging_is_mapped(uint64_t virt)
{
    uint64_t bytes;
    return virt >= HANDOFF_DIRECT_MAP && paging.tables.root &&
           table_find_page(paging.tables.root, virt, PTE_P, &bytes);
}

uint64_t paging_phys(const volatile void *at)
{
    uint64_t virt = (uint64_t)at, bytes;
    uint64_t entry = table_find_page(paging.tables.root, virt, PTE_P, &bytes);
    return ALIGN_DOWN(entry & PTE_ADDRESS, bytes) + virt % bytes;
}

bool paging_is_stack_guard(uint64_t virt)
{
    if (virt - (uint64_t)boot_stack_guard < PAGE_BYTES)
        return true;
    return virt >= WINDOW_BASE && virt < paging.window_next && !paging_is_mapped(virt);
}

uint64_t paging_trampoline_root(uint64_t page)
{
    uint64_t *tables[5];
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        tables[i] = mem_alloc_below(PAGE_BYTES, PAGE_BYTES, 4 * GIB);
    memcpy(tables[3], paging.tables.root,
           PAGE_BYTES); // after this root is made, new PML4 entries miss in it
    for (unsigned level = 4; level; level--)
        *table_entry(tables[level - 1], level, page) =
            level > 1 ? mem_phys(tables[level - 2]) | PTE_P | PTE_W : page | PTE_P;
    if (!paging.five_levels)
        return mem_phys(tables[3]);
    tables[4][0] = tables[4][PTE_ENTRIES - 1] = mem_phys(tables[3]) | PTE_P | PTE_W;
    return mem_phys(tables[4]);
}

uint64_t paging_root(void)
{
    return paging.root;
}

// All else in the kernel's half is mapped by paging_init(), so no entry of the PML4 is made after this.
static void complete_pml4(void)
{
    unsigned found;
    spinlock_lock(&paging.lock);
    for (uint64_t virt = WINDOW_BASE; virt < WINDOW_END; virt += table_page_bytes(4))
        (void)tables_entry(&paging.tables, virt, 3, &found);
    spinlock_unlock(&paging.lock);
}

uint64_t paging_new_root(uint64_t **pml4)
{
    complete_pml4();
    *pml4 = table_new(true, NODE_ANY);
    memcpy(*pml4 + PTE_ENTRIES / 2, paging.tables.root + PTE_ENTRIES / 2, PAGE_BYTES / 2);
    return root_over(*pml4);
}
