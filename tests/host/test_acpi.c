// SPDX-License-Identifier: BSD-2-Clause
// Finding tables: from the RSDP through the root table to each of them, in a physical memory of the
// test's. What the code maps is given to it in memory of exactly that size.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel/acpi/acpi.h"
#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

struct place {
    uint64_t phys;
    size_t bytes;
    const uint8_t *data;
};

static struct place places[4200];
static size_t places_count;
static void *mapped[10000];
static size_t mapped_count;
static unsigned warnings;
static char last_warning[300], last_what[64];

void warn(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(last_warning, sizeof(last_warning), fmt, args);
    va_end(args);
    snprintf(last_what, sizeof(last_what), "%s", what);
    warnings++;
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

const void *mem_map_firmware(uint64_t phys, size_t bytes)
{
    assert_in_range(bytes, 1, 4 * MIB); // nobody asks for nothing, or for all there is
    for (size_t i = 0; i < places_count; i++) {
        const struct place *m = &places[i];
        if (phys < m->phys || phys - m->phys > m->bytes || bytes > m->bytes - (phys - m->phys))
            continue;
        void *copy = malloc(bytes);
        memcpy(copy, m->data + (phys - m->phys), bytes);
        assert_in_range(mapped_count, 0, ARRAY_SIZE(mapped) - 1);
        return mapped[mapped_count++] = copy;
    }
    return NULL;
}

static int start(void **state)
{
    places_count = warnings = 0;
    last_warning[0] = 0;
    return 0;
}

static int end(void **state)
{
    while (mapped_count)
        free(mapped[--mapped_count]);
    while (places_count)
        free((void *)places[--places_count].data);
    return 0;
}

static void place(uint64_t phys, const struct blob *b)
{
    assert_in_range(places_count, 0, ARRAY_SIZE(places) - 1);
    places[places_count++] = (struct place){ phys, b->length, blob_copy(b, b->length) };
}

static void place_table(uint64_t phys, const char *signature, unsigned mark)
{
    struct blob b;
    blob_header(&b, signature, (uint8_t)mark);
    blob_pad(&b, 60);
    blob_finish(&b);
    place(phys, &b);
}

static void place_rsdp(uint64_t phys, uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
    struct blob b = { .length = 0 };
    blob_text(&b, "RSD PTR ", 8);
    blob_put(&b, 0, 1);
    blob_text(&b, "ONEBEL", 6);
    blob_put(&b, revision, 1);
    blob_put(&b, rsdt, 4);
    blob_sum(&b, 8, 20);
    if (revision >= 2) {
        blob_put(&b, 36, 4);
        blob_put(&b, xsdt, 8);
        blob_put(&b, 0, 4);
        blob_sum(&b, 32, 36);
    }
    place(phys, &b);
}

static void place_root(uint64_t phys, size_t entry_bytes, const uint64_t *tables, size_t count)
{
    struct blob b;
    blob_header(&b, entry_bytes == 8 ? "XSDT" : "RSDT", 1);
    for (size_t i = 0; i < count; i++)
        blob_put(&b, tables[i], entry_bytes);
    blob_finish(&b);
    place(phys, &b);
}

#define PLACE_ROOT(phys, entry_bytes, ...)                                                         \
    place_root((phys), (entry_bytes), (const uint64_t[]){ __VA_ARGS__ },                           \
               ARRAY_SIZE(((const uint64_t[]){ __VA_ARGS__ })))

static void test_xsdt(void **state)
{
    struct problem p;
    place_rsdp(0x100, 2, 0x1000, 0x900002000);
    PLACE_ROOT(0x1000, 4, 0x5000); // not looked at
    PLACE_ROOT(0x900002000, 8, 0x3000, 0x900004000);
    place_table(0x3000, "APIC", 1);
    place_table(0x900004000, "MCFG", 2);
    place_table(0x5000, "HPET", 3);
    assert_true(acpi_init(0x100, &p));
    assert_int_equal(acpi_find("APIC")->revision, 1);
    assert_int_equal(acpi_find("MCFG")->revision, 2);
    assert_null(acpi_find("HPET"));
    assert_int_equal(acpi_find("APIC")->length, 60);
    assert_int_equal(((const uint8_t *)acpi_find("APIC"))[59], 0); // mapped to its end
    assert_int_equal(warnings, 0);
}

static void test_rsdt(void **state)
{
    struct problem p;
    place_rsdp(0x100, 0, 0x1000, 0);
    PLACE_ROOT(0x1000, 4, 0x3000, 0x4000, 0xfffff000);
    place_table(0x3000, "APIC", 1);
    place_table(0x4000, "MCFG", 2);
    place_table(0xfffff000, "HPET", 3);
    assert_true(acpi_init(0x100, &p));
    assert_int_equal(acpi_find("APIC")->revision, 1);
    assert_int_equal(acpi_find("MCFG")->revision, 2);
    assert_int_equal(acpi_find("HPET")->revision, 3);
    assert_int_equal(warnings, 0);
}

// A broken XSDT is warned of, and the RSDT serves; without one, it's the end.
static void test_fallback(void **state)
{
    struct problem p;
    struct blob broken;
    blob_header(&broken, "XSDT", 1);
    blob_finish(&broken);
    broken.bytes[9]++;
    place(0x2000, &broken);
    place_rsdp(0x100, 2, 0x1000, 0x2000);
    place_rsdp(0x200, 2, 0, 0x2000);
    place_rsdp(0x300, 2, 0x1000, 0);
    place_rsdp(0x400, 2, 0x1000, 0x7777000);
    PLACE_ROOT(0x1000, 4, 0x3000);
    place_table(0x3000, "APIC", 1);
    assert_true(acpi_init(0x100, &p));
    assert_non_null(acpi_find("APIC"));
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(last_warning, "checksum") ?: strstr(last_warning, "sum up"));
    assert_string_equal(last_what, "acpi-checksum");
    assert_false(acpi_init(0x200, &p));
    assert_string_equal(p.what, "acpi-no-root");
    assert_null(acpi_find("APIC")); // nothing is left of the time before
    warnings = 0;
    assert_true(acpi_init(0x300, &p));
    assert_int_equal(warnings, 0);
    assert_true(acpi_init(0x400, &p));
    assert_int_equal(warnings, 1);
}

static void test_no_rsdp(void **state)
{
    struct problem p;
    place_rsdp(0, 0, 0x1000, 0); // 0 says that there is none
    PLACE_ROOT(0x1000, 4, 0x3000);
    assert_false(acpi_init(0, &p));
    assert_string_equal(p.what, "acpi-rsdp");
    assert_false(acpi_init(0x100, &p));
    assert_string_equal(p.what, "acpi-rsdp");
    place_rsdp(0x100, 2, 0x1000, 0x2000);
    ((uint8_t *)places[2].data)[33]++; // under the extended checksum alone
    assert_false(acpi_init(0x100, &p));
    assert_string_equal(p.what, "acpi-rsdp");
    places[2].bytes = 30; // memory ends within
    assert_false(acpi_init(0x100, &p));
    assert_string_equal(p.what, "acpi-rsdp");
}

// A later revision may have more bytes, all under the checksum, but not any number of them.
static void test_long_rsdp(void **state)
{
    const uint32_t lengths[] = { 40, 4096, 4097, 0x80000000 };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct problem p;
        struct blob b = { .length = 0 };
        blob_text(&b, "RSD PTR ", 8);
        blob_put(&b, 0, 1);
        blob_text(&b, "ONEBEL", 6);
        blob_put(&b, 3, 1);
        blob_put(&b, 0x1000, 4);
        blob_put(&b, lengths[i], 4);
        blob_pad(&b, 5000);
        b.bytes[39] = 0x77;
        blob_sum(&b, 8, 20);
        blob_sum(&b, 32, MIN(lengths[i], 5000u));
        place(0x10000 * (i + 1), &b);
        PLACE_ROOT(0x1000, 4, 0x3000);
        assert_int_equal(acpi_init(0x10000 * (i + 1), &p), lengths[i] <= 4096);
    }
}

// Empty slots, a table twice, tables that are nowhere, three stray bytes at the end.
static void test_odd_root_entries(void **state)
{
    static const uint64_t entries[] = { 0, 0x3000, 0x3000, 0x7777000, 0, ~0ull, 0x4000 };
    struct problem p;
    struct blob b;
    blob_header(&b, "XSDT", 1);
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        blob_put(&b, entries[i], 8);
    blob_put(&b, 0x112233, 3);
    blob_finish(&b);
    place(0x2000, &b);
    place_table(0x3000, "APIC", 1);
    place_table(0x4000, "MCFG", 2);
    place_rsdp(0x100, 2, 0, 0x2000);
    assert_true(acpi_init(0x100, &p));
    assert_int_equal(warnings, 2); // the two that are nowhere
    ((uint8_t *)places[1].data)[40]++;
    assert_null(acpi_find("APIC"));
    assert_int_equal(warnings, 3); // not four: it was listed once
    assert_non_null(acpi_find("MCFG"));
    assert_null(acpi_find("HPET"));
}

static void test_bad_table_is_warned_of_once(void **state)
{
    struct problem p;
    place_rsdp(0x100, 2, 0, 0x2000);
    PLACE_ROOT(0x2000, 8, 0x3000, 0x4000, 0x5000);
    place_table(0x3000, "APIC", 1);
    place_table(0x4000, "MCFG", 2);
    place_table(0x5000, "APIC", 3);
    ((uint8_t *)places[2].data)[40]++;
    ((uint8_t *)places[3].data)[40]++;
    assert_true(acpi_init(0x100, &p));
    assert_int_equal(warnings, 0);                    // nobody asked yet
    assert_int_equal(acpi_find("APIC")->revision, 3); // the next of that name
    assert_int_equal(warnings, 1);
    assert_int_equal(acpi_find("APIC")->revision, 3);
    assert_int_equal(warnings, 1);
    assert_null(acpi_find("MCFG"));
    assert_null(acpi_find("MCFG"));
    assert_int_equal(warnings, 2);
    assert_non_null(strstr(last_warning, "MCFG"));
}

static void test_length_sanity(void **state)
{
    static const uint32_t lengths[] = { 0, 35, 61, 4 * 1024 * 1024 + 1, UINT32_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct problem p;
        uint64_t at = 0x100000 * (i + 1);
        struct blob b;
        blob_header(&b, "APIC", 1);
        blob_pad(&b, 60);
        blob_set(&b, 4, lengths[i], 4);
        blob_sum(&b, 9, MIN(lengths[i], 60u));
        place(at, &b);
        PLACE_ROOT(at + 0x2000, 8, at);
        place_rsdp(at + 0x3000, 2, 0, at + 0x2000);
        assert_true(acpi_init(at + 0x3000, &p));
        warnings = 0;
        assert_null(acpi_find("APIC"));
        assert_int_equal(warnings, 1);
    }
}

// A table as large as there can be, and one byte more, with all of its bytes there and summed.
static void test_largest(void **state)
{
    for (uint32_t more = 0; more < 2; more++) {
        struct problem p;
        uint32_t length = 4 * MIB + more;
        struct blob b;
        uint8_t *bytes = calloc(1, length);
        blob_header(&b, "SSDT", 1);
        blob_set(&b, 4, length, 4);
        blob_sum(&b, 9, b.length);
        memcpy(bytes, b.bytes, b.length);
        places[places_count++] = (struct place){ 0x10000000, length, bytes };
        PLACE_ROOT(0x2000, 8, 0x10000000);
        place_rsdp(0x100, 2, 0, 0x2000);
        assert_true(acpi_init(0x100, &p));
        assert_int_equal(acpi_find("SSDT") != NULL, !more);
        assert_int_equal(warnings, more);
        end(NULL);
        start(NULL);
    }
}

static void many_tables(unsigned count)
{
    struct problem p;
    struct blob b;
    blob_header(&b, "XSDT", 1);
    for (unsigned i = 0; i < count; i++) {
        char signature[16];
        snprintf(signature, sizeof(signature), "%04u", i);
        place_table(0x10000 + i * 0x100, signature, 1);
        blob_put(&b, 0x10000 + i * 0x100, 8);
    }
    blob_finish(&b);
    place(0x2000, &b);
    place_rsdp(0x100, 2, 0, 0x2000);
    assert_true(acpi_init(0x100, &p));
    assert_non_null(acpi_find("0000"));
    assert_non_null(acpi_find("4095"));
    assert_null(acpi_find("4096"));
    assert_int_equal(warnings, count > 4096);
    end(NULL);
    start(NULL);
}

static void test_many_tables(void **state)
{
    many_tables(4096);
    many_tables(4097);
    many_tables(4100);
}

// One after the other; those with a wrong checksum are passed over.
static void test_next(void **state)
{
    struct problem p;
    place_rsdp(0x100, 2, 0, 0x2000);
    PLACE_ROOT(0x2000, 8, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000);
    place_table(0x3000, "SSDT", 1);
    place_table(0x4000, "SSDT", 2);
    place_table(0x5000, "APIC", 3);
    place_table(0x6000, "SSDT", 4);
    place_table(0x7000, "SSDT", 5);
    ((uint8_t *)places[5].data)[40]++;
    assert_true(acpi_init(0x100, &p));
    const struct acpi_header *t = acpi_find("SSDT");
    assert_int_equal(t->revision, 1);
    t = acpi_find_next("SSDT", t);
    assert_int_equal(t->revision, 2);
    t = acpi_find_next("SSDT", t);
    assert_int_equal(t->revision, 5);
    assert_null(acpi_find_next("SSDT", t));
    assert_int_equal(warnings, 1);
}

static void test_map(void **state)
{
    place_table(0x3000, "DSDT", 2);
    assert_int_equal(acpi_map(0x3000, "DSDT")->length, 60);
    assert_int_equal(warnings, 0);
    assert_null(acpi_map(0x3000, "FACS")); // another one than was promised
    assert_null(acpi_map(0x4000, "DSDT"));
    assert_null(acpi_map(0, "DSDT"));
    assert_int_equal(warnings, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_xsdt),
        TEST(test_rsdt),
        TEST(test_fallback),
        TEST(test_no_rsdp),
        TEST(test_long_rsdp),
        TEST(test_odd_root_entries),
        TEST(test_bad_table_is_warned_of_once),
        TEST(test_length_sanity),
        TEST(test_largest),
        TEST(test_many_tables),
        TEST(test_next),
        TEST(test_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
