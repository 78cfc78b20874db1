// SPDX-License-Identifier: BSD-2-Clause
// Parser of the MADT: CPUs and I/O APICs.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_lists.h"

#include <cmocka.h>

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
    table_begin(&t, "APIC", 5, 44);
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
    table_begin(&t, "APIC", 5, 44);
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
    table_begin(&t, "APIC", 5, 44);
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
    table_begin(&t, "APIC", 5, 44);
    local_apic(&t, 1, 0, 1);
    table_filled_entry(&t, 0, 6);
    table_filled_entry(&t, 1, 4);
    local_apic(&t, 2, 2, 1);
    io_apic(&t, 9, 0xfec00000, 0);
    blob_finish(&t.blob);
    assert_true(parse_madt(&t.blob, 16, &m, &p));
    assert_int_equal(m.cpus_count, 2);
    assert_int_equal(m.ioapics_count, 1);
    assert_int_equal(found.count, 1); // one kind
    assert_int_equal(warnings_of(&found, "madt-bad-entry"), 2);
}

// A CPU that runs is there: it takes the first place, and the last one's where there is no room.
static void test_madt_boot_cpu(void **state)
{
    struct table t;
    struct madt m;
    struct problem p;
    build_madt(&t);
    assert_true(parse_madt(&t.blob, 4, &m, &p));
    assert_false(madt_add_boot(&m, 0x101));
    assert_int_equal(m.cpus_count, 3);
    for (unsigned count = 4; count <= 5; count++) {
        assert_true(madt_add_boot(&m, 0x700 + count));
        assert_int_equal(m.cpus_count, 4);
        assert_int_equal(cpus[0].apic_id, 0x700 + count);
        assert_int_equal(cpus[0].uid, UINT32_MAX);
    }
    assert_int_equal(cpus[1].apic_id, 0x704);
    assert_int_equal(cpus[3].apic_id, 2);
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
        cmocka_unit_test(test_madt_boot_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
