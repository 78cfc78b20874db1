// SPDX-License-Identifier: BSD-2-Clause
// As host_dma.c, for those that have a mem_alloc().

#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"

void *mem_alloc_dma(size_t bytes, size_t align, unsigned node)
{
    return mem_alloc(bytes, align, node);
}
