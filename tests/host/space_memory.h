// SPDX-License-Identifier: BSD-2-Clause
// Memory for page tables, which is the host's: what is "physical" there is an address of the host's. For one
// test binary each.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/report.h"
#include "kernel/mem/mem.h"

#include <cmocka.h> // last: it makes a macro of fail()

static void *pieces[64];
static unsigned pieces_count;

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    size_t room = ALIGN_UP(bytes, PAGE_BYTES);
    assert_in_range(pieces_count, 0, ARRAY_SIZE(pieces) - 1);
    void *at = aligned_alloc(PAGE_BYTES, room);
    assert_non_null(at);
    pieces[pieces_count++] = at;
    return memset(at, 0, room);
}

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt;
}

static void free_pieces(void)
{
    while (pieces_count)
        free(pieces[--pieces_count]);
}
