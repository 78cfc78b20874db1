// SPDX-License-Identifier: BSD-2-Clause
// The devices that a DMAR table names, of units and of reserved memory: what real tables hold, and what
// broken ones do.

#include "vtd_parsed.h"

// The last unit's devices are cut off: those that are whole are its own.
static void test_cut_scopes(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    size_t at = dmar_drhd(&b, false, 0, 0xfed90000);
    dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
    dmar_scope(&b, at, 1, 0, DMAR_PATH(3, 0));
    b.length -= 2;
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(d.units_count, 1);
    assert_int_equal(d.scopes_count, 1);
    assert_int_equal(d.scopes[0].path[0], 2);
    assert_int_equal(warnings_of(&w, "dmar-structure"), 1);
}

// A device of a length that it can't have costs the unit the devices behind it, and no other unit any.
static void test_scope_lengths(void **state)
{
    static const uint8_t bad[] = { 0, 5, 7, 9, 255 };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct blob b;
        dmar_begin(&b, 1);
        size_t at = dmar_drhd(&b, false, 0, 0xfed90000);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(1, 0));
        dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
        dmar_scope(&b, at, 1, 0, DMAR_PATH(3, 0));
        blob_set(&b, at + 25, bad[i], 1);
        at = dmar_drhd(&b, false, 0, 0xfed91000);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(4, 0));
        blob_finish(&b);
        assert_warned(&b, "dmar-scope");
        assert_int_equal(d.units_count, 2);
        assert_int_equal(d.scopes_count, 2);
        assert_int_equal(d.scopes[0].path[0], 1);
        assert_int_equal(d.scopes[1].path[0], 4);
        assert_int_equal(d.scopes[1].index, 1);
    }
}

// A device without a path is none, and it alone is passed over: what would be the path is a whole device of
// its own, and the list's length is right.
static void test_scope_without_path(void **state)
{
    for (uint8_t type = 1; type <= 9; type++) {
        struct blob b;
        dmar_begin(&b, 1);
        size_t at = dmar_drhd(&b, false, 0, 0xfed90000);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(3, 0));
        dmar_scope(&b, at, type, 0, NULL, 0);
        blob_finish(&b);
        assert_true(parse(&b)); // the table's last bytes
        assert_int_equal(warnings_of(&w, "dmar-scope-path"), type <= 2);
        assert_int_equal(warnings_of(&w, "dmar-scope-type"), type > 5);
        assert_int_equal(d.scopes_count, 1);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
        blob_finish(&b);
        assert_true(parse(&b));
        assert_int_equal(w.count, type <= 2 || type > 5);
        assert_int_equal(d.scopes_count, 2);
        assert_int_equal(d.scopes[1].path[0], 2);
    }
}

// A list that ends within an entry's head, at the end of the table.
static void test_scope_rest(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    size_t at = dmar_drhd(&b, false, 0, 0xfed90000);
    blob_put(&b, 1, 3);
    blob_set(&b, at + 2, 19, 2);
    blob_finish(&b);
    assert_warned(&b, "dmar-scope");
    assert_int_equal(d.units_count, 1);
}

// A list that ends where the table goes on: with the next unit, whose first bytes would be a path.
static void test_scope_into_next_unit(void **state)
{
    for (unsigned more = 2; more <= 16; more += 2) {
        struct blob b;
        dmar_begin(&b, 1);
        size_t at = dmar_drhd(&b, false, 0, 0xfed90000);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
        blob_set(&b, at + 17, 8 + more, 1);
        dmar_drhd(&b, true, 0, 0xfed91000);
        blob_finish(&b);
        assert_warned(&b, "dmar-scope");
        assert_int_equal(d.units_count, 2);
        assert_int_equal(d.scopes_count, 0);
    }
}

static void test_too_many_scopes(void **state)
{
    static struct blob b;
    unsigned named = 0;
    dmar_begin(&b, 1);
    for (unsigned unit = 0; named <= DMAR_SCOPES_MAX; unit++) {
        size_t at = dmar_drhd(&b, false, 0, 0x10000000 + 0x1000ull * unit);
        for (unsigned i = 0; i < 5000 && named <= DMAR_SCOPES_MAX; i++, named++)
            dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
    }
    blob_finish(&b);
    assert_warned(&b, "dmar-too-large");
    assert_int_equal(d.scopes_count, DMAR_SCOPES_MAX);
    assert_int_equal(d.scopes[DMAR_SCOPES_MAX - 1].index, 3);
}

// Reserved memory (VT-d 8.4) is rounded to whole pages; what is none is passed over.
static void test_reserved(void **state)
{
    static const struct {
        uint64_t base, limit, from, end; // end 0: refused
    } cases[] = {
        { 0x1000, 0x1fff, 0x1000, 0x2000 },
        { 0x1800, 0x27fe, 0x1000, 0x3000 },
        { 0x1000, 0x0fff, 0, 0 },
        { 0x2000, 0x1000, 0, 0 },
        { 0, ~0ull, 0, 0 },
        { 1ull << 52, (1ull << 52) + 0xfff, 0, 0 },
        { (1ull << 52) - 0x1000, (1ull << 52) - 1, (1ull << 52) - 0x1000, 1ull << 52 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct blob b;
        dmar_begin(&b, 1);
        dmar_drhd(&b, true, 0, 0xfed90000);
        size_t at = dmar_rmrr(&b, 3, cases[i].base, cases[i].limit);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(20, 0));
        blob_finish(&b);
        if (!cases[i].end) {
            assert_warned(&b, "dmar-rmrr");
            assert_int_equal(d.reserved_count + d.scopes_count, 0);
            continue;
        }
        assert_true(parse(&b));
        assert_int_equal(w.count, 0);
        assert_int_equal(d.reserved[0].base, cases[i].from);
        assert_int_equal(d.reserved[0].end, cases[i].end);
        assert_int_equal(d.reserved[0].segment, 3);
        assert_int_equal(d.scopes_count, 1);
    }
}

static void test_too_much_reserved(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    dmar_drhd(&b, true, 0, 0xfed90000);
    for (unsigned i = 0; i < DMAR_RESERVED_MAX + 2; i++)
        dmar_rmrr(&b, 0, 0x1000ull * i, 0x1000ull * i + 0xfff);
    blob_finish(&b);
    assert_warned(&b, "dmar-too-large");
    assert_int_equal(d.reserved_count, DMAR_RESERVED_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_scopes),
        cmocka_unit_test(test_scope_lengths),
        cmocka_unit_test(test_scope_without_path),
        cmocka_unit_test(test_scope_rest),
        cmocka_unit_test(test_scope_into_next_unit),
        cmocka_unit_test(test_too_many_scopes),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_too_much_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
