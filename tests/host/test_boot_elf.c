// SPDX-License-Identifier: BSD-2-Clause
// The loader's check of the kernel's ELF file: each field damaged once.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/host/boot_elf_build.h"
#include "tests/host/elf_damage.h"

#include <cmocka.h>

static struct elf_image image;
static struct kernel_elf kernel;
static struct problem problem;

static int build(void **state)
{
    elf_build(&image);
    problem = (struct problem){ 0 };
    return 0;
}

static bool check_bytes(size_t bytes)
{
    void *file = elf_copy(&image, bytes);
    bool ok = kernel_elf_check(file, bytes, &kernel, &problem);
    free(file);
    return ok;
}

static void refuses(const char *field, uint64_t value)
{
    char expected[120];
    snprintf(expected, sizeof(expected), "damaged: %s is 0x%llx;", field,
             (unsigned long long)value);
    assert_false(check_bytes(sizeof(image)));
    assert_string_equal(problem.what, "kernel-elf");
    if (!strstr(problem.message, expected))
        fail_msg("\"%s\" lacks \"%s\"", problem.message, expected);
    elf_build(&image);
}

static void test_accepts(void **state)
{
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(kernel.entry, KERNEL_LINK_BASE + 16);
    assert_int_equal(kernel.count, 3);
    assert_int_equal(kernel.bytes, 0x6000);
    assert_true(kernel.segments[ELF_TEXT].execute && !kernel.segments[ELF_TEXT].write);
    assert_true(!kernel.segments[ELF_CONST].execute && !kernel.segments[ELF_CONST].write);
    assert_true(!kernel.segments[ELF_DATA].execute && kernel.segments[ELF_DATA].write);
    assert_int_equal(kernel.segments[ELF_DATA].base, 0x3000);
    assert_int_equal(kernel.segments[ELF_DATA].bytes, ELF_DATA_BYTES + ELF_BSS_BYTES);
    assert_int_equal(kernel.symbols.symtab, offsetof(struct elf_image, symbols));
    assert_int_equal(kernel.symbols.symtab_bytes, 2 * ELF_SYMBOL_BYTES);
    assert_int_equal(kernel.symbols.strtab, offsetof(struct elf_image, names));
    assert_int_equal(kernel.symbols.strtab_bytes, sizeof(ELF_NAMES));
}

static void test_places_segments(void **state)
{
    assert_true(kernel_elf_check(&image, sizeof(image), &kernel, &problem));
    uint8_t *memory = calloc(1, kernel.bytes);
    kernel_elf_place(&kernel, memory);
    assert_memory_equal(memory, image.text, ELF_TEXT_BYTES);
    assert_memory_equal(memory + 0x2000, image.text, 100);
    assert_memory_equal(memory + 0x3000, image.data, ELF_DATA_BYTES);
    for (size_t i = 0x3000 + ELF_DATA_BYTES; i < kernel.bytes; i++)
        assert_int_equal(memory[i], 0);
    free(memory);
}

static void test_refuses_headers(void **state)
{
    elf_damage_header(&image.header, refuses);
    image.header.data = 2;
    refuses("its ELF class", ELF_CLASS_64);
    image.header.version = 2;
    refuses("its ELF version", 2);
    image.header.ident_version = 0;
    refuses("its ELF version", ELF_VERSION);
    image.header.phoff = sizeof(image) - 1;
    refuses("the place of its program headers", sizeof(image) - 1);
}

static void test_refuses_segments(void **state)
{
    elf_damage_text(&image.segments[ELF_TEXT], sizeof(image), refuses);
    elf_damage_kind(&image.segments[ELF_CONST], refuses);
    image.segments[0].offset = UINT64_MAX - 100;
    refuses("a segment's file offset", UINT64_MAX - 100);
    image.segments[0].filesz = image.segments[0].memsz = UINT64_MAX;
    refuses("a segment's file offset", offsetof(struct elf_image, text));
    image.segments[0].vaddr = KERNEL_LINK_BASE - 4096;
    refuses("a segment's address", KERNEL_LINK_BASE - 4096);
    image.segments[0].vaddr = KERNEL_LINK_BASE + KERNEL_BYTES_MAX;
    refuses("a segment's address", KERNEL_LINK_BASE + KERNEL_BYTES_MAX);
    image.segments[0].vaddr += 16;
    refuses("a segment's alignment", KERNEL_LINK_BASE + 16);
    image.segments[2].memsz = KERNEL_BYTES_MAX - 0x3000 + 1;
    refuses("a segment's size", KERNEL_BYTES_MAX - 0x3000 + 1);
    image.segments[2].memsz = UINT64_MAX;
    refuses("a segment's size", UINT64_MAX);
    image.segments[2].flags |= ELF_PF_X;
    refuses("a segment that is both writable and executable", KERNEL_LINK_BASE + 0x3000);
    image.segments[1].vaddr = KERNEL_LINK_BASE + 0x1000; // text's last page
    refuses("a segment that overlaps another", KERNEL_LINK_BASE + 0x1000);
    image.segments[1].vaddr = KERNEL_LINK_BASE + 0x5000; // within bss
    refuses("a segment that overlaps another", KERNEL_LINK_BASE + 0x3000);
}

static void test_refuses_too_many_segments(void **state)
{
    static struct {
        struct elf_image image;
        struct elf64_segment segments[KERNEL_SEGMENTS_MAX + 1];
    } big;
    elf_build(&big.image);
    big.image.header.phoff = offsetof(__typeof__(big), segments);
    big.image.header.phnum = KERNEL_SEGMENTS_MAX + 1;
    for (size_t i = 0; i <= KERNEL_SEGMENTS_MAX; i++) {
        big.segments[i] = big.image.segments[ELF_TEXT];
        big.segments[i].vaddr += i * 0x2000;
    }
    assert_false(kernel_elf_check(&big, sizeof(big), &kernel, &problem));
    assert_non_null(strstr(problem.message, "the number of its segments is 0x9;"));
    big.image.header.phnum--;
    assert_true(kernel_elf_check(&big, sizeof(big), &kernel, &problem));
}

static void test_refuses_entry(void **state)
{
    const char *field = "its entry point, outside executable segments,";
    image.header.entry = KERNEL_LINK_BASE + 0x2000; // constants
    refuses(field, KERNEL_LINK_BASE + 0x2000);
    image.header.entry = KERNEL_LINK_BASE + ELF_TEXT_BYTES;
    refuses(field, KERNEL_LINK_BASE + ELF_TEXT_BYTES);
    image.header.entry = 0;
    refuses(field, 0);
    image.segments[ELF_TEXT].filesz = 1000; // zeros behind it, in memory alone
    image.header.entry = KERNEL_LINK_BASE + 1000;
    refuses(field, KERNEL_LINK_BASE + 1000);
    image.header.entry = KERNEL_LINK_BASE + 0x3000; // data
    refuses(field, KERNEL_LINK_BASE + 0x3000);
    image.header.phnum = 0;
    refuses(field, KERNEL_LINK_BASE + 16);
}

static void test_refuses_symbols(void **state)
{
    image.header.shentsize = 40;
    refuses("the size of a section header", 40);
    image.header.shoff = sizeof(image);
    refuses("the place of its section headers", sizeof(image));
    image.sections[1].entsize = 16;
    refuses("the size of its symbol table", 2 * ELF_SYMBOL_BYTES);
    image.sections[1].size--;
    refuses("the size of its symbol table", 2 * ELF_SYMBOL_BYTES - 1);
    image.sections[1].offset = sizeof(image) - 1;
    refuses("the place of its symbol table", sizeof(image) - 1);
    image.sections[1].link = 3;
    refuses("the link to its symbols' names", 3);
    image.sections[1].link = 1; // a section of another type
    refuses("the table of its symbols' names", offsetof(struct elf_image, symbols));
    image.sections[2].size = 0;
    refuses("the table of its symbols' names", offsetof(struct elf_image, names));
    image.sections[2].offset = UINT64_MAX;
    refuses("the table of its symbols' names", UINT64_MAX);
    image.names[sizeof(image.names) - 1] = 'x'; // a name without an end
    refuses("the table of its symbols' names", offsetof(struct elf_image, names));
}

static void test_accepts_without_symbols(void **state)
{
    image.header.shnum = image.header.shentsize = 0;
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(kernel.symbols.symtab_bytes, 0);
    assert_int_equal(kernel.symbols.strtab_bytes, 0);
}

static void test_accepts_odd_segments(void **state)
{
    struct elf64_segment text = image.segments[ELF_TEXT];
    image.segments[ELF_TEXT] = image.segments[ELF_DATA]; // not in the order of their addresses
    image.segments[ELF_DATA] = text;
    image.segments[ELF_CONST].memsz = image.segments[ELF_CONST].filesz = 0; // empty, anywhere
    image.segments[ELF_CONST].vaddr = 1;
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(kernel.count, 2);
    assert_int_equal(kernel.bytes, 0x6000);
}

// Segments that fill their pages touch; one that is a byte longer doesn't fit.
static void test_touching_segments(void **state)
{
    image.segments[ELF_TEXT].memsz = 0x2000;
    image.segments[ELF_CONST].memsz = 0x1000;
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(kernel.count, 3);
    image.segments[ELF_CONST].memsz++;
    refuses("a segment that overlaps another", KERNEL_LINK_BASE + 0x3000);
    image.segments[ELF_TEXT].memsz = 0x2001;
    refuses("a segment that overlaps another", KERNEL_LINK_BASE + 0x2000);
}

// Headers of other kinds, notes and the stack's rights, say nothing of memory.
static void test_accepts_other_headers(void **state)
{
    static const uint32_t types[] = { 0, 4, 6, 0x6474e551, 0x70000000 };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        elf_build(&image);
        image.segments[ELF_CONST].type = types[i];
        image.segments[ELF_CONST].vaddr = 12345;
        image.segments[ELF_CONST].flags = ELF_PF_W | ELF_PF_X;
        assert_true(check_bytes(sizeof(image)));
        assert_int_equal(kernel.count, 2);
    }
}

// Every shorter file is refused: its symbols' names are its last bytes.
static void test_refuses_every_cut(void **state)
{
    for (size_t bytes = 0; bytes < offsetof(struct elf_image, names) + sizeof(ELF_NAMES); bytes++)
        assert_false(check_bytes(bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_accepts, build),
        cmocka_unit_test_setup(test_places_segments, build),
        cmocka_unit_test_setup(test_refuses_headers, build),
        cmocka_unit_test_setup(test_refuses_segments, build),
        cmocka_unit_test_setup(test_refuses_too_many_segments, build),
        cmocka_unit_test_setup(test_refuses_entry, build),
        cmocka_unit_test_setup(test_refuses_symbols, build),
        cmocka_unit_test_setup(test_accepts_without_symbols, build),
        cmocka_unit_test_setup(test_accepts_odd_segments, build),
        cmocka_unit_test_setup(test_touching_segments, build),
        cmocka_unit_test_setup(test_accepts_other_headers, build),
        cmocka_unit_test_setup(test_refuses_every_cut, build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
