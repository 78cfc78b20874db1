// SPDX-License-Identifier: BSD-2-Clause
// SMBIOS: entry points of both kinds, and texts that may be anything.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/acpi/smbios.h"

// ---- entry points ----

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void sum_up(uint8_t *entry, size_t length, size_t checksum)
{
    entry[checksum] = 0;
    for (size_t i = 0; i < length; i++)
        if (i != checksum)
            entry[checksum] = (uint8_t)(entry[checksum] - entry[i]);
}

static void make_64(uint8_t entry[SMBIOS_ENTRY_BYTES])
{
    memset(entry, 0, SMBIOS_ENTRY_BYTES);
    memcpy(entry, "_SM3_", 5);
    entry[6] = 0x18;
    put(entry + 0x0c, 0x12345, 4);
    put(entry + 0x10, 0x123456789a, 8);
    sum_up(entry, 0x18, 5);
}

static void make_32(uint8_t entry[SMBIOS_ENTRY_BYTES])
{
    memset(entry, 0, SMBIOS_ENTRY_BYTES);
    memcpy(entry, "_SM_", 4);
    entry[5] = 0x1f;
    put(entry + 0x16, 0x1234, 2);
    put(entry + 0x18, 0xfedc0000, 4);
    entry[0x1e] = 0x36; // its revision, which counts
    sum_up(entry, 0x1f, 4);
}

static void test_entries(void **state)
{
    uint8_t entry[SMBIOS_ENTRY_BYTES];
    uint64_t table;
    size_t bytes;
    make_64(entry);
    assert_true(smbios_entry(entry, sizeof(entry), &table, &bytes));
    assert_int_equal(table, 0x123456789a);
    assert_int_equal(bytes, 0x12345);
    make_32(entry);
    assert_true(smbios_entry(entry, sizeof(entry), &table, &bytes));
    assert_int_equal(table, 0xfedc0000);
    assert_int_equal(bytes, 0x1234);
}

static void test_short_by_one(void **state)
{
    uint8_t entry[SMBIOS_ENTRY_BYTES];
    uint64_t table;
    size_t bytes;
    make_32(entry);
    entry[5] = 0x1e;
    sum_up(entry, 0x1e, 4);
    assert_true(smbios_entry(entry, sizeof(entry), &table, &bytes));
}

static bool is_refused(const uint8_t *entry, size_t length)
{
    uint64_t table;
    size_t bytes;
    return !smbios_entry(entry, length, &table, &bytes);
}

static void test_bad_entries(void **state)
{
    uint8_t entry[SMBIOS_ENTRY_BYTES];
    make_64(entry);
    assert_true(is_refused(entry, 0x17));
    entry[0x10]++;
    assert_true(is_refused(entry, sizeof(entry))); // the sum
    make_64(entry);
    entry[0]++;
    entry[5]--;
    assert_true(is_refused(entry, sizeof(entry))); // the anchor
    make_64(entry);
    entry[6] = 0x17;
    sum_up(entry, 0x17, 5);
    assert_true(is_refused(entry, sizeof(entry))); // too short to have what we read
    make_64(entry);
    entry[6] = SMBIOS_ENTRY_BYTES + 1;
    assert_true(is_refused(entry, sizeof(entry)));
    make_64(entry);
    put(entry + 0x10, 0, 8);
    sum_up(entry, 0x18, 5);
    assert_true(is_refused(entry, sizeof(entry))); // nowhere
    make_32(entry);
    put(entry + 0x16, 0, 2);
    sum_up(entry, 0x1f, 4);
    assert_true(is_refused(entry, sizeof(entry))); // nothing
}

// ---- structures ----

static const char table[] =
    "\x00\x12\x00\x00\x01\x02\x00\xe8\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "Maker of firmware\x00"
    "1.2 \x00"
    "03/04/2025\x00\x00"
    "\x01\x08\x01\x00\x01\x02\x00\x03"
    "Maker\x00"
    "A \x80 server\x00"
    "S/N 7\x00\x00"
    "\x7f\x04\x02\x00\x00\x00"
    "\x01\x08\x03\x00\x01\x01\x01\x01"
    "behind the end\x00\x00";

// In memory of just that size, whose ends the sanitizer guards.
static struct smbios parse(const char *bytes, size_t count)
{
    struct smbios found;
    char *copy = malloc(count);
    memcpy(copy, bytes, count);
    smbios_parse(copy, count, &found);
    free(copy);
    return found;
}

static void test_texts(void **state)
{
    struct smbios found = parse(table, sizeof(table) - 1);
    assert_string_equal(found.bios_vendor, "Maker of firmware");
    assert_string_equal(found.bios_version, "1.2");
    assert_string_equal(found.bios_date, "03/04/2025");
    assert_string_equal(found.manufacturer, "Maker");
    assert_string_equal(found.product, "A ? server");
    assert_string_equal(found.version, ""); // number 0: there is none
    assert_string_equal(found.serial, "S/N 7");
}

// What is whole is read, wherever the bytes end.
static void test_cut_off(void **state)
{
    for (size_t bytes = 1; bytes < sizeof(table) - 1; bytes++) {
        struct smbios found = parse(table, bytes);
        bool first = bytes >= 18 + 18 + 5 + 12;
        assert_string_equal(found.bios_date, first ? "03/04/2025" : "");
    }
}

static void test_missing_strings(void **state)
{
    static const char short_part[] = "\x01\x06\x00\x00\x01\x09"
                                     "Maker\x00\x00";
    struct smbios found = parse(short_part, sizeof(short_part) - 1);
    assert_string_equal(found.manufacturer, "Maker");
    assert_string_equal(found.product, ""); // the ninth of one
    assert_string_equal(found.serial, "");  // not in a structure of 6 bytes
}

// What follows the formatted part of an older version's structure is its strings, and no field.
static void test_fields_that_are_strings(void **state)
{
    static const char older[] = "\x01\x06\x00\x00\x01\x00"
                                "\x01\x01Maker\x00\x00";
    struct smbios found = parse(older, sizeof(older) - 1);
    assert_string_equal(found.manufacturer, "??Maker");
    assert_string_equal(found.version, "");
    assert_string_equal(found.serial, "");
}

// Where one can't be, nothing behind it is believed.
static void test_shorter_than_a_header(void **state)
{
    static const char tiny[] = "\x01\x03\x00\x00\x00"
                               "\x01\x05\x00\x00\x01"
                               "Maker\x00\x00";
    assert_string_equal(parse(tiny, sizeof(tiny) - 1).manufacturer, "");
    assert_string_equal(parse(tiny + 5, sizeof(tiny) - 6).manufacturer, "Maker");
}

static void test_long_text(void **state)
{
    char bytes[256] = "\x01\x08\x00\x00\x01\x02\x00";
    memset(bytes + 8, 'x', 200);
    struct smbios found = parse(bytes, 8 + 200 + 2);
    assert_int_equal(strlen(found.manufacturer), SMBIOS_TEXT_BYTES - 1);
    assert_string_equal(found.product, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_short_by_one),
        cmocka_unit_test(test_bad_entries),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_missing_strings),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_fields_that_are_strings),
        cmocka_unit_test(test_shorter_than_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
