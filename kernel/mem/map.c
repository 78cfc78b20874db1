// SPDX-License-Identifier: BSD-2-Clause
// Addresses: which node is behind one, and mapping what isn't RAM of ours: checked first, since a page
// table entry for an address that the CPU can't form would be a reserved-bit fault.

#include "kernel/mem/map.h"

#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/paging.h"

uint64_t mem_phys_end(void)
{
    unsigned bits = cpuid(0x80000000, 0).a >= 0x80000008 ? cpuid(0x80000008, 0).a & 0xff : 36;
    return BIT64(MIN(MAX(bits, 32u), 52u));
}

static bool sane_range(uint64_t phys, uint64_t bytes)
{
    uint64_t end = mem_phys_end();
    return bytes && bytes <= GIB && phys < end && bytes <= end - phys;
}

volatile void *mem_map_mmio(uint64_t phys, size_t bytes)
{
    if (!sane_range(phys, bytes))
        fail("mmio-range", "registers at 0x%llx, %llu bytes, are not in the physical address space",
             (unsigned long long)phys, (unsigned long long)bytes);
    return paging_map_window(phys, bytes, PAGE_REGISTER);
}

// Whatever is written there is an interrupt, from vector and destination that nobody chose.
static bool meets_interrupt_window(uint64_t phys, size_t bytes)
{
    return phys < MEM_INTERRUPTS_END && phys + bytes > MEM_INTERRUPTS;
}

bool mem_may_be_mmio(uint64_t phys, size_t bytes)
{
    return sane_range(phys, bytes) && !meets_interrupt_window(phys, bytes) &&
           !mem_is_ram(phys, 1) && !mem_is_ram(phys + bytes - 1, 1);
}

volatile void *mem_map_screen(uint64_t phys, size_t bytes)
{
    return sane_range(phys, bytes) ? paging_map_window(phys, bytes, PAGE_COMBINE) : NULL;
}

const void *mem_map_firmware(uint64_t phys, size_t bytes)
{
    if (!sane_range(phys, bytes))
        return NULL;
    if (mem_is_ram(phys, bytes))
        return (const void *)(phys + HANDOFF_DIRECT_MAP);
    return (const void *)paging_map_window(phys, bytes, PAGE_CONST);
}

unsigned mem_node(const volatile void *virt)
{
    return mem_phys_node(paging_phys(virt));
}
