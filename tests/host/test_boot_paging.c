// SPDX-License-Identifier: BSD-2-Clause
// The tables that the kernel is entered on, built over tables such as firmware leaves.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot_paging.h"
#include "boot/paging_regs.h"
#include "kernel/handoff.h"

#include <cmocka.h>

#define PAGE 4096
#define IMAGE 0x12345000ull
#define CR3_JUNK 0x800000000000001full // no-flush bit, context, cache bits: no address

static uint64_t firmware_pml5[PAGE_ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t firmware_pml4[PAGE_ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t firmware_pointers[PAGE_ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t firmware_directory[PAGE_ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t firmware_leaves[PAGE_ENTRIES] __attribute__((aligned(PAGE)));

static struct kernel_elf kernel;
static struct problem problem;
static void *tables;
static uint64_t root;

// Identity map: the first 2 MiB by 4 KiB pages (page 0 missing, page 5 read-only, page 6 not
// executable), then 2 MiB pages to 1 GiB, 1 GiB pages to 512 GiB, the same again at entry 255; all
// with the user bit, as on firmware that sets it everywhere; and something in its upper half.
static int build_firmware(void **state)
{
    const uint64_t all = PAGE_ENTRY_P | PAGE_ENTRY_W | PAGE_ENTRY_U;
    for (uint64_t i = 0; i < PAGE_ENTRIES; i++) {
        firmware_leaves[i] = i * PAGE | all;
        firmware_directory[i] = i << 21 | all | PAGE_ENTRY_PS;
        firmware_pointers[i] = i << 30 | all | PAGE_ENTRY_PS;
        firmware_pml4[i] = firmware_pml5[i] = 0;
    }
    firmware_leaves[0] = 0;
    firmware_leaves[5] &= ~PAGE_ENTRY_W;
    firmware_leaves[6] |= PAGE_ENTRY_NX;
    firmware_directory[0] = (uint64_t)firmware_leaves | all;
    firmware_pointers[0] = (uint64_t)firmware_directory | all;
    firmware_pml4[0] = firmware_pml4[255] = firmware_pml4[300] = (uint64_t)firmware_pointers | all;
    firmware_pml5[0] = (uint64_t)firmware_pml4 | all;

    kernel = (struct kernel_elf){
        .bytes = 5 * MIB,
        .segments = { { .base = 0, .bytes = 0x2001, .execute = true },
                      { .base = 0x4000, .bytes = 0x1000 },
                      { .base = 2 * MIB - PAGE, .bytes = 3 * MIB + PAGE, .write = true } },
        .count = 3,
    };
    return 0;
}

static bool build(bool five_levels)
{
    size_t count = boot_paging_tables(kernel.bytes, five_levels);
    free(tables);
    tables = aligned_alloc(PAGE, count * PAGE); // exactly what is asked for
    memset(tables, 0, count * PAGE);
    struct boot_paging b = {
        .firmware_root = (uint64_t)(five_levels ? firmware_pml5 : firmware_pml4) | CR3_JUNK,
        .five_levels = five_levels,
        .image = IMAGE,
    };
    return boot_paging_build(&b, &kernel, tables, &root, &problem);
}

static int release(void **state)
{
    free(tables);
    tables = NULL;
    return 0;
}

static void expect(bool five_levels, uint64_t virt, uint64_t phys, bool write, bool execute)
{
    struct boot_paging_page page;
    assert_true(boot_paging_find(root, five_levels, virt, &page));
    assert_int_equal(page.phys, phys);
    assert_int_equal(page.write, write);
    assert_int_equal(page.execute, execute);
    assert_false(page.user);
}

static void expect_hole(bool five_levels, uint64_t virt)
{
    struct boot_paging_page page;
    assert_false(boot_paging_find(root, five_levels, virt, &page));
}

static void expect_layout(bool five)
{
    const uint64_t halves[] = { 0, HANDOFF_DIRECT_MAP };
    for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
        expect_hole(five, halves[i]);
        expect(five, halves[i] + 0x4ff8, 0x4ff8, true, true);
        expect(five, halves[i] + 0x5000, 0x5000, false, true);
        expect(five, halves[i] + 0x6000, 0x6000, true, false);
        expect(five, halves[i] + 0x212345, 0x212345, true, true);
        expect(five, halves[i] + 0x7fffffffffull, 0x7fffffffffull, true, true);
        expect_hole(five, halves[i] + 0x8000000000ull);
    }
    expect(five, 0x7f8000212345ull, 0x212345, true, true);  // entry 255
    expect_hole(five, HANDOFF_DIRECT_MAP + 44 * 512 * GIB); // firmware's upper half is not copied

    expect(five, KERNEL_LINK_BASE, IMAGE, false, true);
    expect(five, KERNEL_LINK_BASE + 0x2fff, IMAGE + 0x2fff, false, true);
    expect_hole(five, KERNEL_LINK_BASE + 0x3000);
    expect(five, KERNEL_LINK_BASE + 0x4000, IMAGE + 0x4000, false, false);
    expect_hole(five, KERNEL_LINK_BASE + 0x5000);
    expect(five, KERNEL_LINK_BASE + 2 * MIB - 1, IMAGE + 2 * MIB - 1, true, false);
    expect(five, KERNEL_LINK_BASE + 2 * MIB, IMAGE + 2 * MIB, true, false);
    expect(five, KERNEL_LINK_BASE + 5 * MIB - 1, IMAGE + 5 * MIB - 1, true, false);
    expect_hole(five, KERNEL_LINK_BASE + 5 * MIB);
    expect_hole(five, KERNEL_LINK_BASE - PAGE);
}

static void test_four_levels(void **state)
{
    assert_true(build(false));
    assert_int_equal(root, (uint64_t)tables);
    expect_layout(false);
}

static void test_five_levels(void **state)
{
    assert_true(build(true));
    assert_int_equal(root, (uint64_t)tables);
    expect_layout(true);
    const uint64_t *pml5 = tables;
    assert_int_equal(pml5[0], pml5[511]);
    for (size_t i = 1; i < 511; i++)
        assert_int_equal(pml5[i], 0);
}

static void test_five_levels_without_low_memory(void **state)
{
    firmware_pml5[0] = 2;
    assert_false(build(true));
    assert_string_equal(problem.what, "boot-paging");
    assert_non_null(strstr(problem.message, "is 0x2:"));
}

// What an upper entry forbids, none below it allows, whatever the size of the page.
static void test_rights_of_all_levels(void **state)
{
    static const uint64_t pages[] = { 0x4000, 0x212345, 0x40000123 };
    struct boot_paging_page page;
    for (unsigned at = 0; at < ARRAY_SIZE(pages); at++)
        for (unsigned i = 0; i < 16; i++) {
            build_firmware(NULL);
            uint64_t *upper = i & 8 ? &firmware_pml4[0] : &firmware_pml5[0];
            *upper &= ~((i & 1 ? PAGE_ENTRY_W : 0) | (i & 2 ? PAGE_ENTRY_U : 0));
            *upper |= i & 4 ? PAGE_ENTRY_NX : 0;
            assert_true(
                boot_paging_find((uint64_t)firmware_pml5 | CR3_JUNK, true, pages[at], &page));
            assert_int_equal(page.phys, pages[at]);
            assert_int_equal(page.write, !(i & 1));
            assert_int_equal(page.user, !(i & 2));
            assert_int_equal(page.execute, !(i & 4));
        }
}

static void test_firmware_tables_are_not_changed(void **state)
{
    static uint64_t before[PAGE_ENTRIES];
    memcpy(before, firmware_pml4, sizeof(before));
    assert_true(build(false));
    assert_memory_equal(before, firmware_pml4, sizeof(before));
}

static void test_tables_needed(void **state)
{
    assert_int_equal(boot_paging_tables(1, false), 4);
    assert_int_equal(boot_paging_tables(2 * MIB, false), 4);
    assert_int_equal(boot_paging_tables(2 * MIB + 1, false), 5);
    assert_int_equal(boot_paging_tables(KERNEL_BYTES_MAX, true), 4 + 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_four_levels, build_firmware, release),
        cmocka_unit_test_setup_teardown(test_five_levels, build_firmware, release),
        cmocka_unit_test_setup_teardown(test_five_levels_without_low_memory, build_firmware,
                                        release),
        cmocka_unit_test_setup_teardown(test_firmware_tables_are_not_changed, build_firmware,
                                        release),
        cmocka_unit_test(test_rights_of_all_levels),
        cmocka_unit_test(test_tables_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
