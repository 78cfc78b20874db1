// SPDX-License-Identifier: BSD-2-Clause
// The kernel into memory: its segments, its symbols, and the page tables that it is entered on.

#include "boot/boot_paging.h"
#include "boot/loader.h"
#include "lib/bits.h"
#include "lib/string.h"

#define CR4_LA57 BIT64(12)

bool paging_has_five_levels(void)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    return cr4 & CR4_LA57;
}

static uint64_t read_cr3(void)
{
    uint64_t cr3;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    return cr3;
}

static bool keep_symbols(struct loader *l, struct problem *p)
{
    const struct elf64_symbols *k = &l->kernel.symbols;
    struct handoff *h = l->handoff;
    uint64_t base;
    if (!k->symtab_bytes)
        return true;
    if (!memory_take_low(l, MEMORY_KEPT, k->symtab_bytes + k->strtab_bytes, "the kernel's symbols",
                         &base, p))
        return false;
    h->symtab_base = base;
    h->symtab_bytes = k->symtab_bytes;
    h->strtab_base = base + k->symtab_bytes;
    h->strtab_bytes = k->strtab_bytes;
    memcpy((void *)h->symtab_base, l->kernel.file + k->symtab, k->symtab_bytes);
    memcpy((void *)h->strtab_base, l->kernel.file + k->strtab, k->strtab_bytes);
    return true;
}

bool kernel_load(struct loader *l, struct problem *p)
{
    if (!kernel_elf_check(kernel_blob, (size_t)(kernel_blob_end - kernel_blob), &l->kernel, p) ||
        !memory_take_low(l, MEMORY_KEPT, l->kernel.bytes, "the kernel", &l->handoff->kernel_base,
                         p))
        return false;
    l->handoff->kernel_bytes = l->kernel.bytes;
    kernel_elf_place(&l->kernel, (void *)l->handoff->kernel_base);
    return keep_symbols(l, p);
}

bool kernel_map(struct loader *l, struct problem *p)
{
    struct boot_paging b = {
        .firmware_root = read_cr3(),
        .five_levels = paging_has_five_levels(),
        .image = l->handoff->kernel_base,
    };
    uint64_t tables, bytes = boot_paging_tables(l->kernel.bytes, b.five_levels) * 4 * KIB;
    return memory_take_low(l, MEMORY_BRIEF, bytes, "page tables", &tables, p) &&
           boot_paging_build(&b, &l->kernel, (void *)tables, &l->root, p);
}
