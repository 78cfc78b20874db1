// SPDX-License-Identifier: BSD-2-Clause
// Memory as it is handed out: in RAM, aligned, zeroed, never twice, and from the NUMA node asked for
// as long as that has any. The direct map is moved to where a host can have one.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/base/x86.h"
#include "kernel/handoff.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#undef HANDOFF_DIRECT_MAP
#define HANDOFF_DIRECT_MAP direct_map
#define cpuid(leaf, sub) fake_cpuid(leaf, sub)

static uint64_t direct_map;
static struct cpuid fake_cpuid(uint32_t leaf, uint32_t sub);
uint64_t mem_phys_image(const volatile void *virt); // as in mem.h, for the kernel alone
#include "kernel/mem/map.c"
#include "kernel/mem/mem.c"

#undef fail // ours is a function, and cmocka's a macro
#include <cmocka.h>

static noreturn void fail_test(const char *why)
{
    fail_msg("%s", why);
    abort(); // fail_msg() doesn't return, but doesn't say so
}

#define RAM_BYTES (16 * MIB)
#define DIRT 0xee

// ---- the machine ----

static struct handoff handoff;
static struct handoff_range *ranges;
static jmp_buf failed;
static bool failure_is_expected;
static char failed_what[32], said[512];
static unsigned warnings;
static uint32_t cpuid_most = 0x80000008, cpuid_widths = 0x3026;
static uint64_t mapped_phys, mapped_bytes;
static enum page_kind mapped_kind;

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    snprintf(failed_what, sizeof(failed_what), "%s", what);
    if (!failure_is_expected)
        fail_test(said);
    failure_is_expected = false;
    longjmp(failed, 1);
}

void warn(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    warnings++;
}

static struct cpuid fake_cpuid(uint32_t leaf, uint32_t sub)
{
    assert_int_equal(sub, 0);
    if (leaf == 0x80000000)
        return (struct cpuid){ .a = cpuid_most };
    assert_int_equal(leaf, 0x80000008);
    return (struct cpuid){ .a = cpuid_widths };
}

uint64_t paging_phys(const volatile void *at)
{
    return (uint64_t)at - HANDOFF_DIRECT_MAP;
}

volatile void *paging_map_window(uint64_t phys, uint64_t bytes, enum page_kind kind)
{
    mapped_phys = phys;
    mapped_bytes = bytes;
    mapped_kind = kind;
    return (volatile void *)0x1000; // NOLINT
}

// ---- a world ----

// What follows is to end in fail().
#define expect_failure() (failure_is_expected = true, !setjmp(failed))

static void add_range(uint64_t base, uint64_t end, enum handoff_kind kind)
{
    ranges[handoff.ranges++] =
        (struct handoff_range){ .base = base, .bytes = end - base, .kind = kind };
}

// RAM up to 16 MiB: 1 to 8 MiB are free, 9 to 12 MiB are once boot services are gone.
static int begin(void **state)
{
    static uint8_t *ram;
    if (!ram)
        ram = aligned_alloc(8 * MIB, RAM_BYTES);
    assert_non_null(ram);
    direct_map = (uint64_t)ram;
    memset(ram, DIRT, RAM_BYTES);
    memset(&mem, 0, sizeof(mem));
    warnings = 0;
    failed_what[0] = 0;
    failure_is_expected = false;
    handoff = (struct handoff){ .ranges_base = 0x2000, .kernel_base = 8 * MIB };
    ranges = (void *)(ram + handoff.ranges_base);
    add_range(0, 640 * KIB, HANDOFF_FREE);
    add_range(MIB, 8 * MIB, HANDOFF_FREE);
    add_range(8 * MIB, 9 * MIB, HANDOFF_KEPT);
    add_range(9 * MIB, 12 * MIB, HANDOFF_BOOT);
    add_range(12 * MIB, 13 * MIB, HANDOFF_OTHER);
    add_range(13 * MIB, 14 * MIB, HANDOFF_FIRMWARE);
    ranges[handoff.ranges] =
        (struct handoff_range){ 14 * MIB, MIB, HANDOFF_FREE, 0 }; // one too many
    mem_init(&handoff);
    return 0;
}

static uint64_t phys_of(const void *at)
{
    return (uint64_t)at - HANDOFF_DIRECT_MAP;
}

static uint64_t alloc_on(unsigned node, size_t bytes)
{
    return phys_of(mem_alloc(bytes, 1, node));
}

// (What stands behind the last entry is none.) Node 5 has 2 to 4 MiB, node 3 has 4 to 6 MiB and 10 to 11
// MiB, node 0 has none. As the boot steps do.
static void set_nodes(const struct srat *srat)
{
    for (size_t i = 0; i < srat->memory_count; i++)
        mem_set_node(srat->memory[i].base, srat->memory[i].bytes, srat->memory[i].node);
}

static const struct srat *two_nodes(void)
{
    static struct srat srat;
    srat = (struct srat){ .memory_count = 3 };
    srat.memory[0] = (struct srat_memory){ 2 * MIB, 2 * MIB, 5 };
    srat.memory[1] = (struct srat_memory){ 10 * MIB, MIB, 3 };
    srat.memory[2] = (struct srat_memory){ 4 * MIB, 2 * MIB, 3 };
    srat.memory[3] = (struct srat_memory){ 0, RAM_BYTES, 0 };
    return &srat;
}

// ---- what is handed out ----

#define PIECES 500

static void pieces_are_apart_aligned_and_zeroed(void **state)
{
    static struct {
        uint8_t *at;
        size_t bytes;
    } pieces[PIECES];
    mem_add_boot_ranges();
    srand(1);
    for (unsigned i = 0; i < PIECES; i++) {
        size_t align = (size_t)1 << rand() % 13, bytes = 1 + (size_t)rand() % 9000;
        uint8_t *at = mem_alloc(bytes, align, NODE_ANY);
        assert_int_equal((uint64_t)at % MAX(align, (size_t)CACHE_LINE), 0);
        for (size_t b = 0; b < bytes; b++)
            assert_int_equal(at[b], 0);
        for (unsigned j = 0; j < i; j++) // no two share a cache line
            assert_true(at >= pieces[j].at + ALIGN_UP(pieces[j].bytes, CACHE_LINE) ||
                        at + bytes <= pieces[j].at);
        pieces[i].at = memset(at, i % 251 + 1, bytes);
        pieces[i].bytes = bytes;
    }
}

// Boot services' memory is no one's before it is given up, and low memory never.
static void only_free_memory_is_handed_out(void **state)
{
    assert_int_equal(mem_free_bytes(), 7 * MIB);
    assert_int_equal(alloc_on(NODE_ANY, 7 * MIB), MIB);
    assert_int_equal(mem_free_bytes(), 0);
    mem_add_boot_ranges();
    assert_int_equal(mem_free_bytes(), 3 * MIB);
    assert_int_equal(alloc_on(NODE_ANY, 3 * MIB), 9 * MIB);
    assert_int_equal(mem_total_bytes(), 640 * KIB + 7 * MIB + MIB + 3 * MIB + MIB);
}

static void nothing_left_ends_the_run(void **state)
{
    alloc_on(NODE_ANY, 7 * MIB);
    if (expect_failure())
        mem_alloc(1, 1, NODE_ANY);
    assert_string_equal(failed_what, "out-of-memory");
}

static void too_much_takes_nothing(void **state)
{
    if (expect_failure())
        mem_alloc(7 * MIB + 1, 1, NODE_ANY);
    assert_string_equal(failed_what, "out-of-memory");
    assert_string_equal(said,
                        "memory: no 7169 KiB in one piece are left (7168 KiB free in all): give "
                        "the machine more memory, or lower iodepth=, bs= or cpus=");
    assert_int_equal(mem_free_bytes(), 7 * MIB);
    alloc_on(NODE_ANY, MIB);
    failed_what[0] = 0;
    if (expect_failure())
        mem_alloc(MIB, 8 * MIB, NODE_ANY); // aligned, it would begin where the range ends
    assert_string_equal(failed_what, "out-of-memory");
    failed_what[0] = 0;
    if (expect_failure())
        mem_alloc(0, 1, NODE_ANY);
    assert_string_equal(failed_what, "out-of-memory");
}

static void below_a_limit(void **state)
{
    assert_int_equal(phys_of(mem_alloc_below(MIB, 4096, 2 * MIB)), MIB);
    if (expect_failure())
        mem_alloc_below(4096, 4096, 2 * MIB);
    assert_string_equal(failed_what, "out-of-memory");
    assert_int_equal(phys_of(mem_alloc_below(4096, 4096, 2 * MIB + 4096)), 2 * MIB);
}

// ---- nodes ----

static void memory_comes_from_the_node_asked_for(void **state)
{
    set_nodes(two_nodes());
    assert_int_equal(alloc_on(3, 64), 4 * MIB);
    assert_int_equal(alloc_on(5, 64), 2 * MIB);
    assert_int_equal(alloc_on(3, 64), 4 * MIB + 64);
    assert_int_equal(mem_free_bytes(), 7 * MIB - 3 * 64);
}

static bool is_on_3(uint64_t phys)
{
    return phys >= 4 * MIB && phys < 6 * MIB;
}

// To its last byte; then memory comes from elsewhere.
static void a_node_is_used_up_first(void **state)
{
    set_nodes(two_nodes());
    assert_int_equal(alloc_on(3, MIB), 4 * MIB);
    assert_int_equal(alloc_on(3, MIB), 5 * MIB);
    assert_false(is_on_3(alloc_on(3, 64)));
    assert_false(is_on_3(alloc_on(0, 64))); // there is no such node
    assert_int_equal(failed_what[0], 0);
}

// A piece lies on one node: what doesn't fit into the rest of it comes from elsewhere as a whole.
static void no_piece_crosses_a_node_s_end(void **state)
{
    set_nodes(two_nodes());
    alloc_on(3, MIB + 64);
    uint64_t elsewhere = alloc_on(3, MIB);
    assert_false(is_on_3(elsewhere) || is_on_3(elsewhere + MIB - 1));
    assert_int_equal(alloc_on(3, MIB - 64), 5 * MIB + 64);
}

// Firmware tells of the node's memory that is free only later, or of parts that are not RAM at all.
static void ranges_that_firmware_held_have_nodes_too(void **state)
{
    mem_add_boot_ranges();
    set_nodes(two_nodes());
    assert_int_equal(alloc_on(3, 2 * MIB), 4 * MIB);
    assert_int_equal(alloc_on(3, MIB), 10 * MIB);
    assert_int_equal(mem_free_bytes(), 7 * MIB);
    for (unsigned i = 0; i < 7; i++)
        alloc_on(NODE_ANY, MIB);
    assert_int_equal(mem_free_bytes(), 0); // marking has lost none
}

// Of those that claim the same memory, the first one has it.
static void nodes_that_overlap(void **state)
{
    static struct srat srat = { .memory_count = 3 };
    srat.memory[0] = (struct srat_memory){ 10 * MIB, MIB, 1 };
    srat.memory[1] = (struct srat_memory){ 0, RAM_BYTES, 2 };
    srat.memory[2] = (struct srat_memory){ 10 * MIB, MIB, 3 };
    mem_add_boot_ranges();
    set_nodes(&srat);
    assert_int_equal(alloc_on(1, 64), 10 * MIB);
    assert_int_equal(alloc_on(2, 7 * MIB), MIB);
    assert_int_equal(alloc_on(2, MIB), 9 * MIB);
    assert_int_equal(alloc_on(2, MIB), 11 * MIB);
    assert_int_equal(alloc_on(3, 64), 10 * MIB + 64); // all that is left, of another node
}

static void where_memory_lies_is_told_by_its_address(void **state)
{
    const uint8_t *ram = (const uint8_t *)direct_map;    // NOLINT
    assert_int_equal(mem_node(ram + 2 * MIB), NODE_ANY); // no SRAT yet
    set_nodes(two_nodes());
    assert_int_equal(mem_node(ram + 2 * MIB - 1), NODE_ANY);
    assert_int_equal(mem_node(ram + 2 * MIB), 5);
    assert_int_equal(mem_node(ram + 4 * MIB - 1), 5);
    assert_int_equal(mem_node(ram + 4 * MIB), 3);
    assert_int_equal(mem_node(ram + 6 * MIB - 1), 3);
    assert_int_equal(mem_node(ram + 6 * MIB), NODE_ANY);
    assert_int_equal(mem_node(ram + 11 * MIB - 1), 3);
    assert_int_equal(mem_node(ram + 11 * MIB), NODE_ANY);
}

static const char *nodes_told(const volatile void *const *pieces, size_t count)
{
    static char text[256];
    struct json j;
    json_begin(&j, text, sizeof(text), "x");
    mem_report_nodes(&j, pieces, count);
    json_u64(&j, "y", 1);
    return json_end(&j);
}

static void each_node_is_told_once(void **state)
{
    const uint8_t *ram = (const uint8_t *)direct_map; // NOLINT
    const volatile void *const pieces[] = { ram + MIB,     ram + 4 * MIB, ram + 5 * MIB,
                                            ram + 3 * MIB, ram + 4 * MIB, ram + 2 * MIB };
    set_nodes(two_nodes());
    assert_string_equal(nodes_told(pieces, 6), "{\"type\":\"x\",\"memory_nodes\":[3,5],\"y\":1}");
    assert_string_equal(nodes_told(pieces, 2), "{\"type\":\"x\",\"memory_nodes\":[3],\"y\":1}");
    assert_string_equal(nodes_told(pieces, 1), "{\"type\":\"x\",\"y\":1}");
}

// ---- odd maps ----

// More pieces than are kept: told once, and what is kept serves.
static void a_map_in_too_many_pieces(void **state)
{
    memset(&mem, 0, sizeof(mem));
    handoff.ranges = 0;
    for (uint64_t i = 0; i < REGIONS_MAX + 10; i++)
        add_range(MIB + 2 * i * PAGE_BYTES, MIB + (2 * i + 1) * PAGE_BYTES, HANDOFF_BOOT);
    mem_init(&handoff);
    mem_add_boot_ranges();
    assert_int_equal(warnings, 1);
    assert_string_equal(said,
                        "memory: 40 KiB lie in more pieces than the 512 we keep track of: not "
                        "used");
    assert_int_equal(mem_free_bytes(), REGIONS_MAX * PAGE_BYTES);
    set_nodes(two_nodes());
    assert_int_equal(warnings, 1);
    for (unsigned i = 0; i < REGIONS_MAX; i++)
        alloc_on(NODE_ANY, PAGE_BYTES);
    assert_int_equal(mem_free_bytes(), 0);
}

// Nodes cut ranges in pieces, too.
static void nodes_in_too_many_pieces(void **state)
{
    static struct srat srat = { .memory_count = 1 };
    memset(&mem, 0, sizeof(mem));
    handoff.ranges = 0;
    for (uint64_t i = 0; i < REGIONS_MAX; i++)
        add_range(MIB + 4 * i * PAGE_BYTES, MIB + (4 * i + 3) * PAGE_BYTES, HANDOFF_FREE);
    mem_init(&handoff);
    srat.memory[0] = (struct srat_memory){ MIB + PAGE_BYTES, PAGE_BYTES, 6 };
    set_nodes(&srat);
    assert_int_equal(warnings, 1);
    assert_string_equal(said, "memory: 8 KiB lie in more pieces than the 512 we keep track of: not "
                              "used");
    assert_int_equal(alloc_on(6, PAGE_BYTES), MIB + PAGE_BYTES);
}

static void ranges_that_are_no_pages_are_cut_to_pages(void **state)
{
    memset(&mem, 0, sizeof(mem));
    handoff.ranges = 0;
    add_range(MIB - PAGE_BYTES, MIB + PAGE_BYTES, HANDOFF_FREE); // from the first MiB on
    add_range(2 * MIB + 1, 2 * MIB + 2 * PAGE_BYTES + 1, HANDOFF_FREE);
    add_range(3 * MIB + 1, 3 * MIB + 1 + PAGE_BYTES, HANDOFF_FREE); // no whole page
    mem_init(&handoff);
    assert_int_equal(mem_free_bytes(), 2 * PAGE_BYTES);
    assert_int_equal(alloc_on(NODE_ANY, PAGE_BYTES), MIB);
    assert_int_equal(alloc_on(NODE_ANY, PAGE_BYTES), 2 * MIB + PAGE_BYTES);
}

// ---- addresses ----

static void what_is_ram(void **state)
{
    assert_true(mem_is_ram(0, 640 * KIB));
    assert_false(mem_is_ram(0, 640 * KIB + 1));
    assert_true(mem_is_ram(MIB, 11 * MIB)); // through neighbours of other kinds
    assert_false(mem_is_ram(MIB, 11 * MIB + 1));
    assert_false(mem_is_ram(MIB - 1, 2));
    assert_false(mem_is_ram(12 * MIB, 1));
    assert_true(mem_is_ram(13 * MIB, MIB));
    assert_true(mem_is_ram(14 * MIB - 1, 1));
    assert_false(mem_is_ram(14 * MIB, 1));
    assert_false(mem_is_ram(14 * MIB - 1, UINT64_MAX));
}

static void the_image_has_an_address_for_devices(void **state)
{
    assert_int_equal(mem_phys_image((void *)(KERNEL_BASE + 0x1234)), 8 * MIB + 0x1234); // NOLINT
    assert_int_equal(mem_phys_image((void *)KERNEL_BASE), 8 * MIB);                     // NOLINT
    if (expect_failure())
        mem_phys_image((void *)(KERNEL_BASE - 1)); // NOLINT
    assert_string_equal(failed_what, "mem-phys");
}

static void the_address_space_ends_where_the_cpu_says(void **state)
{
    assert_int_equal(mem_phys_end(), 1ull << 38);
    cpuid_widths = 0x3933;
    assert_int_equal(mem_phys_end(), 1ull << 51);
    cpuid_widths = 0x3940;
    assert_int_equal(mem_phys_end(), 1ull << 52); // no page table entry holds more
    cpuid_widths = 0x3010;
    assert_int_equal(mem_phys_end(), 1ull << 32);
    cpuid_most = 0x80000007;
    assert_int_equal(mem_phys_end(), 1ull << 36);
    cpuid_most = 0x80000008;
    cpuid_widths = 0x3026;
}

static void registers_and_tables_are_mapped(void **state)
{
    assert_non_null(mem_map_mmio(0xfee00000, 4096));
    assert_int_equal(mapped_phys, 0xfee00000);
    assert_int_equal(mapped_bytes, 4096);
    assert_int_equal(mapped_kind, PAGE_REGISTER);
    assert_ptr_equal(mem_map_firmware(13 * MIB, MIB), 13 * MIB + HANDOFF_DIRECT_MAP);
    assert_int_equal(mapped_phys, 0xfee00000); // RAM is mapped already
    assert_non_null(mem_map_firmware(13 * MIB, MIB + 1));
    assert_int_equal(mapped_phys, 13 * MIB);
    assert_int_equal(mapped_kind, PAGE_CONST);
    assert_null(mem_map_firmware(mem_phys_end(), 1));
    assert_null(mem_map_firmware(mem_phys_end() - 1, 2));
    assert_non_null(mem_map_firmware(mem_phys_end() - 1, 1));
    assert_null(mem_map_firmware(13 * MIB, 0));
    assert_non_null(mem_map_firmware(14 * MIB, GIB));
    assert_null(mem_map_firmware(14 * MIB, GIB + 1));
    if (expect_failure())
        mem_map_mmio(mem_phys_end(), 4096);
    assert_string_equal(failed_what, "mmio-range");
}

// Where a store is an interrupt nothing has registers, whatever firmware's tables say.
static void registers_are_neither_in_ram_nor_where_interrupts_go(void **state)
{
    assert_true(mem_may_be_mmio(0xfec00000, 4096));
    assert_true(mem_may_be_mmio(0xfedff000, 4096));
    assert_false(mem_may_be_mmio(0xfedff000, 4097));
    assert_false(mem_may_be_mmio(0xfee00000, 32));
    assert_false(mem_may_be_mmio(0xfeeffff0, 16));
    assert_false(mem_may_be_mmio(0xfe000000, 32 * MIB)); // has it in its midst
    assert_true(mem_may_be_mmio(0xfef00000, 16));
    assert_true(mem_may_be_mmio(14 * MIB, 4096));
    assert_false(mem_may_be_mmio(14 * MIB - 4, 8));
    assert_false(mem_may_be_mmio(MIB - 4, 8));
    assert_false(mem_may_be_mmio(mem_phys_end() - 4, 8));
}

#define mem_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        mem_test(pieces_are_apart_aligned_and_zeroed),
        mem_test(only_free_memory_is_handed_out),
        mem_test(nothing_left_ends_the_run),
        mem_test(too_much_takes_nothing),
        mem_test(below_a_limit),
        mem_test(memory_comes_from_the_node_asked_for),
        mem_test(a_node_is_used_up_first),
        mem_test(no_piece_crosses_a_node_s_end),
        mem_test(ranges_that_firmware_held_have_nodes_too),
        mem_test(nodes_that_overlap),
        mem_test(where_memory_lies_is_told_by_its_address),
        mem_test(each_node_is_told_once),
        mem_test(a_map_in_too_many_pieces),
        mem_test(nodes_in_too_many_pieces),
        mem_test(ranges_that_are_no_pages_are_cut_to_pages),
        mem_test(what_is_ram),
        mem_test(the_image_has_an_address_for_devices),
        mem_test(the_address_space_ends_where_the_cpu_says),
        mem_test(registers_and_tables_are_mapped),
        mem_test(registers_are_neither_in_ram_nor_where_interrupts_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
