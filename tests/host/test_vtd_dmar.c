// SPDX-License-Identifier: BSD-2-Clause
// The DMAR parser: what real tables hold, what broken ones hold, and every truncation of one that
// has everything.

#include "vtd_parsed.h"

// Two units of one segment, one of another, all kinds of scopes and structures.
static void build_full(struct blob *b)
{
    dmar_begin(b, 1);
    size_t first = dmar_drhd(b, false, 0, 0xfed90000);
    dmar_scope(b, first, 1, 0, DMAR_PATH(2, 0));
    dmar_scope(b, first, 2, 0, DMAR_PATH(28, 4, 0, 0, 3, 1));
    size_t all = dmar_drhd(b, true, 0, 0xfed91000);
    dmar_scope(b, all, 3, 0xf0, DMAR_PATH(31, 7));
    dmar_scope(b, all, 4, 0xf0, DMAR_PATH(15, 0));
    dmar_scope(b, all, 5, 0, DMAR_PATH(21, 0));
    dmar_drhd(b, true, 1, 0xc5ffc000);
    size_t reserved = dmar_rmrr(b, 0, 0x7c000000, 0x7c7fffff);
    dmar_scope(b, reserved, 1, 0, DMAR_PATH(20, 0));
    dmar_structure(b, 2, 16);
    dmar_rhsa(b, 0xfed91000, 3);
    dmar_structure(b, 4, 20);
    dmar_structure(b, 5, 16);
    dmar_structure(b, 6, 16);
    dmar_structure(b, 77, 5);
    blob_finish(b);
}

static void test_full(void **state)
{
    struct blob b;
    build_full(&b);
    assert_true(parse(&b));
    assert_int_equal(d.width, 46);
    assert_true(d.intr_remap);
    assert_false(d.x2apic_opt_out);
    assert_int_equal(w.count, 0);

    assert_int_equal(d.units_count, 3);
    assert_int_equal(d.units[0].base, 0xfed90000);
    assert_false(d.units[0].include_pci_all);
    assert_int_equal(d.units[0].node, NODE_ANY);
    assert_int_equal(d.units[1].base, 0xfed91000);
    assert_true(d.units[1].include_pci_all);
    assert_int_equal(d.units[1].segment, 0);
    assert_int_equal(d.units[1].node, 3);
    assert_int_equal(d.units[2].segment, 1);

    assert_int_equal(d.reserved_count, 1);
    assert_int_equal(d.reserved[0].base, 0x7c000000);
    assert_int_equal(d.reserved[0].end, 0x7c800000);
    assert_int_equal(d.scopes_count, 3); // the PCI ones
    assert_true(d.scopes[2].reserves);
    assert_int_equal(d.scopes[2].index, 0);
    assert_int_equal(d.scopes[2].path[0], 20);
    assert_false(d.scopes[0].reserves || d.scopes[1].reserves);
    assert_int_equal(d.scopes[0].type, DMAR_SCOPE_ENDPOINT);
    assert_int_equal(d.scopes[0].index, 0);
    assert_int_equal(d.scopes[0].hops, 1);
    assert_int_equal(d.scopes[0].path[0], 2);
    assert_int_equal(d.scopes[1].type, DMAR_SCOPE_BRIDGE);
    assert_int_equal(d.scopes[1].hops, 3);
    assert_int_equal(d.scopes[1].path[4], 3);
    assert_int_equal(d.scopes[1].path[5], 1);
}

static void test_flags(void **state)
{
    struct blob b;
    dmar_begin(&b, 2);
    dmar_drhd(&b, true, 0, 0xfed90000);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_false(d.intr_remap);
    assert_true(d.x2apic_opt_out);
}

// No length of a table makes the parser read past its end: the sanitizer watches.
static void test_truncated(void **state)
{
    struct blob whole, b;
    unsigned parsed = 0;
    build_full(&whole);
    for (size_t length = 0; length < whole.length; length++) {
        b = whole;
        b.length = length;
        assert_refused(&b, "dmar-truncated"); // its own length field says more
        if (length < 48)
            continue;
        blob_finish(&b); // now the table is whole, and what is inside of it is not
        assert_true(parse(&b));
        parsed += w.count == 0;
        assert_true(w.count == 0 || warnings_of(&w, "dmar-structure") == 1);
        // As many units as have their registers before the cut, the last one with what is left of it.
        assert_int_equal(d.units_count, (length >= 64) + (length >= 100) + (length >= 140));
    }
    assert_int_equal(parsed, 10); // cut off right before one of its ten structures
}

// Every byte of the table changed to a few values: refused or parsed, never out of bounds.
static void test_changed(void **state)
{
    static const uint8_t values[] = { 0, 1, 5, 6, 7, 9, 0x7f, 0xff };
    struct blob whole, b;
    build_full(&whole);
    for (size_t at = 36; at < whole.length; at++)
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            b = whole;
            b.bytes[at] = values[i];
            blob_finish(&b);
            assert_true(parse(&b));
        }
}

static void test_header(void **state)
{
    struct blob b;
    build_full(&b);
    b.bytes[60] ^= 1;
    assert_refused(&b, "dmar-checksum");
    build_full(&b);
    b.bytes[3] = 'S';
    assert_refused(&b, "dmar-signature");
    build_full(&b);
    blob_set(&b, 4, 47, 4);
    assert_refused(&b, "dmar-truncated");
    build_full(&b);
    b.bytes[36] = 10;
    blob_finish(&b);
    assert_warned(&b, "dmar-width");
    build_full(&b);
    b.bytes[36] = 64;
    blob_finish(&b);
    assert_warned(&b, "dmar-width");
    assert_int_equal(d.width, 0);
    assert_int_equal(d.units_count, 3);
}

static void test_empty(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(d.units_count, 0);
}

// A last structure of each length that it can't have: what comes before it is used.
static void test_structure_lengths(void **state)
{
    struct blob b;
    static const uint16_t bad[] = { 0, 3, 15, 17, 0xffff };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        dmar_begin(&b, 1);
        dmar_drhd(&b, true, 7, 0xfed80000);
        size_t at = dmar_drhd(&b, true, 0, 0xfed90000);
        blob_set(&b, at + 2, bad[i], 2);
        blob_finish(&b);
        assert_warned(&b, "dmar-structure");
        // One that claims more than there is has its registers all the same.
        assert_int_equal(d.units_count, bad[i] > 16 ? 2 : 1);
        assert_int_equal(d.units[0].segment, 7);
    }
    dmar_begin(&b, 1); // shorter than a head, with a second one that begins in its length
    blob_put(&b, 0x0000050100030000ull | 77, 8);
    blob_finish(&b);
    assert_warned(&b, "dmar-structure");
    assert_int_equal(d.units_count, 0);

    for (size_t bytes = 1; bytes < 9; bytes++) {
        dmar_begin(&b, 1);
        dmar_drhd(&b, true, 0, 0xfed90000);
        blob_put(&b, 0, bytes); // zeros: less than a head, or one of length 0
        blob_finish(&b);
        assert_warned(&b, "dmar-structure");
        assert_int_equal(d.units_count, 1);
    }
}

// The unit is named for its devices, which another one must not get.
static void test_unit_addresses(void **state)
{
    struct blob b;
    static const uint64_t bad[] = { 0, ~0ull, 0xfed90800, 1, 1ull << 52, 0xfffffffffffff000 };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        dmar_begin(&b, 1);
        size_t at = dmar_drhd(&b, false, 0, bad[i]);
        dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
        dmar_drhd(&b, true, 0, 0xfed91000);
        blob_finish(&b);
        assert_warned(&b, i < 2 ? "dmar-unit-zero" : "dmar-unit-address");
        assert_int_equal(d.units_count, 2);
        assert_true(d.units[0].absent);
        assert_false(d.units[1].absent);
        assert_int_equal(d.scopes[0].index, 0);
    }
}

// Firmware's lesser sins: told of, and passed over.
static void test_warnings(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    size_t zero = dmar_drhd(&b, false, 0, 0);
    dmar_scope(&b, zero, 1, 0, DMAR_PATH(1, 0));
    dmar_drhd(&b, true, 0, UINT64_MAX);
    dmar_drhd(&b, true, 0, 0xfed90000);
    size_t late = dmar_drhd(&b, false, 0, 0xfed91000);
    dmar_scope(&b, late, 9, 0, DMAR_PATH(1, 0));
    dmar_drhd(&b, false, 0, 0xfed90000);
    dmar_rhsa(&b, 0xdead0000, 1);
    dmar_structure(&b, 1, 20);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(d.units_count, 4);
    assert_int_equal(d.scopes_count, 1);
    assert_int_equal(warnings_of(&w, "dmar-unit-zero"), 2);
    assert_int_equal(warnings_of(&w, "dmar-order"), 3);
    assert_int_equal(warnings_of(&w, "dmar-scope-type"), 1);
    assert_int_equal(warnings_of(&w, "dmar-unit-twice"), 1);
    assert_int_equal(warnings_of(&w, "dmar-rhsa"), 1);
    assert_int_equal(warnings_of(&w, "dmar-length"), 1);
    assert_int_equal(w.count, 6);
}

// The other segment's "all others" unit doesn't make this segment's order wrong.
static void test_order_is_per_segment(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    dmar_drhd(&b, true, 1, 0xfed90000);
    dmar_drhd(&b, false, 0, 0xfed91000);
    dmar_drhd(&b, true, 0, 0xfed92000);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(w.count, 0);
}

// RHSA before its unit, and scopes of a unit that is named twice.
static void test_any_order(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    dmar_rhsa(&b, 0xfed90000, 7);
    size_t at = dmar_drhd(&b, false, 0, 0xfed90000);
    dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
    at = dmar_drhd(&b, false, 0, 0xfed90000);
    dmar_scope(&b, at, 1, 0, DMAR_PATH(3, 0));
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(d.units_count, 1);
    assert_int_equal(d.units[0].node, 7);
    assert_int_equal(d.scopes_count, 2);
    assert_int_equal(d.scopes[1].index, 0);
}

// A unit that takes all other devices does so wherever the table says it: first, last, or once in
// the middle. It is one unit, with all of its devices.
static void test_named_again(void **state)
{
    for (unsigned all = 0; all < 8; all++) {
        struct blob b;
        dmar_begin(&b, 1);
        for (unsigned i = 0; i < 3; i++) {
            size_t at = dmar_drhd(&b, all & 1u << i, 0, 0xfed90000);
            dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
        }
        blob_finish(&b);
        assert_true(parse(&b));
        assert_int_equal(d.units_count, 1);
        assert_int_equal(d.units[0].include_pci_all, all != 0);
        assert_int_equal(d.scopes_count, 3);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(d.scopes[i].index, 0);
        assert_int_equal(warnings_of(&w, "dmar-unit-twice"), 2);
    }
}

// The buffer may be larger than the table: what lies behind it is neither summed nor read.
static void test_larger_buffer(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    dmar_drhd(&b, true, 0, 0xfed90000);
    blob_finish(&b);
    size_t length = b.length;
    dmar_drhd(&b, true, 0, 0xfed91000);
    blob_put(&b, 0x5a, 1);
    assert_true(parse(&b));
    assert_int_equal(d.units_count, 1);
    b.bytes[length - 1] ^= 1; // and the sum of the table alone decides
    for (unsigned i = 0; i < 256; i++) {
        b.bytes[b.length - 1] = (uint8_t)i;
        assert_refused(&b, "dmar-checksum");
    }
}

// Each structure beside the units, cut at each length, as the table's last bytes: a unit's node that isn't
// all there is no node, and so is reserved memory.
static void test_short_others(void **state)
{
    static const uint8_t least[] = { 16, 24, 8, 20, 8, 8, 8, 4, 4 };
    for (uint16_t type = 1; type < ARRAY_SIZE(least); type++)
        for (size_t bytes = 4; bytes <= 24; bytes++) {
            struct blob b;
            dmar_begin(&b, 1);
            dmar_drhd(&b, true, 0, 0xfed90000);
            size_t at = dmar_structure(&b, type, bytes);
            if (bytes >= 16)
                blob_set(&b, at + 8, 0xfed90000, 8);
            if (type == 1 && bytes >= 24)
                blob_set(&b, at + 16, 0xfed90fff, 8);
            blob_finish(&b);
            assert_true(parse(&b));
            assert_int_equal(w.count, bytes < least[type]);
            bool node = type == 3 && bytes >= 20;
            assert_int_equal(d.units[0].node, node ? 0 : NODE_ANY);
            assert_int_equal(d.reserved_count, type == 1 && bytes >= 24);
        }
}

// The node of each unit, whatever its place; one for no unit at all changes none.
static void test_nodes(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    for (unsigned i = 0; i < 3; i++)
        dmar_drhd(&b, false, 0, 0xfed90000 + 0x1000 * i);
    dmar_rhsa(&b, 0xfed92000, 9);
    dmar_rhsa(&b, 0xfed90000, 8);
    dmar_rhsa(&b, 0xfed93000, 7);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(d.units[0].node, 8);
    assert_int_equal(d.units[1].node, NODE_ANY);
    assert_int_equal(d.units[2].node, 9);
    assert_int_equal(d.units[3].node, 0); // no unit: not touched
    assert_int_equal(w.count, 1);
}

// The first ones are used.
static void test_too_large(void **state)
{
    static struct blob b;
    dmar_begin(&b, 1);
    for (unsigned i = 0; i < DMAR_UNITS_MAX; i++)
        dmar_drhd(&b, false, 0, 0x10000000 + 0x1000ull * i);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(w.count, 0);
    assert_int_equal(d.units_count, DMAR_UNITS_MAX);
    size_t at = dmar_drhd(&b, true, 0, 0xfed90000);
    dmar_scope(&b, at, 1, 0, DMAR_PATH(2, 0));
    blob_finish(&b);
    assert_warned(&b, "dmar-too-large");
    assert_int_equal(d.units_count, DMAR_UNITS_MAX);
    assert_int_equal(d.scopes_count, 0);
    assert_int_equal(d.units[DMAR_UNITS_MAX - 1].base,
                     0x10000000 + 0x1000ull * (DMAR_UNITS_MAX - 1));
}

// A table of nothing but one mistake is told of once.
static void test_many_warnings(void **state)
{
    struct blob b;
    dmar_begin(&b, 1);
    for (unsigned i = 0; i < 100; i++)
        dmar_drhd(&b, false, 0, 0);
    blob_finish(&b);
    assert_true(parse(&b));
    assert_int_equal(w.count, 1);
    assert_int_equal(warnings_of(&w, "dmar-unit-zero"), 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_structure_lengths),
        cmocka_unit_test(test_unit_addresses),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_order_is_per_segment),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_named_again),
        cmocka_unit_test(test_larger_buffer),
        cmocka_unit_test(test_short_others),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_many_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
