// SPDX-License-Identifier: BSD-2-Clause
// Parser of the SRAT: whose CPUs and whose memory is where.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_lists.h"

#include <cmocka.h>

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
    table_begin(&t, "SRAT", 3, 48);
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
    table_begin(&t, "SRAT", 3, 48);
    srat_apic(&t, 0, 1, 1);
    blob_put(&t.blob, 0, 2);
    srat_apic(&t, 2, 1, 1);
    blob_finish(&t.blob);
    assert_true(parse_srat(&t.blob, 16, &s, &p));
    assert_int_equal(s.cpus_count, 1);
    assert_int_equal(warnings_of(&found, "srat-bad-entry"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_srat),        cmocka_unit_test(test_srat_first_revisions),
        cmocka_unit_test(test_srat_room),   cmocka_unit_test(test_srat_wraps),
        cmocka_unit_test(test_srat_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
