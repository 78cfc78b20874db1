// SPDX-License-Identifier: BSD-2-Clause
// Firmware's memory map turned into ranges: kinds, order, merging, overlaps and malformed maps.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/memory_map.h"

#include <cmocka.h>

#define PAGE 4096ull
#define WB 0xfull // as firmware reports plain RAM: UC WC WT WB
#define SP (1ull << 18)
#define NV (1ull << 15)
#define RUNTIME (1ull << 63)
#define STEP 48 // firmware's descriptors are longer than the specification's
#define RANGES 64

enum {
    RESERVED,
    LOADER_CODE,
    LOADER_DATA,
    BOOT_CODE,
    BOOT_DATA,
    RUNTIME_CODE,
    RUNTIME_DATA,
    FREE,
    UNUSABLE,
    ACPI,
    NVS,
    MMIO,
    PORTS,
    PAL,
    PERSISTENT,
    UNACCEPTED
};

static uint8_t map[64 * STEP];
static size_t map_bytes;
static struct handoff_range out[RANGES];
static size_t count;
static struct handoff_warned bad;
static struct problem problem;

static int begin(void **state)
{
    map_bytes = 0;
    problem = (struct problem){ 0 };
    return 0;
}

static void add(uint32_t type, uint64_t base, uint64_t pages, uint64_t attributes)
{
    struct memory_descriptor d = {
        .type = type, .base = base, .pages = pages, .attributes = attributes
    };
    memset(map + map_bytes, 0xee, STEP);
    memcpy(map + map_bytes, &d, sizeof(d));
    map_bytes += STEP;
}

static bool convert_into(size_t max)
{
    uint8_t *exact = malloc(map_bytes ? map_bytes : 1);
    struct handoff_range *ranges = calloc(max + 1, sizeof(*ranges));
    memcpy(exact, map, map_bytes);
    bool ok = memory_map_convert(exact, map_bytes, STEP, ranges, max, &count, &bad, &problem);
    assert_int_equal(ranges[max].bytes, 0);
    memcpy(out, ranges, count * sizeof(*ranges));
    free(ranges);
    free(exact);
    return ok;
}

static bool convert(void)
{
    return convert_into(MEMORY_MAP_RANGES(map_bytes / STEP));
}

static void expect(size_t i, uint64_t base, uint64_t end, uint32_t kind, uint32_t type)
{
    assert_true(i < count);
    assert_int_equal(out[i].base, base);
    assert_int_equal(out[i].base + out[i].bytes, end);
    assert_int_equal(out[i].kind, kind);
    assert_int_equal(out[i].efi_type, type);
}

static void refuses(const char *words)
{
    assert_false(convert());
    assert_string_equal(problem.what, "memory-map");
    if (!strstr(problem.message, words))
        fail_msg("\"%s\" lacks \"%s\"", problem.message, words);
    begin(NULL);
}

static void test_kinds(void **state)
{
    static const uint32_t kinds[] = {
        [RESERVED] = HANDOFF_OTHER,
        [LOADER_CODE] = HANDOFF_BOOT,
        [LOADER_DATA] = HANDOFF_KEPT,
        [BOOT_CODE] = HANDOFF_BOOT,
        [BOOT_DATA] = HANDOFF_BOOT,
        [RUNTIME_CODE] = HANDOFF_FIRMWARE,
        [RUNTIME_DATA] = HANDOFF_FIRMWARE,
        [FREE] = HANDOFF_FREE,
        [UNUSABLE] = HANDOFF_OTHER,
        [ACPI] = HANDOFF_FIRMWARE,
        [NVS] = HANDOFF_FIRMWARE,
        [MMIO] = HANDOFF_OTHER,
        [PORTS] = HANDOFF_OTHER,
        [PAL] = HANDOFF_OTHER,
        [PERSISTENT] = HANDOFF_OTHER,
        [UNACCEPTED] = HANDOFF_OTHER,
        [16] = HANDOFF_OTHER, // a type of later specifications
    };
    for (uint32_t type = 0; type < ARRAY_SIZE(kinds); type++)
        add(type, MIB * (2 * type + 1), 4, WB);
    add(0x80000000, 100 * MIB, 4, WB); // an operating system loader's own type
    assert_true(convert());
    assert_int_equal(count, ARRAY_SIZE(kinds) + 1);
    for (uint32_t type = 0; type < ARRAY_SIZE(kinds); type++)
        expect(type, MIB * (2 * type + 1), MIB * (2 * type + 1) + 4 * PAGE, kinds[type], type);
    expect(count - 1, 100 * MIB, 100 * MIB + 4 * PAGE, HANDOFF_OTHER, 0x80000000);
}

static void test_attributes(void **state)
{
    add(FREE, 1 * MIB, 4, WB);
    add(FREE, 2 * MIB, 4, WB | SP);
    add(FREE, 3 * MIB, 4, WB & ~8ull); // not write-back
    add(FREE, 4 * MIB, 4, WB | NV);
    add(FREE, 5 * MIB, 4, WB | RUNTIME);
    add(BOOT_DATA, 6 * MIB, 4, WB | SP);
    add(LOADER_DATA, 7 * MIB, 4, 0);
    add(ACPI, 8 * MIB, 4, 0);
    static const uint32_t kinds[] = { HANDOFF_FREE,  HANDOFF_OTHER,    HANDOFF_OTHER,
                                      HANDOFF_OTHER, HANDOFF_FIRMWARE, HANDOFF_OTHER,
                                      HANDOFF_KEPT,  HANDOFF_FIRMWARE };
    assert_true(convert());
    assert_int_equal(count, ARRAY_SIZE(kinds));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        assert_int_equal(out[i].kind, kinds[i]);
}

static void test_sorts_and_merges(void **state)
{
    add(FREE, 8 * MIB, 1, WB);
    add(BOOT_DATA, 4 * MIB + 2 * PAGE, 1, WB);
    add(LOADER_CODE, 4 * MIB + PAGE, 1, WB);
    add(FREE, 1 * MIB + PAGE, 1, WB | 1ull << 16); // "more reliable"
    add(FREE, 1 * MIB, 1, WB);
    add(BOOT_CODE, 4 * MIB, 1, WB);
    add(ACPI, 5 * MIB, 1, WB);
    add(NVS, 5 * MIB + PAGE, 1, WB);
    add(NVS, 5 * MIB + 2 * PAGE, 1, WB);
    add(FREE, 8 * MIB + 2 * PAGE, 1, WB); // a hole before it
    add(RESERVED, 3 * MIB, 0, WB);        // nothing
    assert_true(convert());
    assert_int_equal(count, 6);
    expect(0, MIB, MIB + 2 * PAGE, HANDOFF_FREE, FREE);
    expect(1, 4 * MIB, 4 * MIB + 3 * PAGE, HANDOFF_BOOT, BOOT_CODE);
    expect(2, 5 * MIB, 5 * MIB + PAGE, HANDOFF_FIRMWARE, ACPI);
    expect(3, 5 * MIB + PAGE, 5 * MIB + 3 * PAGE, HANDOFF_FIRMWARE, NVS);
    expect(4, 8 * MIB, 8 * MIB + PAGE, HANDOFF_FREE, FREE);
    expect(5, 8 * MIB + 2 * PAGE, 8 * MIB + 3 * PAGE, HANDOFF_FREE, FREE);
}

static void test_overlaps(void **state)
{
    add(FREE, 16 * PAGE, 16, WB);
    add(NVS, 20 * PAGE, 4, WB);      // inside
    add(RESERVED, 30 * PAGE, 8, WB); // across the end
    add(LOADER_DATA, 22 * PAGE, 4, WB);
    assert_true(convert());
    assert_int_equal(count, 5);
    expect(0, 16 * PAGE, 20 * PAGE, HANDOFF_FREE, FREE);
    expect(1, 20 * PAGE, 24 * PAGE, HANDOFF_FIRMWARE, NVS);
    expect(2, 24 * PAGE, 26 * PAGE, HANDOFF_KEPT, LOADER_DATA);
    expect(3, 26 * PAGE, 30 * PAGE, HANDOFF_FREE, FREE);
    expect(4, 30 * PAGE, 38 * PAGE, HANDOFF_OTHER, RESERVED);
}

// The most ranges that so many descriptors can make: each later one splits the one below.
static void test_room(void **state)
{
    const uint64_t n = 20;
    for (uint64_t i = 0; i < n; i++)
        add(i % 2 ? RESERVED + 16 + (uint32_t)i : FREE, 64 * PAGE + i * PAGE, 2 * (n - i), WB);
    assert_true(convert());
    assert_true(count <= MEMORY_MAP_RANGES(n));
    for (size_t i = 1; i < count; i++)
        assert_int_equal(out[i].base, out[i - 1].base + out[i - 1].bytes);
    assert_false(convert_into(count - 1));
    assert_non_null(strstr(problem.message, "ranges"));
}

static void test_page_zero(void **state)
{
    add(FREE, 0, 16, WB);
    assert_true(convert());
    assert_int_equal(count, 2);
    expect(0, 0, PAGE, HANDOFF_OTHER, FREE);
    expect(1, PAGE, 16 * PAGE, HANDOFF_FREE, FREE);
    begin(NULL);
    add(BOOT_DATA, 0, 1, WB);
    add(FREE, MIB, 1, WB);
    assert_true(convert());
    assert_int_equal(count, 2);
    expect(0, 0, PAGE, HANDOFF_OTHER, BOOT_DATA);
    begin(NULL);
    add(FREE, 0, 1, WB);
    refuses("no free memory");
}

static void test_top_of_memory(void **state)
{
    add(FREE, MIB, 1, WB);
    add(RESERVED, (1ull << 52) - PAGE, 1, WB);
    assert_true(convert());
    expect(1, (1ull << 52) - PAGE, 1ull << 52, HANDOFF_OTHER, RESERVED);
}

static void test_malformed(void **state)
{
    add(FREE, MIB + 1, 1, WB);
    refuses("no free memory");
    add(FREE, MIB, 1ull << 40, WB);
    refuses("no free memory");
    add(RESERVED, MIB, 1, WB);
    refuses("no free memory");
    refuses("no free memory"); // an empty map
    assert_false(memory_map_convert(map, 80, 39, out, RANGES, &count, &bad, &problem));
    assert_non_null(strstr(problem.message, "39 bytes"));
    assert_false(memory_map_convert(map, 80, 0, out, RANGES, &count, &bad, &problem));
    assert_int_equal(count, 0);
}

// A descriptor that can't be, among others: it is told of, and they are used.
static void test_bad_descriptors(void **state)
{
    static const struct {
        uint64_t base, pages;
    } cases[] = {
        { MIB, 1ull << 40 },          { MIB, UINT64_MAX },        { 1ull << 52, 1 },
        { 0xfffffffffffff000ull, 2 }, { UINT64_MAX, UINT64_MAX }, { 4 * MIB + 1, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin(NULL);
        add(FREE, MIB, 1, WB);
        add(i % 2 && cases[i].base % PAGE == 0 ? RESERVED : FREE, cases[i].base, cases[i].pages,
            WB);
        add(FREE, 3 * MIB, 1, WB);
        assert_true(convert());
        assert_int_equal(count, 2);
        expect(0, MIB, MIB + PAGE, HANDOFF_FREE, FREE);
        expect(1, 3 * MIB, 3 * MIB + PAGE, HANDOFF_FREE, FREE);
        assert_int_equal(bad.count, 1);
        assert_int_equal(bad.values[0], cases[i].base);
        assert_int_equal(bad.values[1], cases[i].pages);
    }
    map_bytes -= 8; // less than a last whole descriptor
    assert_true(convert());
    assert_int_equal(count, 1);
    assert_int_equal(bad.count, 2);
    begin(NULL);
    add(FREE, MIB, 1, WB);
    assert_true(convert());
    assert_int_equal(bad.count, 0);
}

// What is reserved from the middle of a page on is no memory to hand out, and neither is the page's start.
static void test_reserved_within_a_page(void **state)
{
    add(FREE, MIB, 4, WB);
    add(RESERVED, MIB + PAGE + 8, 1, WB);
    assert_true(convert());
    assert_int_equal(count, 3);
    expect(1, MIB + PAGE, MIB + 3 * PAGE, HANDOFF_OTHER, RESERVED);
    assert_int_equal(bad.count, 1);
}

// Neither pages of nothing nor descriptors on top of each other are worth a warning.
static void test_harmless(void **state)
{
    add(FREE, MIB, 4, WB);
    add(RESERVED, MIB + PAGE, 0, WB);
    add(BOOT_DATA, MIB + 2 * PAGE, 1, WB);
    assert_true(convert());
    assert_int_equal(count, 3);
    assert_int_equal(bad.count, 0);
}

// ---- a page for starting CPUs ----

static uint64_t take(void)
{
    return memory_map_take_page(out, RANGES, &count, 0xa0000);
}

static void test_page_of_boot_services(void **state)
{
    add(RESERVED, 0, 2, WB);
    add(BOOT_DATA, 2 * PAGE, 0x100, WB);
    add(FREE, MIB, 16, WB);
    assert_true(convert());
    assert_int_equal(count, 3);
    assert_int_equal(take(), 0x9f000);
    assert_int_equal(count, 5);
    expect(1, 2 * PAGE, 0x9f000, HANDOFF_BOOT, BOOT_DATA);
    expect(2, 0x9f000, 0xa0000, HANDOFF_KEPT, BOOT_DATA);
    expect(3, 0xa0000, 0x102000, HANDOFF_BOOT, BOOT_DATA);
    expect(4, 0x102000, MIB + 16 * PAGE, HANDOFF_FREE, FREE);
}

static void test_page_alone(void **state)
{
    add(BOOT_DATA, 0x9e000, 1, WB);
    add(FREE, MIB, 16, WB);
    assert_true(convert());
    assert_int_equal(take(), 0x9e000);
    assert_int_equal(count, 2);
    expect(0, 0x9e000, 0x9f000, HANDOFF_KEPT, BOOT_DATA);
    assert_int_equal(take(), 0); // there is no other
}

static void test_no_page(void **state)
{
    add(BOOT_DATA, 0, 1, WB);       // page 0
    add(NVS, 0x5000, 1, WB);        // the firmware's
    add(BOOT_DATA, 0xa0000, 1, WB); // too high
    add(FREE, MIB, 16, WB);
    assert_true(convert());
    size_t before = count;
    assert_int_equal(take(), 0);
    assert_int_equal(count, before);
}

// Descriptors of each size that firmware may report: less than the specification's are none.
static void test_steps(void **state)
{
    for (size_t step = 1; step <= 64; step++) {
        const struct memory_descriptor d = { FREE, 0, MIB, 0, 1, WB };
        uint8_t *exact = calloc(2, step);
        memcpy(exact, &d, MIN(step, sizeof(d)));
        bool ok = memory_map_convert(exact, 2 * step, step, out, RANGES, &count, &bad, &problem);
        assert_int_equal(ok, step >= sizeof(d));
        assert_int_equal(count, ok);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_kinds, begin),
        cmocka_unit_test_setup(test_attributes, begin),
        cmocka_unit_test_setup(test_sorts_and_merges, begin),
        cmocka_unit_test_setup(test_overlaps, begin),
        cmocka_unit_test_setup(test_room, begin),
        cmocka_unit_test_setup(test_page_zero, begin),
        cmocka_unit_test_setup(test_top_of_memory, begin),
        cmocka_unit_test_setup(test_malformed, begin),
        cmocka_unit_test_setup(test_bad_descriptors, begin),
        cmocka_unit_test_setup(test_reserved_within_a_page, begin),
        cmocka_unit_test_setup(test_harmless, begin),
        cmocka_unit_test_setup(test_page_of_boot_services, begin),
        cmocka_unit_test_setup(test_page_alone, begin),
        cmocka_unit_test_setup(test_no_page, begin),
        cmocka_unit_test_setup(test_steps, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
