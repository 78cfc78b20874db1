// SPDX-License-Identifier: BSD-2-Clause
// The search for \_S5_: each form of its definition, what only looks like one, and AML that ends in
// the middle.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

static bool find_s5(const uint8_t *aml, size_t bytes, unsigned *a, unsigned *b)
{
    uint8_t *table = calloc(1, 36 + bytes), typ_a = 0xee, typ_b = 0xee;
    memcpy(table + 36, aml, bytes);
    bool found = acpi_s5_find(table, 36 + bytes, &typ_a, &typ_b);
    free(table);
    *a = typ_a;
    *b = typ_b;
    return found;
}

#define NAME '_', 'S', '5', '_'

#define AML(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void test_s5_found(void **state)
{
    const struct {
        const uint8_t *aml;
        size_t bytes;
        unsigned a, b;
    } good[] = {
        // four elements, ZeroOp
        { AML(0x08, NAME, 0x12, 0x06, 0x04, 0, 0, 0, 0), 0, 0 },
        // byte constants, something before and behind
        { AML(0x5b, 0x82, 0x08, NAME, 0x12, 0x08, 0x04, 0x0a, 5, 0x0a, 7, 0, 0, 0x14, 0xff), 5, 7 },
        // root character, OneOp, fewer initialisers than elements
        { AML(0x08, 0x5c, NAME, 0x12, 0x05, 0x04, 0x01, 0x0a, 2), 1, 2 },
        // PkgLength of two, three and four bytes
        { AML(0x08, NAME, 0x12, 0x47, 0x00, 0x02, 0x0a, 3, 0x0a, 4), 3, 4 },
        { AML(0x08, NAME, 0x12, 0x88, 0x00, 0x00, 0x02, 0x0a, 3, 0x0a, 4), 3, 4 },
        { AML(0x08, NAME, 0x12, 0xc9, 0x00, 0x00, 0x00, 0x02, 0x0a, 3, 0x0a, 4), 3, 4 },
        // the longest one byte of length can tell of, and one of more than 15
        { AML(0x08, NAME, 0x12, 0x13, 2, 0x0e, 3, 0, 0, 0, 0, 0, 0, 0, 0x0c, 4, 0, 0, 0, 0, 0, 0),
          3, 4 },
        { AML(0x08, NAME, 0x12, 0x3f, 2, 0x0a, 3, 0x0a, 4, [12 ... 68] = 0), 3, 4 },
        // a package that needs more than one byte for its length
        { AML(0x08, NAME, 0x12, 0x45, 0x01, 2, 0x0e, 3, 0, 0, 0, 0, 0, 0, 0, 0x0e, 4, 0, 0, 0, 0, 0,
              0, 0),
          3, 4 },
        // word, double and quad constants
        { AML(0x08, NAME, 0x12, 0x0a, 0x02, 0x0b, 6, 0, 0x0c, 7, 0, 0, 0), 6, 7 },
        { AML(0x08, NAME, 0x12, 0x0c, 0x02, 0x0e, 6, 0, 0, 0, 0, 0, 0, 0, 0x01), 6, 1 },
        // one element with both values
        { AML(0x08, NAME, 0x12, 0x05, 0x01, 0x0b, 0x05, 0x06), 5, 6 },
        { AML(0x08, NAME, 0x12, 0x04, 0x01, 0x0a, 0x05), 5, 0 },
        // a mention and a broken definition come first
        { AML(NAME, 0x08, NAME, 0x12, 0x04, 0x04, 0x0a, 9, 0x08, NAME, 0x12, 4, 2, 1, 1), 1, 1 },
    };
    unsigned a, b;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_true(find_s5(good[i].aml, good[i].bytes, &a, &b));
        assert_int_equal(a, good[i].a);
        assert_int_equal(b, good[i].b);
    }
}

static void test_s5_refused(void **state)
{
    const struct {
        const uint8_t *aml;
        size_t bytes;
    } bad[] = {
        { AML(NAME, 0x12, 0x06, 0x04, 0, 0, 0, 0) },             // no NameOp
        { AML(0x14, NAME, 0x12, 0x06, 0x04, 0, 0, 0, 0) },       // a method of that name
        { AML(0x14, 0x5c, NAME, 0x12, 0x06, 0x04, 0, 0, 0, 0) }, // likewise
        { AML(0x08, NAME, 0x0a, 0x06, 0x04, 0, 0, 0, 0) },       // no package
        { AML(0x08, NAME, 0x12, 0x07, 0x04, 0, 0, 0, 0) },       // package past the end
        { AML(0x08, NAME, 0x12, 0x00, 0x04, 0, 0, 0, 0) },       // length less than its own bytes
        { AML(0x08, NAME, 0x12, 0x41, 0x00, 0x02, 1, 1) },       // likewise
        { AML(0x08, NAME, 0x12, 0xcf, 0xff, 0xff, 0xff, 2, 1, 1) },
        { AML(0x08, NAME, 0x12, 0x03, 0x04, 1, 1) },       // second element outside of the package
        { AML(0x08, NAME, 0x12, 0x05, 0x02, 1, 0x0b, 1) }, // half of a word
        { AML(0x08, NAME, 0x12, 0x04, 0x00, 1, 1) },       // no elements
        { AML(0x08, NAME, 0x12, 0x05, 0x02, 0x0a, 8, 1) }, // more than three bits
        { AML(0x08, NAME, 0x12, 0x05, 0x02, 1, 0x0a, 8) },
        { AML(0x08, NAME, 0x12, 0x05, 0x01, 0x0b, 0x05, 0x08) },
        { AML(0x08, NAME, 0x12, 0x04, 0x02, 0xff, 0xff) },            // OnesOp
        { AML(0x08, NAME, 0x12, 0x08, 0x02, 'A', 'B', 'C', 'D', 1) }, // a reference
    };
    unsigned a, b;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(find_s5(bad[i].aml, bad[i].bytes, &a, &b));
        assert_int_equal(a, 0xee);
        assert_int_equal(b, 0xee);
    }
}

// The header is no AML, even where it ends like a NameOp.
static void test_s5_first(void **state)
{
    static const uint8_t aml[] = { NAME, 0x12, 4, 2, 1, 1 };
    uint8_t table[36 + sizeof(aml)] = { 0 }, a, b;
    memcpy(table + 36, aml, sizeof(aml));
    assert_false(acpi_s5_find(table, sizeof(table), &a, &b));
    table[35] = 0x08;
    assert_false(acpi_s5_find(table, sizeof(table), &a, &b));
    table[34] = 0x08;
    table[35] = 0x5c;
    assert_false(acpi_s5_find(table, sizeof(table), &a, &b));
}

static void test_s5_cut(void **state)
{
    static const uint8_t aml[] = { 0x08, NAME, 0x12, 0x88, 0x00, 0x00, 2, 0x0a, 3, 0x0a, 4 };
    unsigned a, b;
    assert_true(find_s5(aml, sizeof(aml), &a, &b));
    for (size_t n = 0; n < sizeof(aml); n++)
        assert_false(find_s5(aml, n, &a, &b));
    uint8_t typ;
    for (size_t n = 0; n < 36; n++) {
        struct blob header = { .length = 36 };
        void *copy = blob_copy(&header, n);
        assert_false(acpi_s5_find(copy, n, &typ, &typ));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s5_found),
        cmocka_unit_test(test_s5_refused),
        cmocka_unit_test(test_s5_first),
        cmocka_unit_test(test_s5_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
