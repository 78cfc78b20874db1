// SPDX-License-Identifier: BSD-2-Clause
// Parsers of RSDP, MCFG and HPET: whole tables, cut-off tables, tables that lie.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

// ---- acpi_check ----

static bool check_cut(const struct blob *b, size_t length, size_t least, struct problem *p)
{
    void *copy = blob_copy(b, length);
    bool ok = acpi_check(copy, length, "TEST", least, p);
    free(copy);
    return ok;
}

static void test_check(void **state)
{
    struct blob b;
    struct problem p;
    blob_header(&b, "TEST", 1);
    blob_pad(&b, 50);
    blob_finish(&b);
    assert_true(check_cut(&b, 50, 36, &p));
    assert_true(check_cut(&b, 50, 50, &p));
    assert_true(check_cut(&b, 60, 36, &p)); // more than the table is there
    assert_false(check_cut(&b, 50, 51, &p));
    assert_string_equal(p.what, "acpi-truncated");
    for (size_t n = 0; n < 50; n++) {
        assert_false(check_cut(&b, n, 36, &p));
        assert_string_equal(p.what, "acpi-truncated");
    }
    blob_set(&b, 4, 35, 4);
    blob_sum(&b, 9, 50);
    assert_false(check_cut(&b, 50, 0, &p)); // never less than the header
    assert_string_equal(p.what, "acpi-truncated");
}

// What lies behind the table in its buffer is no part of the sum.
static void test_check_in_larger_buffer(void **state)
{
    struct blob b;
    struct problem p;
    blob_header(&b, "TEST", 1);
    blob_pad(&b, 50);
    blob_finish(&b);
    for (unsigned junk = 0; junk < 256; junk++) {
        b.bytes[50] = (uint8_t)junk;
        assert_true(check_cut(&b, 51, 36, &p));
        b.bytes[49]++;
        assert_false(check_cut(&b, 51, 36, &p));
        assert_string_equal(p.what, "acpi-checksum");
        b.bytes[49]--;
    }
}

static void test_check_each_byte_counts(void **state)
{
    struct blob b;
    struct problem p;
    blob_header(&b, "TEST", 1);
    blob_pad(&b, 50);
    blob_finish(&b);
    for (size_t i = 8; i < 50; i++) {
        b.bytes[i]++;
        assert_false(check_cut(&b, 50, 36, &p));
        assert_string_equal(p.what, "acpi-checksum");
        b.bytes[i]--;
    }
    for (size_t i = 0; i < 4; i++) {
        b.bytes[i]++;
        assert_false(check_cut(&b, 50, 36, &p));
        assert_string_equal(p.what, "acpi-signature");
        b.bytes[i]--;
    }
}

// ---- RSDP ----

static void build_rsdp(struct blob *b, uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
    b->length = 0;
    blob_text(b, "RSD PTR ", 8);
    blob_put(b, 0, 1);
    blob_text(b, "ONEBEL", 6);
    blob_put(b, revision, 1);
    blob_put(b, rsdt, 4);
    blob_put(b, 36, 4);
    blob_put(b, xsdt, 8);
    blob_put(b, 0, 4);
    blob_sum(b, 8, 20);
    blob_sum(b, 32, 36);
}

static bool parse_rsdp(const struct blob *b, size_t length, struct acpi_roots *out)
{
    struct problem p;
    void *copy = blob_copy(b, length);
    bool ok = acpi_rsdp_parse(copy, length, out, &p);
    free(copy);
    if (!ok)
        assert_string_equal(p.what, "acpi-rsdp");
    return ok;
}

static void test_rsdp(void **state)
{
    struct blob b;
    struct acpi_roots roots;
    build_rsdp(&b, 2, 0x1000, 0x123456789000);
    assert_true(parse_rsdp(&b, 36, &roots));
    assert_int_equal(roots.rsdt, 0x1000);
    assert_int_equal(roots.xsdt, 0x123456789000);
    for (size_t n = 0; n < 36; n++)
        assert_false(parse_rsdp(&b, n, &roots));
    for (size_t i = 0; i < 36; i++) { // each byte is under a checksum
        b.bytes[i] ^= 0x40;
        assert_false(parse_rsdp(&b, 36, &roots));
        b.bytes[i] ^= 0x40;
    }
    build_rsdp(&b, 2, 0, 0);
    assert_false(parse_rsdp(&b, 36, &roots));
    build_rsdp(&b, 2, 0, 0x5000);
    assert_true(parse_rsdp(&b, 36, &roots));
}

static void test_rsdp_first_revision(void **state)
{
    struct blob b;
    struct acpi_roots roots;
    build_rsdp(&b, 0, 0x1000, 0x2000);
    assert_true(parse_rsdp(&b, 20, &roots)); // what follows is not part of it
    assert_int_equal(roots.rsdt, 0x1000);
    assert_int_equal(roots.xsdt, 0);
    for (size_t n = 0; n < 20; n++)
        assert_false(parse_rsdp(&b, n, &roots));
}

static void test_rsdp_checksums_and_length(void **state)
{
    struct blob b;
    struct acpi_roots roots;
    build_rsdp(&b, 2, 0x1000, 0x2000);
    b.bytes[8]++; // first one wrong, extended one right
    blob_sum(&b, 32, 36);
    assert_false(parse_rsdp(&b, 36, &roots));
    const uint32_t lengths[] = { 0, 35, 37, UINT32_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        build_rsdp(&b, 2, 0x1000, 0x2000);
        blob_set(&b, 20, lengths[i], 4);
        blob_sum(&b, 32, MIN(lengths[i], 36u));
        assert_false(parse_rsdp(&b, 36, &roots));
    }
}

// ---- MCFG ----

static struct warnings found;

// From an empty list.
static bool parse_mcfg(const void *table, size_t length, struct mcfg *m, struct problem *p)
{
    m->count = found.count = 0;
    return mcfg_parse(table, length, m, &found, p);
}

static void mcfg_entry(struct blob *b, uint64_t base, unsigned segment, unsigned first,
                       unsigned last)
{
    blob_put(b, base, 8);
    blob_put(b, segment, 2);
    blob_put(b, first, 1);
    blob_put(b, last, 1);
    blob_put(b, 0, 4);
}

static void build_mcfg(struct blob *b)
{
    blob_header(b, "MCFG", 1);
    blob_pad(b, 44);
    mcfg_entry(b, 0x80000000, 0, 0, 0x7f);
    mcfg_entry(b, 0x80000000, 0, 0x80, 0xff); // the same window, continued
    mcfg_entry(b, 0x20000000000, 7, 0x10, 0x1f);
    blob_finish(b);
}

static void test_mcfg(void **state)
{
    struct blob b;
    struct mcfg m;
    struct problem p;
    build_mcfg(&b);
    assert_true(COPY_PARSE(parse_mcfg, &b, &m, &p));
    assert_int_equal(m.count, 3);
    assert_int_equal(m.segments[0].base, 0x80000000);
    assert_int_equal(m.segments[1].first_bus, 0x80);
    assert_int_equal(m.segments[1].last_bus, 0xff);
    assert_int_equal(m.segments[2].base, 0x20000000000);
    assert_int_equal(m.segments[2].segment, 7);
    assert_int_equal(m.segments[2].first_bus, 0x10);
}

static void test_mcfg_cut(void **state)
{
    struct mcfg m;
    struct problem p;
    struct blob whole;
    build_mcfg(&whole);
    for (size_t n = 0; n < whole.length; n++) {
        void *copy = blob_copy(&whole, n);
        assert_false(parse_mcfg(copy, n, &m, &p));
        free(copy);
        if (n < 36)
            continue;
        struct blob b = whole; // cut, and saying so: the whole entries are used
        b.length = n;
        blob_finish(&b);
        assert_int_equal(COPY_PARSE(parse_mcfg, &b, &m, &p), n >= 60);
        assert_int_equal(m.count, n < 44 ? 0 : (n - 44) / 16);
        assert_int_equal(warnings_of(&found, "mcfg-bad-length"), n > 44 && (n - 44) % 16);
        if (n < 60)
            assert_string_equal(p.what, n < 44 ? "acpi-truncated" : "mcfg-empty");
    }
}

static void test_mcfg_bad_entries(void **state)
{
    static const struct {
        uint64_t base;
        unsigned segment, first, last;
        const char *says;
    } bad[] = {
        { 0x90000000, 1, 5, 4, "last bus" },          { 0, 1, 0, 5, "zero" },
        { 0x90080000, 1, 0, 5, "multiple of 1 MiB" }, { 0x10000000000000, 1, 0, 5, "physical" },
        { 0xffffff0000000, 1, 0, 0, "physical" },     { 0xfffffffffff00000, 1, 0, 5, "physical" },
        { 0x300000000, 0, 0x7f, 0x7f, "overlaps" },   // a bus that is taken
        { 0x87f00000, 1, 0, 0, "overlaps" },          // a window that is taken
        { 0x20000000000, 8, 0x1f, 0x2f, "overlaps" }, // likewise
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct blob b;
        struct mcfg m;
        struct problem p;
        build_mcfg(&b);
        mcfg_entry(&b, bad[i].base, bad[i].segment, bad[i].first, bad[i].last);
        mcfg_entry(&b, 0x40000000, 77, 0, 0);
        blob_finish(&b);
        assert_true(COPY_PARSE(parse_mcfg, &b, &m, &p));
        assert_int_equal(m.count, 4); // all others
        assert_int_equal(m.segments[3].segment, 77);
        assert_int_equal(warnings_of(&found, "mcfg-bad-entry"), 1);
        assert_non_null(strstr(found.kinds[0].first.message, bad[i].says));
        assert_non_null(strstr(found.kinds[0].first.message, "entry 3"));
        blob_header(&b, "MCFG", 1);
        blob_pad(&b, 44);
        mcfg_entry(&b, 0, 0, 0, 5);
        blob_finish(&b);
        assert_false(COPY_PARSE(parse_mcfg, &b, &m, &p)); // it alone
        assert_string_equal(p.what, "mcfg-empty");
    }
}

// Two tables add up, and what both have is there once.
static void test_mcfg_two(void **state)
{
    struct blob b;
    struct mcfg m;
    struct problem p;
    build_mcfg(&b);
    assert_true(COPY_PARSE(parse_mcfg, &b, &m, &p));
    blob_header(&b, "MCFG", 1);
    blob_pad(&b, 44);
    mcfg_entry(&b, 0x80000000, 0, 0x80, 0xff);
    mcfg_entry(&b, 0x30000000, 3, 0, 0);
    blob_finish(&b);
    assert_true(mcfg_parse(b.bytes, b.length, &m, &found, &p));
    assert_int_equal(m.count, 4);
    assert_int_equal(m.segments[3].segment, 3);
    assert_int_equal(found.count, 0);
}

static void test_mcfg_good_neighbours(void **state)
{
    struct blob b;
    struct mcfg m;
    struct problem p;
    build_mcfg(&b);
    mcfg_entry(&b, 0x20000000000, 8, 0x20, 0x2f); // right after segment 7's window
    mcfg_entry(&b, 0x70000000, 9, 0xff, 0xff);    // right before segment 0's
    mcfg_entry(&b, 0xfffffeff00000, 10, 0, 0xff); // the highest there can be
    blob_finish(&b);
    assert_true(COPY_PARSE(parse_mcfg, &b, &m, &p));
    assert_int_equal(m.count, 6);
}

static void test_mcfg_many(void **state)
{
    struct blob b;
    struct mcfg m;
    struct problem p;
    blob_header(&b, "MCFG", 1);
    blob_pad(&b, 44);
    for (unsigned i = 0; i < ARRAY_SIZE(m.segments); i++)
        mcfg_entry(&b, 0x80000000 + i * MIB, i, 0, 0);
    blob_finish(&b);
    assert_true(COPY_PARSE(parse_mcfg, &b, &m, &p));
    assert_int_equal(m.count, ARRAY_SIZE(m.segments));
    assert_int_equal(found.count, 0);
    mcfg_entry(&b, 0x1000000000, 1, 9, 9);
    blob_finish(&b);
    assert_true(COPY_PARSE(parse_mcfg, &b, &m, &p)); // the first ones
    assert_int_equal(m.count, ARRAY_SIZE(m.segments));
    assert_int_equal(warnings_of(&found, "mcfg-bad-entry"), 1);
}

// ---- HPET ----

static void build_hpet(struct blob *b, unsigned space, uint64_t address)
{
    blob_header(b, "HPET", 1);
    blob_put(b, 0x8086a201, 4);
    blob_put(b, space, 1);
    blob_put(b, 0, 3);
    blob_put(b, address, 8);
    blob_pad(b, 56);
    blob_finish(b);
}

static void test_hpet(void **state)
{
    struct blob b;
    struct hpet_table h;
    struct problem p;
    build_hpet(&b, 0, 0xfed00000);
    assert_true(COPY_PARSE(hpet_parse, &b, &h, &p));
    assert_int_equal(h.address, 0xfed00000);
    for (size_t n = 36; n < 56; n++) {
        b.length = n;
        blob_finish(&b);
        assert_false(COPY_PARSE(hpet_parse, &b, &h, &p));
        assert_string_equal(p.what, "acpi-truncated");
    }
    const struct {
        unsigned space;
        uint64_t address;
    } bad[] = {
        { 1, 0xfed00000 },      { 0, 0 },     { 0, 0xfed00004 }, { 0, 0x10000000000000 },
        { 0, 0xffffffffffc08 }, { 0, ~7ull },
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        build_hpet(&b, bad[i].space, bad[i].address);
        assert_false(COPY_PARSE(hpet_parse, &b, &h, &p));
        assert_string_equal(p.what, "hpet-address");
        assert_int_equal(h.address, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_in_larger_buffer),
        cmocka_unit_test(test_check_each_byte_counts),
        cmocka_unit_test(test_rsdp),
        cmocka_unit_test(test_rsdp_first_revision),
        cmocka_unit_test(test_rsdp_checksums_and_length),
        cmocka_unit_test(test_mcfg),
        cmocka_unit_test(test_mcfg_cut),
        cmocka_unit_test(test_mcfg_bad_entries),
        cmocka_unit_test(test_mcfg_good_neighbours),
        cmocka_unit_test(test_mcfg_two),
        cmocka_unit_test(test_mcfg_many),
        cmocka_unit_test(test_hpet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
