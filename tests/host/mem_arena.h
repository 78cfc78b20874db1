// SPDX-License-Identifier: BSD-2-Clause
// The DMA arena and what mem.c holds beneath it; the direct map is a hole in the host's address space. For
// one test binary each.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/handoff.h"
#include "kernel/mem/mem.h"
#undef HANDOFF_DIRECT_MAP
#define HANDOFF_DIRECT_MAP direct_map

static uint64_t direct_map;
uint64_t mem_phys_image(const volatile void *virt); // as in mem.h, for the kernel alone
#define cut cut_region
#define take take_region
#include "kernel/mem/mem.c"
#undef cut
#undef take
#include "kernel/mem/dma.c"

#undef fail // ours is a function, and cmocka's a macro
#include <cmocka.h>

#define DIRECT_BYTES (32 * GIB)
#define RANGES_AT 0x2000
#define TOLD_MAX (PIECES_MAX + 1)

// ---- the machine ----

static struct handoff handoff;
static struct handoff_range *ranges;
static jmp_buf failed;
static bool failure_is_expected, map_fails;
static char failed_what[32], said[512];

static struct {
    uint64_t base, bytes;
} told[TOLD_MAX];
static size_t told_count;

static inline noreturn void end_test(const char *what)
{
    snprintf(failed_what, sizeof(failed_what), "%s", what);
    if (!failure_is_expected)
        fail_msg("%s", said);
    failure_is_expected = false;
    longjmp(failed, 1);
}

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    end_test(what);
}

noreturn void fail_problem(const struct problem *p)
{
    snprintf(said, sizeof(said), "%s", p->message);
    end_test(p->what);
}

void warn(const char *what, const char *fmt, ...)
{
    fail_msg("%s", what);
}

#define expect_failure() (failure_is_expected = true, !setjmp(failed))

static inline void *at_phys(uint64_t phys)
{
    return (void *)(direct_map + phys); // NOLINT
}

static inline uint64_t phys_of(const void *at)
{
    return (uint64_t)at - direct_map;
}

// Nothing of the piece is given out yet, and no byte of it was told before.
static inline bool map_piece(uint64_t phys, uint64_t bytes, struct problem *p)
{
    if (map_fails)
        return problem_set(p, "no-map", "no room for tables");
    assert_in_range(told_count, 0, TOLD_MAX - 1);
    assert_true(bytes && phys % PAGE_BYTES == 0 && bytes % PAGE_BYTES == 0);
    assert_false(mem_is_dma(at_phys(phys), 1));
    for (size_t i = 0; i < told_count; i++)
        assert_true(phys >= told[i].base + told[i].bytes || phys + bytes <= told[i].base);
    told[told_count].base = phys;
    told[told_count++].bytes = bytes;
    return true;
}

static inline void add_ram(uint64_t base, uint64_t end)
{
    ranges[handoff.ranges++] =
        (struct handoff_range){ .base = base, .bytes = end - base, .kind = HANDOFF_FREE };
}

static inline int begin(void **state)
{
    if (!direct_map) {
        void *hole = mmap(NULL, DIRECT_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert_true(hole != MAP_FAILED);
        direct_map = (uint64_t)hole;
    }
    madvise((void *)direct_map, DIRECT_BYTES,
            MADV_DONTNEED); // the host needn't have all tests' GiB at once
    memset(&mem, 0, sizeof(mem));
    memset(&dma, 0, sizeof(dma));
    dma.largest = GIB;
    dma.limit = DIRECT_MAP_BYTES;
    told_count = 0;
    map_fails = failure_is_expected = false;
    handoff = (struct handoff){ .ranges_base = RANGES_AT };
    ranges = at_phys(RANGES_AT);
    return 0;
}

static inline void start(uint64_t limit)
{
    mem_init(&handoff);
    mem_dma_init(limit, GIB, map_piece);
}

// RAM in one range, told to nobody else.
static inline void start_with(uint64_t base, uint64_t end)
{
    begin(NULL);
    add_ram(base, end);
    start(UINT64_MAX);
}

#define dma_test(f) cmocka_unit_test_setup(f, begin)
