// SPDX-License-Identifier: BSD-2-Clause
// A domain's program, from the loader's list into a space: the program of domain_elf_build.h, in tables that
// space.c makes in the host's memory.
#include "kernel/domain/program.h"
#include "kernel/mem/paging.h"
#include "tests/host/domain_elf_build.h"
#include "tests/host/space_memory.h"

#define FREE (16 * MIB)

static struct handoff handoff;
static struct program_image *image;
static struct domain_words words;
static struct domain_program program;
static struct problem problem;
static uint64_t free_bytes;

uint64_t mem_free_bytes(void)
{
    return free_bytes;
}

uint64_t paging_new_root(uint64_t **table)
{
    *table = mem_alloc(PAGE_BYTES, PAGE_BYTES, NODE_ANY);
    return (uint64_t)*table;
}

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    fail_msg("%s", what);
    abort();
}

static int begin(void **state)
{
    image = aligned_alloc(8, ALIGN_UP(sizeof(*image), 8));
    program_build(image);
    handoff = (struct handoff){
        .programs = 3,
        .program = { { .name = "other" },
                     { .name = "my-app", .base = (uint64_t)image, .bytes = sizeof(*image) },
                     { .name = "", .state = HANDOFF_PROGRAM_NOT_FOUND } }
    };
    words = (struct domain_words){ .name = "a", .program = "my-app" };
    free_bytes = FREE;
    return 0;
}

static int end(void **state)
{
    free_pieces();
    free(image);
    return 0;
}

static bool find(void)
{
    return domain_program_find(&program, &handoff, &words, &problem);
}

static void refused(const char *sentence)
{
    assert_false(find());
    assert_string_equal(problem.what, "domain-program");
    assert_string_equal(problem.message, sentence);
}

static void test_as_the_file_says(void **state)
{
    struct space *s = space_create();
    assert_true(find());
    assert_true(domain_program_map(&program, s, NODE_ANY, &problem));
    const uint64_t data = DOMAIN_IMAGE + 0x4000 + PROGRAM_LEAD;
    assert_memory_equal(space_at(s, DOMAIN_IMAGE, ELF_TEXT_BYTES, false), image->text,
                        ELF_TEXT_BYTES);
    assert_memory_equal(space_at(s, data, ELF_DATA_BYTES, true), image->data, ELF_DATA_BYTES);
    assert_non_null(space_at(s, DOMAIN_IMAGE + 0x2000, 0x1000, false));
    assert_non_null(space_at(s, DOMAIN_IMAGE + 0x4000, 0x3000, true));
    assert_null(space_at(s, DOMAIN_IMAGE, 1, true));
    assert_null(space_at(s, DOMAIN_IMAGE + 0x2000, 1, true));
    assert_null(space_at(s, DOMAIN_IMAGE + 0x3000, 1, false)); // no part's
    assert_null(space_at(s, DOMAIN_IMAGE + 0x7000, 1, false));
}

static void test_each_life_begins_alike(void **state)
{
    struct space *s = space_create();
    assert_true(find());
    assert_true(domain_program_map(&program, s, NODE_ANY, &problem));
    uint8_t *memory = space_at(s, DOMAIN_IMAGE + 0x4000, 0x3000, true), first[0x3000];
    memcpy(first, memory, sizeof(first));
    memset(memory, 0xa5, sizeof(first));
    unsigned before = pieces_count;
    domain_program_renew(&program);
    assert_memory_equal(memory, first, sizeof(first));
    assert_int_equal(pieces_count, before); // no memory goes with a life
}

static void test_names_of_its_addresses(void **state)
{
    struct {
        uint32_t name;
        uint8_t info, other;
        uint16_t section;
        uint64_t value, size;
    } symbol = { 1, 0x12, 0, 1, DOMAIN_IMAGE + 0x10, 0x20 };
    uint64_t offset;
    memcpy(image->symbols + ELF_SYMBOL_BYTES, &symbol, sizeof(symbol));
    assert_true(find());
    assert_string_equal(symbols_find_in(&program.symbols, DOMAIN_IMAGE + 0x11, &offset),
                        "domain_entry");
    assert_int_equal(offset, 1);
}

static void test_what_is_no_program(void **state)
{
    image->header.machine = 183;
    assert_false(find());
    assert_string_equal(problem.what, "domain-elf");
    assert_string_equal(problem.message,
                        "program my-app can't run in a domain: its machine is 0xb7; "
                        "build it with make DOMAIN=");
    handoff.program[2] = handoff.program[1];
    handoff.program[2].name[0] = words.program[0] = 0;
    assert_false(find());
    assert_string_equal(problem.message,
                        "program of this image can't run in a domain: its machine is 0xb7; "
                        "build it with make DOMAIN=");
}

static void test_what_the_loader_didn_t_find(void **state)
{
    struct handoff_program *f = &handoff.program[1];
    f->value = 20 * MIB;
    f->state = HANDOFF_PROGRAM_NO_VOLUME;
    refused("prog=my-app: the image came from no volume with files (from a network, as a rule): it "
            "has its "
            "own program alone, so leave prog= out");
    f->state = HANDOFF_PROGRAM_NOT_FOUND;
    refused("prog=my-app: there is no \\EFI\\onebell\\my-app.elf on the volume that the image came "
            "from: "
            "copy it there");
    f->state = HANDOFF_PROGRAM_TOO_LONG;
    refused("prog=my-app: \\EFI\\onebell\\my-app.elf has 20971520 bytes, and at most 16777216 fit: "
            "leave out what is for debuggers");
    f->state = HANDOFF_PROGRAM_NO_MEMORY;
    refused("prog=my-app: \\EFI\\onebell\\my-app.elf found no memory: give the machine more");
    f->state = HANDOFF_PROGRAM_UNREADABLE;
    f->value = 0x8000000000000007ull;
    refused("prog=my-app: firmware can't read \\EFI\\onebell\\my-app.elf (EFI status "
            "0x8000000000000007): "
            "check the volume");
    f->state = 1000;
    assert_false(find());
}

static void test_what_the_image_lacks(void **state)
{
    words.program[0] = 0;
    refused(
        "this image carries no program for domains: build it with make DOMAIN=, or name one on its "
        "volume by prog=");
    handoff.program[2].state = HANDOFF_PROGRAM_NO_MEMORY;
    refused("the image's own program found no memory: give the machine more");
    handoff.programs = 2; // what stands behind it isn't there
    refused("there are more than 8 programs on the command line");
}

static void test_more_than_there_is_room_for(void **state)
{
    struct space *s = space_create();
    image->segments[ELF_DATA].memsz = FREE / 2;
    assert_true(find());
    assert_false(domain_program_map(&program, s, NODE_ANY, &problem));
    assert_string_equal(problem.what, "domain-program");
    assert_string_equal(
        problem.message,
        "its program takes 8208 KiB, more than half of the memory that is free: have it keep "
        "its data in what mem= gives");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_the_file_says, begin, end),
        cmocka_unit_test_setup_teardown(test_each_life_begins_alike, begin, end),
        cmocka_unit_test_setup_teardown(test_names_of_its_addresses, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_no_program, begin, end),
        cmocka_unit_test_setup_teardown(test_what_the_loader_didn_t_find, begin, end),
        cmocka_unit_test_setup_teardown(test_what_the_image_lacks, begin, end),
        cmocka_unit_test_setup_teardown(test_more_than_there_is_room_for, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
