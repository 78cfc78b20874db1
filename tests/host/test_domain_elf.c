// SPDX-License-Identifier: BSD-2-Clause
// A domain's program: each field damaged once, and what is placed where.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel/domain/elf.h"
#include "tests/host/domain_elf_build.h"
#include "tests/host/elf_damage.h"

#include <cmocka.h>

static struct program_image image;
static struct elf_plan plan;
static struct problem problem;

static int build(void **state)
{
    program_build(&image);
    problem = (struct problem){ 0 };
    return 0;
}

static bool check_bytes(size_t bytes)
{
    void *file = elf_copy(&image, bytes);
    bool ok = elf_check("my-app", file, bytes, &plan, &problem);
    free(file);
    return ok;
}

static void refused(const char *sentence)
{
    assert_false(check_bytes(sizeof(image)));
    assert_string_equal(problem.what, "domain-elf");
    assert_string_equal(problem.message, sentence);
    program_build(&image);
}

static void refuses(const char *field, uint64_t value)
{
    char expected[200];
    snprintf(expected, sizeof(expected),
             "program my-app can't run in a domain: %s is 0x%llx; build it with make DOMAIN=",
             field, (unsigned long long)value);
    refused(expected);
}

static void expect_part(unsigned i, uint64_t virt, uint64_t bytes, uint64_t at,
                        enum space_kind kind)
{
    assert_int_equal(plan.parts[i].virt, virt);
    assert_int_equal(plan.parts[i].bytes, bytes);
    assert_int_equal(plan.parts[i].at, at);
    assert_int_equal(plan.parts[i].kind, kind);
}

static void test_accepts(void **state)
{
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(plan.entry, DOMAIN_IMAGE + 16);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.bytes, 0x6000);
    expect_part(ELF_TEXT, DOMAIN_IMAGE, 0x2000, 0, SPACE_CODE);
    expect_part(ELF_CONST, DOMAIN_IMAGE + 0x2000, 0x1000, 0x2000, SPACE_CONST);
    expect_part(ELF_DATA, DOMAIN_IMAGE + 0x4000, 0x3000, 0x3000, SPACE_DATA);
    assert_int_equal(plan.symbols.symtab, offsetof(struct program_image, symbols));
    assert_int_equal(plan.symbols.symtab_bytes, 2 * ELF_SYMBOL_BYTES);
    assert_int_equal(plan.symbols.strtab, offsetof(struct program_image, names));
    assert_int_equal(plan.symbols.strtab_bytes, sizeof(PROGRAM_NAMES));
}

// What a life before has left in the memory is gone.
static void test_places_all_of_it(void **state)
{
    assert_true(elf_check("my-app", &image, sizeof(image), &plan, &problem));
    uint8_t *memory = malloc(plan.bytes), *expected = calloc(1, plan.bytes);
    memset(memory, 0xa5, plan.bytes);
    memcpy(expected, image.text, ELF_TEXT_BYTES);
    memcpy(expected + 0x2000, image.text, 100);
    memcpy(expected + 0x3000 + PROGRAM_LEAD, image.data, ELF_DATA_BYTES);
    elf_place(&plan, &image, memory);
    assert_memory_equal(memory, expected, plan.bytes);
    free(memory);
    free(expected);
}

// The next life finds its data as the first one did; nobody could write to the rest.
static void test_places_data_again(void **state)
{
    assert_true(elf_check("my-app", &image, sizeof(image), &plan, &problem));
    uint8_t *memory = malloc(plan.bytes), *expected = malloc(plan.bytes);
    memset(memory, 0xa5, plan.bytes);
    memset(expected, 0xa5, 0x3000);
    memset(expected + 0x3000, 0, 0x3000);
    memcpy(expected + 0x3000 + PROGRAM_LEAD, image.data, ELF_DATA_BYTES);
    elf_place_data(&plan, &image, memory);
    assert_memory_equal(memory, expected, plan.bytes);
    free(memory);
    free(expected);
}

static void test_without_symbols(void **state)
{
    image.header.shnum = 0;
    image.header.shoff = UINT64_MAX;
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(plan.symbols.symtab_bytes, 0);
    program_build(&image);
    image.sections[1].type = 0;
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(plan.symbols.symtab_bytes, 0);
}

static void test_refuses_headers(void **state)
{
    elf_damage_header(&image.header, refuses);
}

// No prefix of the file is read behind its end, whatever it is taken for.
static void test_cut_off_anywhere(void **state)
{
    for (size_t bytes = 0; bytes < sizeof(image); bytes += bytes < 600 ? 1 : 97)
        assert_false(check_bytes(bytes));
}

static void test_refuses_segments(void **state)
{
    struct elf64_segment *g = image.segments;
    elf_damage_text(&g[ELF_TEXT], sizeof(image), refuses);
    elf_damage_kind(&g[PROGRAM_NOTE], refuses);
    g[ELF_TEXT].offset = UINT64_MAX;
    refuses("a segment's file offset", UINT64_MAX);
    g[ELF_TEXT].flags |= ELF_PF_W;
    refuses("a segment that is both writable and executable", DOMAIN_IMAGE);
}

static void test_refuses_addresses(void **state)
{
    static const uint64_t none[] = { 0,           DOMAIN_IMAGE - 1, DOMAIN_IMAGE_END,
                                     DOMAIN_INFO, DOMAIN_MEMORY,    0xffffffff80000000ull,
                                     UINT64_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        image.segments[ELF_DATA].vaddr = none[i];
        refuses("a segment's address", none[i]);
    }
    struct elf64_segment *data = &image.segments[ELF_DATA];
    data->memsz = DOMAIN_IMAGE_END - data->vaddr;
    assert_true(check_bytes(sizeof(image)));
    data->memsz++;
    refuses("a segment's size", DOMAIN_IMAGE_END - data->vaddr + 1);
    data->memsz = 0ull - 16;
    refuses("a segment's size", 0ull - 16);
}

static void test_refuses_shared_pages(void **state)
{
    const char *why = "a segment that has a page in common with another";
    image.segments[ELF_CONST].vaddr = DOMAIN_IMAGE + ELF_TEXT_BYTES; // no byte in common
    refuses(why, DOMAIN_IMAGE + 0x1000);
    image.segments[ELF_CONST].vaddr = DOMAIN_IMAGE + 0x4000;
    refuses(why, DOMAIN_IMAGE + 0x4000);
    image.segments[ELF_CONST].vaddr = DOMAIN_IMAGE + 0x6f00; // both ways round
    refuses("a segment that has a page in common with another", DOMAIN_IMAGE + 0x4000);
    image.segments[ELF_CONST].vaddr = DOMAIN_IMAGE + 0x3f9c; // up to the last byte of the page
    assert_true(check_bytes(sizeof(image)));
    image.segments[ELF_CONST].vaddr++;
    refuses(why, DOMAIN_IMAGE + 0x4000);
    image.segments[ELF_CONST].vaddr = DOMAIN_IMAGE + 0x7000;
    assert_true(check_bytes(sizeof(image)));
}

static void test_segments_as_many_as_fit(void **state)
{
    struct {
        struct program_image image;
        struct elf64_segment segments[ELF_PARTS_MAX + 2];
    } *more = calloc(1, sizeof(*more));
    program_build(&more->image);
    more->image.header.phoff = sizeof(more->image);
    more->image.header.phnum = ELF_PARTS_MAX + 1;
    more->segments[0] = more->image.segments[PROGRAM_NOTE];
    for (unsigned i = 0; i <= ELF_PARTS_MAX; i++) {
        more->segments[i + 1] = more->image.segments[ELF_TEXT];
        more->segments[i + 1].vaddr += i * 0x2000;
    }
    assert_true(elf_check("x", more, sizeof(*more), &plan, &problem));
    assert_int_equal(plan.count, ELF_PARTS_MAX);
    more->image.header.phnum++;
    assert_false(elf_check("x", more, sizeof(*more), &plan, &problem));
    assert_non_null(strstr(problem.message, "the number of its segments is 0x11;"));
    free(more);
}

static void test_empty_segments_are_passed_over(void **state)
{
    image.segments[ELF_CONST].vaddr = 0;
    image.segments[ELF_CONST].filesz = image.segments[ELF_CONST].memsz = 0;
    assert_true(check_bytes(sizeof(image)));
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.bytes, 0x5000);
}

static void test_refuses_entries(void **state)
{
    const char *why = "its entry point, outside executable segments,";
    static const uint64_t none[] = { 0,
                                     DOMAIN_IMAGE - 1,
                                     DOMAIN_IMAGE + ELF_TEXT_BYTES,
                                     DOMAIN_IMAGE + 0x2000,
                                     DOMAIN_IMAGE + 0x4000 + PROGRAM_LEAD,
                                     UINT64_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        image.header.entry = none[i];
        refuses(why, none[i]);
    }
    image.header.entry = DOMAIN_IMAGE + ELF_TEXT_BYTES - 1;
    assert_true(check_bytes(sizeof(image)));
    image.segments[ELF_TEXT].memsz += 100; // zeros are no code
    image.header.entry = DOMAIN_IMAGE + ELF_TEXT_BYTES;
    refuses(why, DOMAIN_IMAGE + ELF_TEXT_BYTES);
    image.segments[ELF_TEXT].vaddr += 0x10; // what lies before it in its page is no code either
    image.header.entry = DOMAIN_IMAGE + 0xf;
    refuses(why, DOMAIN_IMAGE + 0xf);
}

// ---- the note ----

#define NO_NOTE                                                                                    \
    "program my-app can't run in a domain: it doesn't say what it was built for; build it with "   \
    "make DOMAIN="

static void test_refuses_notes(void **state)
{
    char text[sizeof((struct problem){ 0 }.message)];
    image.note.abi = DOMAIN_ABI + 7;
    (void)snprintf(text, sizeof(text),
                   "program my-app can't run in a domain: it was built for version %u of domains, "
                   "which are %u; build it with make DOMAIN=",
                   DOMAIN_ABI + 7, DOMAIN_ABI);
    refused(text);
    image.segments[PROGRAM_NOTE].type = 0;
    refused(NO_NOTE);
    image.note.type++;
    refused(NO_NOTE);
    image.note.name[0] = 'o';
    refused(NO_NOTE);
    image.note.name_bytes = 7;
    refused(NO_NOTE);
    image.note.bytes = 3;
    refused(NO_NOTE);
    image.note.bytes = 8;
    refused(NO_NOTE);
}

static void test_notes_stay_in_their_segment(void **state)
{
    image.segments[PROGRAM_NOTE].filesz--;
    refused(NO_NOTE);
    image.segments[PROGRAM_NOTE].offset = UINT64_MAX - 4;
    refused(NO_NOTE);
    image.segments[PROGRAM_NOTE].filesz = UINT64_MAX;
    refused(NO_NOTE);
    image.before.name_bytes = image.before.bytes = UINT32_MAX;
    refused(NO_NOTE);
    image.segments[PROGRAM_NOTE].filesz = 3;
    refused(NO_NOTE);
    image.segments[PROGRAM_NOTE].filesz = 0;
    refused(NO_NOTE);
}

// ---- symbols: as test_boot_elf has them, but for the alignment ----

static void test_refuses_symbols(void **state)
{
    uint64_t at = offsetof(struct program_image, symbols);
    image.sections[1].offset = at + 4;
    refuses("the place of its symbol table", at + 4);
    image.sections[1].offset = UINT64_MAX & ~7ull;
    refuses("the place of its symbol table", UINT64_MAX & ~7ull);
    image.sections[1].link = 3;
    refuses("the link to its symbols' names", 3);
    image.names[sizeof(PROGRAM_NAMES) - 1] = 'x';
    refuses("the table of its symbols' names", offsetof(struct program_image, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_accepts, build),
        cmocka_unit_test_setup(test_places_all_of_it, build),
        cmocka_unit_test_setup(test_places_data_again, build),
        cmocka_unit_test_setup(test_without_symbols, build),
        cmocka_unit_test_setup(test_refuses_headers, build),
        cmocka_unit_test_setup(test_cut_off_anywhere, build),
        cmocka_unit_test_setup(test_refuses_segments, build),
        cmocka_unit_test_setup(test_refuses_addresses, build),
        cmocka_unit_test_setup(test_refuses_shared_pages, build),
        cmocka_unit_test_setup(test_segments_as_many_as_fit, build),
        cmocka_unit_test_setup(test_empty_segments_are_passed_over, build),
        cmocka_unit_test_setup(test_refuses_entries, build),
        cmocka_unit_test_setup(test_refuses_notes, build),
        cmocka_unit_test_setup(test_notes_stay_in_their_segment, build),
        cmocka_unit_test_setup(test_refuses_symbols, build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
