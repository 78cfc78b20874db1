// SPDX-License-Identifier: BSD-2-Clause
// Parsers of MADT and SRAT, which are lists of typed entries: each length an entry can have, and
// each place at which a table can end.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

// A table under test, and the places where its entries start.
struct table {
    struct blob blob;
    size_t starts[32];
    size_t count;
};

static void begin(struct table *t, const char *signature, uint8_t revision, size_t first)
{
    t->count = 0;
    blob_header(&t->blob, signature, revision);
    blob_pad(&t->blob, first);
}

static void entry(struct table *t, unsigned type, unsigned length)
{
    assert_in_range(t->count, 0, ARRAY_SIZE(t->starts) - 1);
    t->starts[t->count++] = t->blob.length;
    blob_put(&t->blob, type, 1);
    blob_put(&t->blob, length, 1);
}

// ---- MADT ----

static struct madt_cpu cpus[16];
static struct madt_ioapic ioapics[64];
static struct warnings found;

static void local_apic(struct table *t, unsigned uid, unsigned id, unsigned flags)
{
    entry(t, 0, 8);
    blob_put(&t->blob, uid, 1);
    blob_put(&t->blob, id, 1);
    blob_put(&t->blob, flags, 4);
}

static void local_x2apic(struct table *t, unsigned uid, unsigned id, unsigned flags)
{
    entry(t, 9, 16);
    blob_put(&t->blob, 0, 2);
    blob_put(&t->blob, id, 4);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, uid, 4);
}

static void io_apic(struct table *t, unsigned id, unsigned address, unsigned gsi)
{
    entry(t, 1, 12);
    blob_put(&t->blob, id, 1);
    blob_put(&t->blob, 0, 1);
    blob_put(&t->blob, address, 4);
    blob_put(&t->blob, gsi, 4);
}

static void filled_entry(struct table *t, unsigned type, unsigned length)
{
    entry(t, type, length);
    blob_pad(&t->blob, t->starts[t->count - 1] + length);
}

static void build_madt(struct table *t)
{
    begin(t, "APIC", 5, 44);
    local_apic(t, 1, 0, 1);
    local_apic(t, 2, 2, 1);
    local_apic(t, 3, 4, 0);    // disabled
    local_apic(t, 4, 6, 2);    // can be brought online, but is not there
    local_apic(t, 5, 0xff, 1); // no id
    filled_entry(t, 2, 10);    // interrupt source override: none of ours
    filled_entry(t, 5, 12);    // local APIC address
    io_apic(t, 9, 0xfec00000, 0);
    filled_entry(t, 0x80, 2); // the shortest there can be
    local_x2apic(t, 6, 2, 1); // again
    local_x2apic(t, 7, 0x101, 1);
    local_x2apic(t, 8, 0x103, 0);
    local_x2apic(t, 9, 0xffffffff, 1);
    io_apic(t, 10, 0xfec80000, 24);
    blob_finish(&t->blob);
}

static bool parse_madt(const struct blob *b, size_t cpus_max, struct madt *m, struct problem *p)
{
    void *copy = blob_copy(b, b->length);
    *m = (struct madt){
        .cpus = cpus, .cpus_max = cpus_max, .ioapics = ioapics, .ioapics_max = ARRAY_SIZE(ioapics)
    };
    found.count = 0;
    bool ok = madt_parse(copy, b->length, m, &found, p);
    free(copy);
    return ok;
}

// True: nothing is wrong at all.
static bool is_clean(bool parsed, struct problem *p)
{
    if (parsed && found.count)
        *p = found.kinds[0].first;
    return parsed && !found.count;
}

static void test_madt(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    build_madt(&t);
    assert_true(parse_madt(&t.blob, 3, &m, &p));
    assert_int_equal(m.cpus_count, 3);
    assert_int_equal(cpus[0].apic_id, 0);
    assert_int_equal(cpus[0].uid, 1);
    assert_int_equal(cpus[1].apic_id, 2);
    assert_int_equal(cpus[1].uid, 2);
    assert_int_equal(cpus[2].apic_id, 0x101);
    assert_int_equal(cpus[2].uid, 7);
    assert_int_equal(m.ioapics_count, 2);
    assert_int_equal(m.ioapics[0].id, 9);
    assert_int_equal(m.ioapics[0].address, 0xfec00000);
    assert_int_equal(m.ioapics[1].gsi_base, 24);
    assert_int_equal(found.count, 0);
}

// The same structure once more: nothing is left of the first time.
static void test_madt_again(void **state)
{
    struct table t;
    struct madt m = { .cpus = cpus, .cpus_max = 3, .ioapics = ioapics, .ioapics_max = 2 };
    struct problem p;
    build_madt(&t);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(madt_parse(t.blob.bytes, t.blob.length, &m, &found, &p));
        assert_int_equal(m.cpus_count, 3);
        assert_int_equal(m.ioapics_count, 2);
    }
    begin(&t, "APIC", 5, 44);
    blob_finish(&t.blob);
    assert_false(madt_parse(t.blob.bytes, t.blob.length, &m, &found, &p));
    assert_string_equal(p.what, "madt-no-cpu");
}

static void test_madt_room(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    build_madt(&t);
    local_apic(&t, 3, 0x30, 1);
    blob_finish(&t.blob);
    assert_true(parse_madt(&t.blob, 2, &m, &p)); // the first two
    assert_int_equal(m.cpus_count, 2);
    assert_int_equal(cpus[1].apic_id, 2);
    assert_int_equal(warnings_of(&found, "madt-too-many-cpus"), 2);
    assert_non_null(strstr(found.kinds[0].first.message, "0x101"));
}

// There is always room for as many as a table of that length can have.
static void test_madt_ioapics(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    begin(&t, "APIC", 5, 44);
    local_apic(&t, 1, 0, 1);
    for (unsigned i = 0; i < 64; i++, t.count = 0)
        io_apic(&t, i, 0xfec00000 + i * 4096, 0);
    blob_finish(&t.blob);
    assert_true(parse_madt(&t.blob, 3, &m, &p));
    assert_int_equal(m.ioapics_count, 64);
    assert_int_equal(m.ioapics[63].address, 0xfec3f000);
    assert_int_equal(found.count, 0);
    assert_in_range(madt_ioapics_max(t.blob.length), 64, t.blob.length);
    memset(ioapics, 0, sizeof(ioapics));
    m.ioapics_max = 10; // and with less room than that, none is written behind it
    assert_true(madt_parse(t.blob.bytes, t.blob.length, &m, &found, &p));
    assert_int_equal(m.ioapics_count, 10);
    assert_int_equal(ioapics[10].address, 0);
}

static void test_madt_no_cpu(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    begin(&t, "APIC", 5, 44);
    blob_finish(&t.blob);
    assert_false(parse_madt(&t.blob, 16, &m, &p));
    assert_string_equal(p.what, "madt-no-cpu");
    local_apic(&t, 1, 0, 2);
    blob_finish(&t.blob);
    assert_false(parse_madt(&t.blob, 16, &m, &p));
    assert_string_equal(p.what, "madt-no-cpu");
}

static void test_madt_io_apic_address(void **state)
{
    static const unsigned bad[] = { 0, 0xfec00004 };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct table t;
        struct madt m;
        struct problem p;
        build_madt(&t);
        io_apic(&t, 3, bad[i], 0);
        blob_finish(&t.blob);
        assert_true(parse_madt(&t.blob, 16, &m, &p));
        assert_int_equal(m.ioapics_count, 2); // the others
        assert_int_equal(warnings_of(&found, "madt-bad-ioapic"), 1);
    }
}

// With a length of 1, the next entry would start at this one's length, and look like an IOAPIC.
static void test_madt_length_1(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    build_madt(&t);
    blob_put(&t.blob, 0x80, 1);
    io_apic(&t, 3, 0xfec10000, 0);
    blob_finish(&t.blob);
    assert_true(parse_madt(&t.blob, 16, &m, &p));
    assert_int_equal(warnings_of(&found, "madt-bad-entry"), 1);
    assert_int_equal(m.ioapics_count, 2);
    assert_int_equal(m.cpus_count, 3);
}

// One that is too short for its type, in the middle: the others count.
static void test_madt_short_entry(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    begin(&t, "APIC", 5, 44);
    local_apic(&t, 1, 0, 1);
    filled_entry(&t, 0, 6);
    filled_entry(&t, 1, 4);
    local_apic(&t, 2, 2, 1);
    io_apic(&t, 9, 0xfec00000, 0);
    blob_finish(&t.blob);
    assert_true(parse_madt(&t.blob, 16, &m, &p));
    assert_int_equal(m.cpus_count, 2);
    assert_int_equal(m.ioapics_count, 1);
    assert_int_equal(found.count, 1); // one kind
    assert_int_equal(warnings_of(&found, "madt-bad-entry"), 2);
}

// ---- SRAT ----

static struct srat_cpu srat_cpus[16];

static void srat_apic(struct table *t, unsigned id, uint32_t node, unsigned flags)
{
    entry(t, 0, 16);
    blob_put(&t->blob, node & 0xff, 1);
    blob_put(&t->blob, id, 1);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, 0x55, 1); // SAPIC EID: no part of the node
    blob_put(&t->blob, node >> 8, 3);
    blob_put(&t->blob, 0x66666666, 4);
}

static void srat_memory(struct table *t, uint32_t node, uint64_t base, uint64_t bytes,
                        unsigned flags)
{
    entry(t, 1, 40);
    blob_put(&t->blob, node, 4);
    blob_put(&t->blob, 0x5555, 2);
    blob_put(&t->blob, base, 8);
    blob_put(&t->blob, bytes, 8);
    blob_put(&t->blob, 0x66666666, 4);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, 0x77777777, 8);
}

static void srat_x2apic(struct table *t, uint32_t id, uint32_t node, unsigned flags)
{
    entry(t, 2, 24);
    blob_put(&t->blob, 0x5555, 2);
    blob_put(&t->blob, node, 4);
    blob_put(&t->blob, id, 4);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, 0, 8);
}

static void build_srat(struct table *t, uint8_t revision)
{
    begin(t, "SRAT", revision, 48);
    srat_apic(t, 0, 0, 1);
    srat_apic(t, 2, 0x12345678, 1);
    srat_apic(t, 4, 1, 0);
    srat_apic(t, 0xff, 1, 1);
    srat_memory(t, 0, 0, 0xa0000, 1);
    srat_memory(t, 0x01020304, 0x100000000, 0x80000000, 3);
    srat_memory(t, 1, 0x200000000, 0x80000000, 2); // a place for memory, nothing in it
    srat_memory(t, 1, 0x200000000, 0, 1);
    filled_entry(t, 3, 20);  // an ITS: not on x86
    srat_x2apic(t, 2, 9, 1); // again
    srat_x2apic(t, 0x100, 0x0a0b0c0d, 1);
    srat_x2apic(t, 0x102, 1, 0);
    srat_x2apic(t, 0xffffffff, 1, 1);
    blob_finish(&t->blob);
}

static bool parse_srat(const struct blob *b, size_t cpus_max, struct srat *s, struct problem *p)
{
    void *copy = blob_copy(b, b->length);
    *s = (struct srat){ .cpus = srat_cpus, .cpus_max = cpus_max };
    found.count = 0;
    bool ok = srat_parse(copy, b->length, s, &found, p);
    free(copy);
    return ok;
}

static void test_srat(void **state)
{
    struct table t;
    struct srat s;
    struct problem p;
    build_srat(&t, 3);
    assert_true(parse_srat(&t.blob, 3, &s, &p));
    assert_int_equal(s.cpus_count, 3);
    assert_int_equal(srat_cpus[0].node, 0);
    assert_int_equal(srat_cpus[1].apic_id, 2);
    assert_int_equal(srat_cpus[1].node, 0x12345678);
    assert_int_equal(srat_cpus[2].apic_id, 0x100);
    assert_int_equal(srat_cpus[2].node, 0x0a0b0c0d);
    assert_int_equal(s.memory_count, 2);
    assert_int_equal(s.memory[0].bytes, 0xa0000);
    assert_int_equal(s.memory[1].base, 0x100000000);
    assert_int_equal(s.memory[1].bytes, 0x80000000);
    assert_int_equal(s.memory[1].node, 0x01020304);
}

// The first revision has eight bits of a node, and anything in the rest; the second has all.
static void test_srat_first_revisions(void **state)
{
    struct table t;
    struct srat s = { .cpus = srat_cpus, .cpus_max = 16 };
    struct problem p;
    build_srat(&t, 1);
    assert_true(srat_parse(t.blob.bytes, t.blob.length, &s, &found, &p));
    assert_int_equal(srat_cpus[1].node, 0x78);
    assert_int_equal(s.memory[1].node, 0x04);
    build_srat(&t, 2);
    assert_true(srat_parse(t.blob.bytes, t.blob.length, &s, &found, &p));
    assert_int_equal(s.cpus_count, 3); // of this time alone
    assert_int_equal(s.memory_count, 2);
    assert_int_equal(srat_cpus[1].node, 0x12345678);
    assert_int_equal(s.memory[1].node, 0x01020304);
}

static void test_srat_room(void **state)
{
    struct table t;
    struct srat s;
    struct problem p;
    build_srat(&t, 3);
    assert_true(parse_srat(&t.blob, 2, &s, &p));
    assert_int_equal(s.cpus_count, 2);
    assert_int_equal(s.memory_count, 2);
    assert_int_equal(warnings_of(&found, "srat-too-many-cpus"), 1);
    for (unsigned i = 0; i < ARRAY_SIZE(s.memory); i++, t.count = 0)
        srat_memory(&t, 0, i, 1, 1);
    blob_finish(&t.blob);
    assert_true(parse_srat(&t.blob, 16, &s, &p));
    assert_int_equal(s.memory_count, ARRAY_SIZE(s.memory));
    assert_int_equal(s.memory[0].bytes, 0xa0000); // the first ones
    assert_int_equal(warnings_of(&found, "srat-too-many-ranges"), 2);
}

static void test_srat_wraps(void **state)
{
    struct table t;
    struct srat s;
    struct problem p;
    begin(&t, "SRAT", 3, 48);
    srat_memory(&t, 0, 0xfffffffffffff000, 0xfff, 1);
    blob_finish(&t.blob);
    assert_true(parse_srat(&t.blob, 16, &s, &p));
    srat_memory(&t, 0, 0xfffffffffffff000, 0x1000, 1);
    blob_finish(&t.blob);
    srat_memory(&t, 0, 0x100000, 0x1000, 1);
    blob_finish(&t.blob);
    assert_true(parse_srat(&t.blob, 16, &s, &p));
    assert_int_equal(s.memory_count, 2);
    assert_int_equal(s.memory[1].base, 0x100000);
    assert_int_equal(warnings_of(&found, "srat-bad-range"), 1);
}

// An entry without a length, in the middle: what came before it is used.
static void test_srat_middle(void **state)
{
    struct table t;
    struct srat s;
    struct problem p;
    begin(&t, "SRAT", 3, 48);
    srat_apic(&t, 0, 1, 1);
    blob_put(&t.blob, 0, 2);
    srat_apic(&t, 2, 1, 1);
    blob_finish(&t.blob);
    assert_true(parse_srat(&t.blob, 16, &s, &p));
    assert_int_equal(s.cpus_count, 1);
    assert_int_equal(warnings_of(&found, "srat-bad-entry"), 1);
}

// ---- both: what a list of entries can get wrong ----

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
                filled_entry(&t, type, 40);
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
        cmocka_unit_test(test_madt),
        cmocka_unit_test(test_madt_again),
        cmocka_unit_test(test_madt_room),
        cmocka_unit_test(test_madt_ioapics),
        cmocka_unit_test(test_madt_short_entry),
        cmocka_unit_test(test_madt_no_cpu),
        cmocka_unit_test(test_madt_io_apic_address),
        cmocka_unit_test(test_madt_length_1),
        cmocka_unit_test(test_srat),
        cmocka_unit_test(test_srat_first_revisions),
        cmocka_unit_test(test_srat_room),
        cmocka_unit_test(test_srat_wraps),
        cmocka_unit_test(test_srat_middle),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_length_of_last),
        cmocka_unit_test(test_length_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
