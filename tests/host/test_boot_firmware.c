// SPDX-License-Identifier: BSD-2-Clause
// What some firmware gives a loader in place of what it should: load options that are a whole
// EFI_LOAD_OPTION, and MCFG tables with more or less in them than entries.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <uchar.h>

#include "boot/device_path.h"
#include "boot/hsti_decode.h"
#include "boot/load_options.h"
#include "boot/mcfg.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

// ---- load options ----

static char text[128];
static struct options options;

static bool add_options(const struct blob *b)
{
    void *copy = blob_copy(b, b->length);
    options_begin(&options, text, sizeof(text));
    bool ok = options_add_load_options(&options, copy, b->length);
    free(copy);
    return ok;
}

static void put_text(struct blob *b, const char16_t *words)
{
    do
        blob_put(b, *words, 2);
    while (*words++);
}

// A hard disk's path, with a file's name behind it: two nodes, and the end.
static void put_path(struct blob *b)
{
    blob_put(b, 0x002a0104, 4);
    blob_pad(b, b->length + 0x2a - 4);
    blob_put(b, 0x000c0404, 4);
    blob_text(b, "a\0b\0c\0\0\0", 8);
    blob_put(b, 0x0004ff7f, 4);
}

#define PATH_BYTES (0x2a + 0x0c + 4)

static void build_load_option(struct blob *b, uint32_t attributes)
{
    b->length = 0;
    blob_put(b, attributes, 4);
    blob_put(b, PATH_BYTES, 2);
    put_text(b, u"Onebell on a disk");
    put_path(b);
}

static void test_whole_load_option(void **state)
{
    static const uint32_t attributes[] = { 0, 1, 0x101, 0x1f0b };
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        struct blob b;
        build_load_option(&b, attributes[i]);
        put_text(&b, u"irq=remapped runtime=2");
        assert_true(add_options(&b));
        assert_string_equal(text, "irq=remapped runtime=2");
    }
}

static void test_no_optional_data(void **state)
{
    struct blob b;
    build_load_option(&b, 1);
    assert_true(add_options(&b));
    assert_string_equal(text, "");
}

// Optional data that are no text are refused as they would be alone.
static void test_odd_optional_data(void **state)
{
    struct blob b;
    build_load_option(&b, 1);
    blob_put(&b, 0x010203, 3);
    assert_false(add_options(&b));
}

// One that is cut off, or says something else than there is, is none.
static void test_malformed_load_option(void **state)
{
    struct blob whole;
    build_load_option(&whole, 1);
    for (size_t n = 1; n < whole.length; n++) {
        struct blob b = whole;
        b.length = n;
        assert_false(add_options(&b));
    }
    static const struct {
        size_t at, bytes;
        uint64_t value;
    } wrong[] = {
        { 0, 4, 4 },              // attributes that there are none of
        { 4, 2, 0 },              // no path
        { 4, 2, PATH_BYTES - 4 }, // one without an end
        { 4, 2, 0xffff },         // longer than there is
        { 42 + 2, 2, 3 },         // a node that is shorter than its head
        { 42 + 2, 2, 0x2b },      // one that ends inside of the next
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct blob b = whole;
        blob_set(&b, wrong[i].at, wrong[i].value, wrong[i].bytes);
        assert_false(add_options(&b));
    }
}

static void test_path_list(void **state)
{
    struct blob b = { .length = 0 };
    assert_false(device_path_is_list(b.bytes, 0));
    put_path(&b);
    put_path(&b); // two paths
    assert_true(device_path_is_list(b.bytes, b.length));
    blob_set(&b, b.length - 3, 1, 1); // the end of an instance, not of the path
    assert_false(device_path_is_list(b.bytes, b.length));
    for (size_t n = 1; n < b.length; n++)
        assert_int_equal(device_path_is_list(b.bytes, n), n == PATH_BYTES);
}

// ---- MCFG ----

static struct blob rsdp, xsdt, tables[2];

static void put_entry(struct blob *b, uint64_t base, unsigned segment, unsigned first,
                      unsigned last)
{
    blob_put(b, base, 8);
    blob_put(b, segment, 2);
    blob_put(b, first, 1);
    blob_put(b, last, 1);
    blob_put(b, 0, 4);
}

static void begin_table(struct blob *b)
{
    blob_header(b, "MCFG", 1);
    blob_pad(b, 44);
}

static uint64_t find(uint16_t segment, uint8_t bus)
{
    blob_header(&xsdt, "XSDT", 1);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        blob_finish(&tables[i]);
        blob_put(&xsdt, (uint64_t)tables[i].bytes, 8);
    }
    blob_finish(&xsdt);
    rsdp.length = 0;
    blob_text(&rsdp, "RSD PTR ", 8);
    blob_put(&rsdp, 0, 1);
    blob_text(&rsdp, "ONEBEL", 6);
    blob_put(&rsdp, 2, 1);
    blob_put(&rsdp, 0, 4);
    blob_put(&rsdp, 36, 4);
    blob_put(&rsdp, (uint64_t)xsdt.bytes, 8);
    blob_put(&rsdp, 0, 4);
    blob_sum(&rsdp, 8, 20);
    return mcfg_config_address((uint64_t)rsdp.bytes, segment, bus, 0, 0);
}

static void test_two_mcfgs(void **state)
{
    begin_table(&tables[0]);
    put_entry(&tables[0], 0x40000000, 1, 0, 0x0f);
    blob_put(&tables[0], 0, 2); // stray
    begin_table(&tables[1]);
    put_entry(&tables[1], 0x40000000, 1, 0x10, 0xff);
    put_entry(&tables[1], 0x60000000, 2, 0, 0xff);
    assert_int_equal(find(1, 0x0f), 0x40f00000);
    assert_int_equal(find(1, 0x10), 0x41000000);
    assert_int_equal(find(2, 0), 0x60000000);
    assert_int_equal(find(3, 0), 0);
}

// An entry that can't be hides none that can.
static void test_bad_mcfg_entries(void **state)
{
    begin_table(&tables[0]);
    put_entry(&tables[0], 0, 1, 0, 0xff);
    put_entry(&tables[0], 0x40080000, 1, 0, 0xff);
    put_entry(&tables[0], 0x50000000, 1, 0xff, 0);
    begin_table(&tables[1]);
    put_entry(&tables[1], 0x60000000, 1, 0, 0xff);
    assert_int_equal(find(1, 2), 0x60200000);
}

// ---- Hardware Security Test Interfaces ----

static void build_hsti(struct blob *b, uint32_t role, size_t bytes)
{
    b->length = 0;
    blob_put(b, 3, 4);
    blob_put(b, role, 4);
    blob_text(b, "M\0y\0\xe9\0 \0\x01\x02", 10);
    blob_pad(b, 8 + 512);
    blob_put(b, bytes, 4);
    for (size_t i = 0; i < 3 * bytes; i++)
        blob_put(b, i, 1);
}

static bool decode_hsti(const struct blob *b, size_t bytes, struct handoff_hsti *one)
{
    void *copy = blob_copy(b, bytes);
    bool ok = hsti_decode(copy, bytes, one);
    free(copy);
    return ok;
}

static void test_hsti(void **state)
{
    static struct blob b;
    struct handoff_hsti one;
    build_hsti(&b, 2, 3);
    assert_true(decode_hsti(&b, b.length, &one));
    assert_string_equal(one.name, "My? ?");
    assert_int_equal(one.role, 2);
    assert_int_equal(one.bytes, 3);
    assert_memory_equal(one.required, ((uint8_t[HANDOFF_HSTI_BITS]){ 0, 1, 2 }), 16);
    assert_memory_equal(one.verified, ((uint8_t[HANDOFF_HSTI_BITS]){ 6, 7, 8 }), 16);
    // More bits than are kept, and a name without an end.
    build_hsti(&b, 1, 20);
    for (size_t i = 8; i < 8 + 512; i += 2)
        b.bytes[i] = 'x', b.bytes[i + 1] = 0;
    assert_true(decode_hsti(&b, b.length, &one));
    assert_int_equal(strlen(one.name), sizeof(one.name) - 1);
    assert_int_equal(one.verified[HANDOFF_HSTI_BITS - 1], 40 + 15);
    for (size_t bytes = 0; bytes < b.length; bytes++)
        assert_false(decode_hsti(&b, bytes, &one));
    blob_set(&b, 8 + 512, ~0u, 4);
    assert_false(decode_hsti(&b, b.length, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_load_option), cmocka_unit_test(test_no_optional_data),
        cmocka_unit_test(test_odd_optional_data), cmocka_unit_test(test_malformed_load_option),
        cmocka_unit_test(test_path_list),         cmocka_unit_test(test_two_mcfgs),
        cmocka_unit_test(test_bad_mcfg_entries),  cmocka_unit_test(test_hsti),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
