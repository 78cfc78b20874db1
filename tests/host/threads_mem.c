// SPDX-License-Identifier: BSD-2-Clause
// Memory is asked for by any CPU at any time: threads, under TSan.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernel/base/cpus.h"
#include "kernel/handoff.h"
#include "kernel/mem/mem.h"
#undef HANDOFF_DIRECT_MAP
#define HANDOFF_DIRECT_MAP direct_map

static uint64_t direct_map;
uint64_t mem_phys_image(const volatile void *virt); // as in mem.h, for the kernel alone
#include "kernel/mem/map.c"
#include "kernel/mem/mem.c"

#undef fail // ours is a function, and cmocka's a macro
#include <cmocka.h>

#define THREADS 3
#define PIECES 2000
#define PIECE_BYTES 192
#define RAM_BYTES (4 * MIB)

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    abort();
}

void warn(const char *what, const char *fmt, ...)
{
    abort();
}

uint64_t paging_phys(const volatile void *at)
{
    abort();
}

volatile void *paging_map_window(uint64_t phys, uint64_t bytes, enum page_kind kind)
{
    abort();
}

static void *take_many(void *arg)
{
    uint8_t **pieces = arg;
    for (unsigned i = 0; i < PIECES; i++) {
        pieces[i] = mem_alloc(PIECE_BYTES, 1, i % 2 ? 1 : NODE_ANY);
        for (unsigned b = 0; b < PIECE_BYTES; b++)
            pieces[i][b]++; // a race, and not 1, where another thread has it too
    }
    return NULL;
}

static void no_two_threads_get_the_same(void **state)
{
    static struct handoff handoff = { .ranges_base = 0x1000, .ranges = 1 };
    static uint8_t *pieces[THREADS][PIECES];
    pthread_t threads[THREADS];
    uint8_t *ram = aligned_alloc(PAGE_BYTES, RAM_BYTES);
    assert_non_null(ram);
    direct_map = (uint64_t)ram;
    *(struct handoff_range *)(void *)(ram + handoff.ranges_base) =
        (struct handoff_range){ .base = MIB, .bytes = 3 * MIB, .kind = HANDOFF_FREE };
    mem_init(&handoff);
    mem_set_node(2 * MIB, MIB, 1);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, pieces[i]), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned j = 0; j < PIECES; j++)
            assert_int_equal(pieces[i][j][PIECE_BYTES - 1], 1);
    assert_int_equal(mem_free_bytes(), 3 * MIB - THREADS * PIECES * PIECE_BYTES);
    free(ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_two_threads_get_the_same) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
