// SPDX-License-Identifier: BSD-2-Clause
// A domain's memory: what devices may be given from its low end, behind the queues, all else from its high
// end, and never one within the other.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "domain/mem.c"

#undef fail
#include <cmocka.h>

#define BYTES (2 * MIB)
#define USED 0x4100 // by queues: the fifth page is theirs, too
#define END (DOMAIN_MEMORY + BYTES)

static const struct domain_info told = { .memory = BYTES, .memory_used = USED, .node = 7 };
static jmp_buf ended;
static char said[512];

const struct domain_info *domain_info(void)
{
    return &told;
}

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = snprintf(said, sizeof(said), "%s: ", what);
    vsnprintf(said + length, sizeof(said) - (size_t)length, fmt, args);
    va_end(args);
    longjmp(ended, 1);
}

static int begin_anew(void **state)
{
    memset(&mem, 0, sizeof(mem));
    return 0;
}

static uint64_t dma(size_t bytes, size_t align)
{
    return (uint64_t)mem_alloc_dma(bytes, align, NODE_ANY);
}

static uint64_t other(size_t bytes, size_t align)
{
    return (uint64_t)mem_alloc(bytes, align, NODE_ANY);
}

static void devices_memory_lies_behind_the_queues(void **state)
{
    assert_int_equal(dma(1, 1), DOMAIN_MEMORY + 0x5000);
    assert_int_equal(dma(65, 1), DOMAIN_MEMORY + 0x5040); // a line is the least
    assert_int_equal(dma(4096, 4096), DOMAIN_MEMORY + 0x6000);
}

static void all_else_at_the_other_end(void **state)
{
    assert_int_equal(other(1, 1), END - 64);
    assert_int_equal(other(100, 4096), END - 4096);
    assert_int_equal(other(64, 64), END - 4096 - 64);
}

static void devices_memory_is_known(void **state)
{
    uint64_t at = dma(8192, 4096), end = at + 8192;
    const void *p = (const void *)at;
    assert_true(mem_is_dma(p, 8192));
    assert_false(mem_is_dma(p, 8193));
    assert_true(mem_is_dma((const void *)(end - 1), 1));
    assert_false(mem_is_dma((const void *)end, 1));
    assert_false(mem_is_dma((const void *)(at + 1), UINT64_MAX)); // it would wrap
    assert_false(mem_is_dma((const void *)DOMAIN_MEMORY, 64));    // queues
    assert_false(mem_is_dma((const void *)other(64, 64), 64));
    assert_false(mem_is_dma((const void *)DOMAIN_IMAGE, 64));
}

static void both_meet_in_the_middle(void **state)
{
    uint64_t half = (mem_free_bytes() / 2) & ~63ull;
    uint64_t high = other(half, 1), low = dma(mem_free_bytes(), 1);
    assert_true(low < high && mem_free_bytes() == 0);
    assert_int_equal(mem_dma_used(), high - DOMAIN_MEMORY);
}

static void refused(void *(*fn)(size_t, size_t, unsigned), size_t bytes, size_t align)
{
    said[0] = 0;
    if (!setjmp(ended))
        fn(bytes, align, NODE_ANY);
    assert_non_null(strstr(said, "out-of-memory: memory: no "));
    mem.lock = (struct spinlock){ 0 };
}

static void what_is_not_there_ends_the_program(void **state)
{
    uint64_t free_bytes = mem_free_bytes();
    refused(mem_alloc, free_bytes + 1, 1);
    refused(mem_alloc_dma, free_bytes + 1, 1);
    refused(mem_alloc, UINT64_MAX, 1);
    refused(mem_alloc_dma, UINT64_MAX, 1);
    refused(mem_alloc, 0, 1);
    refused(mem_alloc_dma, 64, 1ull << 63);
    other(free_bytes - 4096, 1);
    refused(mem_alloc_dma, 64, 4 * MIB); // the next such place lies past the end
    refused(mem_alloc, 4096, 8192);      // and this one below what is free
    assert_int_equal(mem_free_bytes(), 4096);
    dma(4096, 1);
    refused(mem_alloc, 1, 1);
}

static void its_ram_and_node(void **state)
{
    assert_true(mem_is_ram(DOMAIN_MEMORY, BYTES));
    assert_false(mem_is_ram(DOMAIN_MEMORY, BYTES + 1));
    assert_false(mem_is_ram(DOMAIN_MEMORY - 1, 1));
    assert_false(mem_is_ram(END + 1, 0));
    assert_int_equal(mem_node((const void *)END), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices_memory_lies_behind_the_queues, begin_anew),
        cmocka_unit_test_setup(all_else_at_the_other_end, begin_anew),
        cmocka_unit_test_setup(devices_memory_is_known, begin_anew),
        cmocka_unit_test_setup(both_meet_in_the_middle, begin_anew),
        cmocka_unit_test_setup(what_is_not_there_ends_the_program, begin_anew),
        cmocka_unit_test_setup(its_ram_and_node, begin_anew),
    };
    return cmocka_run_group_tests_name("a program's memory", tests, NULL, NULL);
}
