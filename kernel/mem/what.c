// SPDX-License-Identifier: BSD-2-Clause
// What lies at a physical address, for those who read of it.

#include "kernel/mem/dma.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"

extern char text_start[], text_end[], rodata_end[], kernel_end[]; // linker.ld

static bool is_in(uint64_t phys, const char *begin, const char *end)
{
    return phys - mem_phys(begin) < (uint64_t)(end - begin);
}

const char *mem_what(uint64_t phys)
{
    if (phys >= MEM_INTERRUPTS && phys < MEM_INTERRUPTS_END)
        return "the interrupt window";
    if (is_in(phys, text_start, text_end))
        return "the kernel's code";
    if (is_in(phys, text_end, rodata_end))
        return "the kernel's constants";
    if (is_in(phys, rodata_end, kernel_end))
        return "the kernel's data";
    if (mem_is_dma(mem_at(phys), 1))
        return "memory for devices";
    return mem_is_ram(phys, 1) ? "RAM that devices may not reach" : "no RAM of ours";
}
