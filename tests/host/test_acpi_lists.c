// SPDX-License-Identifier: BSD-2-Clause
// What a list of entries can get wrong, MADT and SRAT: each length an entry can have, and each place
// at which a table can end.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_lists.h"

#include <cmocka.h>

struct list_kind {
    void (*build)(struct table *t);
    bool (*parse)(const struct blob *b, struct problem *p);
    const char *what;
    size_t first;
    uint8_t least[256]; // by type; 0: 2
};

static void build_srat_3(struct table *t)
{
    build_srat(t, 3);
}

// A MADT that is cut before its first CPU is no malformed one.
static bool parse_madt_list(const struct blob *b, struct problem *p)
{
    struct madt m;
    return is_clean(parse_madt(b, 16, &m, p) || !strcmp(p->what, "madt-no-cpu"), p);
}

static bool parse_srat_list(const struct blob *b, struct problem *p)
{
    struct srat s;
    return is_clean(parse_srat(b, 16, &s, p), p);
}

static const struct list_kind lists[] = {
    { build_madt, parse_madt_list, "madt-bad-entry", 44, { [0] = 8, [1] = 12, [9] = 16 } },
    { build_srat_3,
      parse_srat_list,
      "srat-bad-entry",
      48,
      { [0] = 16, [1] = 40, [2] = 24, [5] = 32, [6] = 32 } },
};

static bool is_start(const struct table *t, size_t at)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->starts[i] == at)
            return true;
    return at == t->blob.length;
}

// The table ends at each byte, by the length of the buffer, and then by its own field as well.
static void test_cut(void **state)
{
    for (const struct list_kind *k = lists; k < lists + ARRAY_SIZE(lists); k++) {
        struct table t;
        struct problem p;
        k->build(&t);
        for (size_t n = 0; n < t.blob.length; n++) {
            struct blob b = t.blob;
            b.length = n;
            assert_false(k->parse(&b, &p));
            assert_string_equal(p.what, "acpi-truncated");
            if (n < 36)
                continue;
            blob_finish(&b);
            bool whole = n == k->first || is_start(&t, n);
            assert_int_equal(k->parse(&b, &p), whole);
            if (!whole)
                assert_string_equal(p.what, n < k->first ? "acpi-truncated" : k->what);
        }
    }
}

// The last entry, with each length it can claim, and room for as much as it should have.
static void test_length_of_last(void **state)
{
    for (const struct list_kind *k = lists; k < lists + ARRAY_SIZE(lists); k++) {
        for (unsigned type = 0; type < 16; type++) {
            unsigned least = MAX(k->least[type], 2u);
            for (unsigned length = 0; length < 256; length++) {
                struct table t;
                struct problem p;
                k->build(&t);
                table_filled_entry(&t, type, 40);
                blob_set(&t.blob, t.starts[t.count - 1] + 1, length, 1);
                if (type == 1 && k == lists)
                    blob_set(&t.blob, t.starts[t.count - 1] + 4, 0xfec00000, 4);
                // The zeros that a shorter one leaves behind are no entry.
                blob_finish(&t.blob);
                assert_int_equal(k->parse(&t.blob, &p), length == 40 && least <= 40);
                t.blob.length = t.starts[t.count - 1] + MAX(length, 2u);
                if (length > 40)
                    memset(t.blob.bytes + t.starts[t.count - 1] + 40, 0, length - 40);
                blob_finish(&t.blob);
                bool ok = k->parse(&t.blob, &p);
                assert_int_equal(ok, length >= least);
                if (!ok)
                    assert_string_equal(p.what, k->what);
            }
        }
    }
}

// Each entry in turn with each length: what follows is read as it comes, but never past the end.
static void test_length_of_each(void **state)
{
    for (const struct list_kind *k = lists; k < lists + ARRAY_SIZE(lists); k++) {
        struct table t;
        struct problem p;
        k->build(&t);
        for (size_t i = 0; i < t.count; i++) {
            for (unsigned length = 0; length < 256; length++) {
                struct blob b = t.blob;
                b.bytes[t.starts[i] + 1] = (uint8_t)length;
                blob_finish(&b);
                bool ok = k->parse(&b, &p);
                bool fits = length >= MAX(k->least[b.bytes[t.starts[i]]], 2u) &&
                            length <= t.blob.length - t.starts[i];
                assert_true(fits || !ok);
                if (length == t.blob.bytes[t.starts[i] + 1])
                    assert_true(ok);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_length_of_last),
        cmocka_unit_test(test_length_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
