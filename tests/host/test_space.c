// SPDX-License-Identifier: BSD-2-Clause
// A domain's page tables, and who finds what by them: the tables are in the host's memory, and all that is
// "physical" there is an address of the host's that nobody looks at.
#include <stdio.h>

#include "kernel/domain/abi.h"
#include "kernel/domain/space.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/paging_regs.h"
#include "tests/host/space_memory.h"

#define ROOT 0x123000ull
#define PHYS 0x7f40000000ull
#define CODE DOMAIN_IMAGE

static uint64_t *pml4;
static jmp_buf refused;
static char said[160];

uint64_t paging_new_root(uint64_t **table)
{
    *table = pml4 = mem_alloc(PAGE_BYTES, PAGE_BYTES, NODE_ANY);
    pml4[256] = 0x5000 | PTE_P | PTE_W; // the kernel's half
    pml4[511] = 0x6000 | PTE_P | PTE_W;
    return ROOT;
}

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    longjmp(refused, 1);
}

static void expect_refusal(struct space *s, uint64_t virt, uint64_t phys, uint64_t bytes,
                           const char *why)
{
    if (!setjmp(refused)) {
        space_map(s, virt, phys, bytes, SPACE_DATA);
        fail_msg("0x%llx was mapped", (unsigned long long)virt);
    }
    if (!strstr(said, why))
        fail_msg("%s", said);
}

static int end(void **state)
{
    free_pieces();
    return 0;
}

static uint64_t at(const struct space *s, uint64_t virt, uint64_t bytes)
{
    return (uint64_t)space_at(s, virt, bytes, false);
}

static uint64_t writable_at(const struct space *s, uint64_t virt, uint64_t bytes)
{
    return (uint64_t)space_at(s, virt, bytes, true);
}

// By a walk of its own; the level that it ends at.
static uint64_t *entry_of(uint64_t virt, unsigned *level)
{
    uint64_t *entry = &pml4[virt >> 39 & 511];
    for (*level = 4; *level > 1 && *entry && !(*entry & BIT64(7));)
        entry = (uint64_t *)(*entry & BITS64(51, 12)) +
                (virt >> (12 + 9 * (--*level - 1)) & 511); // NOLINT
    return entry;
}

static uint64_t leaf(uint64_t virt)
{
    unsigned level;
    return *entry_of(virt, &level);
}

static unsigned level_of(uint64_t virt)
{
    unsigned level;
    entry_of(virt, &level);
    return level;
}

// ---- what ring 3 gets ----

static void test_rights_of_each_kind(void **state)
{
    struct space *s = space_create();
    for (unsigned kind = SPACE_CODE; kind <= SPACE_REGISTER; kind++)
        space_map(s, CODE + kind * 4096, PHYS + kind * 4096, 4096, kind);
    assert_int_equal(leaf(CODE), PHYS | 0x5);
    assert_int_equal(leaf(CODE + 0x1000), (PHYS + 0x1000) | 0x5 | BIT64(63));
    assert_int_equal(leaf(CODE + 0x2000), (PHYS + 0x2000) | 0x7 | BIT64(63));
    assert_int_equal(leaf(CODE + 0x3000), (PHYS + 0x3000) | 0x1f | BIT64(63));
    assert_int_equal(leaf(CODE + 0x4000), 0);
    assert_int_equal(leaf(CODE - 0x1000), 0);
    assert_int_equal(space_root(s), ROOT);
    assert_int_equal(pml4[0] & 0xfff, 0x7);
}

static void test_the_kernels_half_stays(void **state)
{
    struct space *s = space_create();
    space_map(s, CODE, PHYS, 0x1000, SPACE_CODE);
    space_map(s, DOMAIN_END - 0x1000, PHYS, 0x1000, SPACE_DATA);
    for (unsigned i = 1; i < 512; i++)
        assert_int_equal(pml4[i], i == 256 ? 0x5003 : i == 511 ? 0x6003 : 0);
}

static void test_large_pages_where_both_are_aligned(void **state)
{
    struct space *s = space_create();
    space_map(s, DOMAIN_MEMORY, PHYS, 2 * SPACE_LARGE, SPACE_DATA);
    space_map(s, DOMAIN_IMAGE, PHYS + 0x1000, SPACE_LARGE, SPACE_CODE);
    space_map(s, DOMAIN_INFO, PHYS, SPACE_LARGE - 0x1000, SPACE_CONST);
    assert_int_equal(leaf(DOMAIN_MEMORY), PHYS | 0x87 | BIT64(63));
    assert_int_equal(leaf(DOMAIN_MEMORY + SPACE_LARGE), (PHYS + SPACE_LARGE) | 0x87 | BIT64(63));
    assert_int_equal(level_of(DOMAIN_MEMORY), 2);
    assert_int_equal(level_of(DOMAIN_IMAGE), 1);
    assert_int_equal(leaf(DOMAIN_IMAGE + SPACE_LARGE - 0x1000), (PHYS + SPACE_LARGE) | 0x5);
    assert_int_equal(level_of(DOMAIN_INFO), 1);
    assert_int_equal(leaf(DOMAIN_INFO + SPACE_LARGE - 0x1000), 0);
}

static void test_nothing_is_mapped_twice(void **state)
{
    struct space *s = space_create();
    space_map(s, CODE, PHYS, 0x2000, SPACE_CODE);
    space_map(s, DOMAIN_MEMORY, PHYS, SPACE_LARGE, SPACE_DATA);
    expect_refusal(s, CODE + 0x1000, PHYS, 0x1000, "already");
    expect_refusal(s, DOMAIN_MEMORY + 0x3000, PHYS, 0x1000, "already"); // within a large page
    expect_refusal(s, CODE, PHYS, SPACE_LARGE, "already");              // a table of small ones
    assert_int_equal(leaf(CODE + 0x1000), (PHYS + 0x1000) | 0x5);
}

static void test_what_is_no_page_of_a_domain(void **state)
{
    struct space *s = space_create();
    expect_refusal(s, DOMAIN_END, PHYS, 0x1000, "isn't a domain's");
    expect_refusal(s, DOMAIN_END - 0x1000, PHYS, 0x2000, "isn't a domain's");
    expect_refusal(s, 0xffff800000000000ull, PHYS, 0x1000, "isn't a domain's");
    expect_refusal(s, CODE, PHYS, 0ull - 0x1000, "isn't a domain's");
    expect_refusal(s, CODE + 8, PHYS, 0x1000, "whole pages");
    expect_refusal(s, CODE, PHYS + 8, 0x1000, "whole pages");
    expect_refusal(s, CODE, PHYS, 0x800, "whole pages");
    expect_refusal(s, CODE, BIT64(52), 0x1000, "whole pages");
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(pml4[i], 0);
}

// ---- what the kernel finds ----

static void test_found_as_ring_3_may(void **state)
{
    struct space *s = space_create();
    for (unsigned kind = SPACE_CODE; kind <= SPACE_REGISTER; kind++)
        space_map(s, CODE + kind * 0x10000, PHYS + kind * 0x10000, 0x1000, kind);
    assert_int_equal(at(s, CODE + 0x123, 8), PHYS + 0x123);
    assert_int_equal(at(s, CODE + 0x10123, 8), PHYS + 0x10123);
    assert_int_equal(at(s, CODE + 0x20123, 8), PHYS + 0x20123);
    assert_int_equal(writable_at(s, CODE + 0x123, 8), 0);
    assert_int_equal(writable_at(s, CODE + 0x10123, 8), 0);
    assert_int_equal(writable_at(s, CODE + 0x20123, 8), PHYS + 0x20123);
    assert_int_equal(at(s, CODE + 0x30123, 8), 0); // registers are no memory
    assert_int_equal(writable_at(s, CODE + 0x30123, 8), 0);
}

static void test_to_the_last_byte(void **state)
{
    struct space *s = space_create();
    space_map(s, CODE, PHYS, 0x1000, SPACE_DATA);
    assert_int_equal(at(s, CODE, 0x1000), PHYS);
    assert_int_equal(at(s, CODE, 0x1001), 0);
    assert_int_equal(at(s, CODE + 0xfff, 1), PHYS + 0xfff);
    assert_int_equal(at(s, CODE + 0xfff, 2), 0);
    assert_int_equal(at(s, CODE - 1, 1), 0);
    assert_int_equal(at(s, CODE - 1, 2), 0);
    assert_int_equal(at(s, CODE + 0x1000, 1), 0);
    assert_int_equal(at(s, CODE, 0), 0);
    assert_int_equal(at(s, 0, 1), 0);
}

static void test_no_address_of_a_domain(void **state)
{
    struct space *s = space_create();
    space_map(s, CODE, PHYS, 0x1000, SPACE_DATA);
    space_map(s, DOMAIN_END - 0x1000, PHYS, 0x1000, SPACE_DATA);
    pml4[256] = pml4[511] = pml4[0]; // it would be found there
    static const uint64_t bases[] = { 0xffff800000000000ull, 0xffffff8000000000ull,
                                      0x0000800000000000ull, 0xff80000000000000ull,
                                      0x8000000000000000ull, DOMAIN_END };
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
        assert_int_equal(at(s, bases[i] + CODE, 8), 0);
    assert_int_equal(at(s, DOMAIN_END - 8, 8), PHYS + 0xff8);
    assert_int_equal(at(s, DOMAIN_END - 8, 9), 0);
    assert_int_equal(at(s, DOMAIN_END, 1), 0);
    assert_int_equal(at(s, CODE, UINT64_MAX), 0);
    assert_int_equal(at(s, CODE + 8, 0ull - CODE), 0);
    assert_int_equal(at(s, UINT64_MAX, 1), 0);
    assert_int_equal(at(s, UINT64_MAX, UINT64_MAX), 0);
}

static void test_across_pages(void **state)
{
    struct space *s = space_create();
    space_map(s, CODE, PHYS, 0x2000, SPACE_DATA);
    space_map(s, CODE + 0x2000, PHYS + 0x2000, 0x1000, SPACE_CONST);
    space_map(s, CODE + 0x3000, PHYS + 0x4000, 0x1000, SPACE_CONST);
    space_map(s, CODE + 0x4000, PHYS + 0x3000, 0x1000, SPACE_CONST);
    space_map(s, CODE + 0x5000, PHYS + 0x4000, 0x1000, SPACE_REGISTER);
    assert_int_equal(writable_at(s, CODE + 0xffc, 8), PHYS + 0xffc);
    assert_int_equal(at(s, CODE + 0x1ffc, 8), PHYS + 0x1ffc);
    assert_int_equal(at(s, CODE + 0x10, 0x2ff0), PHYS + 0x10);
    assert_int_equal(writable_at(s, CODE + 0x1ffc, 8), 0); // the second may not
    assert_int_equal(at(s, CODE + 0x2ffc, 8), 0);          // a gap
    assert_int_equal(at(s, CODE + 0x3ffc, 8), 0);          // the other way round
    assert_int_equal(at(s, CODE + 0x4ffc, 8), 0);          // into registers
    assert_int_equal(at(s, CODE + 0x3ffc, 4), PHYS + 0x4ffc);
}

static void test_across_large_pages(void **state)
{
    struct space *s = space_create();
    space_map(s, DOMAIN_MEMORY, PHYS, SPACE_LARGE, SPACE_DATA);
    space_map(s, DOMAIN_MEMORY + SPACE_LARGE, PHYS + SPACE_LARGE, 0x3000, SPACE_DATA);
    space_map(s, DOMAIN_MEMORY + 2 * SPACE_LARGE, PHYS, SPACE_LARGE, SPACE_DATA);
    space_map(s, DOMAIN_MEMORY + 3 * SPACE_LARGE, PHYS + 8 * SPACE_LARGE, SPACE_LARGE, SPACE_DATA);
    assert_int_equal(at(s, DOMAIN_MEMORY + 0x12345, 8), PHYS + 0x12345);
    assert_int_equal(at(s, DOMAIN_MEMORY, SPACE_LARGE), PHYS);
    assert_int_equal(at(s, DOMAIN_MEMORY + 5, SPACE_LARGE + 0x3000 - 5), PHYS + 5);
    assert_int_equal(at(s, DOMAIN_MEMORY + 5, SPACE_LARGE + 0x3000 - 4), 0);
    assert_int_equal(at(s, DOMAIN_MEMORY + 3 * SPACE_LARGE - 4, 4), PHYS + SPACE_LARGE - 4);
    assert_int_equal(at(s, DOMAIN_MEMORY + 3 * SPACE_LARGE - 4, 5), 0);
}

// The CPU asks for a right at each level (SDM vol. 3, 5.6): so does this.
static void test_rights_are_asked_for_at_each_level(void **state)
{
    struct space *s = space_create();
    space_map(s, CODE, PHYS, 0x1000, SPACE_DATA);
    uint64_t *table = pml4;
    for (unsigned level = 4; level; level--) {
        uint64_t *entry = &table[CODE >> (12 + 9 * (level - 1)) & 511], whole = *entry;
        *entry = whole & ~BIT64(1);
        assert_int_equal(at(s, CODE, 8), PHYS);
        assert_int_equal(writable_at(s, CODE, 8), 0);
        *entry = whole & ~BIT64(2);
        assert_int_equal(at(s, CODE, 8), 0);
        *entry = whole & ~BIT64(0);
        assert_int_equal(at(s, CODE, 8), 0);
        *entry = whole;
        table = (uint64_t *)(whole & BITS64(51, 12)); // NOLINT
    }
    assert_int_equal(writable_at(s, CODE, 8), PHYS);
}

// The CPU notes its accesses in the entries.
static void test_accessed_and_dirty_bits(void **state)
{
    struct space *s = space_create();
    unsigned level;
    space_map(s, CODE, PHYS, 0x1000, SPACE_DATA);
    *entry_of(CODE, &level) |= BIT64(5) | BIT64(6);
    pml4[0] |= BIT64(5);
    assert_int_equal(writable_at(s, CODE + 1, 8), PHYS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_rights_of_each_kind, end),
        cmocka_unit_test_teardown(test_the_kernels_half_stays, end),
        cmocka_unit_test_teardown(test_large_pages_where_both_are_aligned, end),
        cmocka_unit_test_teardown(test_nothing_is_mapped_twice, end),
        cmocka_unit_test_teardown(test_what_is_no_page_of_a_domain, end),
        cmocka_unit_test_teardown(test_found_as_ring_3_may, end),
        cmocka_unit_test_teardown(test_to_the_last_byte, end),
        cmocka_unit_test_teardown(test_no_address_of_a_domain, end),
        cmocka_unit_test_teardown(test_across_pages, end),
        cmocka_unit_test_teardown(test_across_large_pages, end),
        cmocka_unit_test_teardown(test_rights_are_asked_for_at_each_level, end),
        cmocka_unit_test_teardown(test_accessed_and_dirty_bits, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
