// SPDX-License-Identifier: BSD-2-Clause
// The pin that MADT connects to NMI.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

static struct blob madt;

static void begin(void)
{
    blob_header(&madt, "APIC", 5);
    blob_pad(&madt, 44);
}

static void local_nmi(unsigned uid, unsigned flags, unsigned lint)
{
    blob_put(&madt, 4, 1);
    blob_put(&madt, 6, 1);
    blob_put(&madt, uid, 1);
    blob_put(&madt, flags, 2);
    blob_put(&madt, lint, 1);
}

static void x2apic_nmi(uint32_t uid, unsigned lint)
{
    blob_put(&madt, 10, 1);
    blob_put(&madt, 12, 1);
    blob_put(&madt, 5, 2);
    blob_put(&madt, uid, 4);
    blob_put(&madt, lint, 1);
    blob_put(&madt, 0, 3);
}

static int pin_of(uint32_t uid)
{
    uint8_t lint = 9;
    uint8_t *table = malloc(madt.length); // exactly, for the sanitizer
    memcpy(table, madt.bytes, madt.length);
    bool found = madt_find_nmi(table, madt.length, uid, &lint);
    free(table);
    return found ? lint : -1;
}

static void both_kinds_name_all_or_one(void **state)
{
    begin();
    assert_int_equal(pin_of(0), -1);
    local_nmi(7, 0, 0);
    x2apic_nmi(300, 1);
    assert_int_equal(pin_of(7), 0);
    assert_int_equal(pin_of(300), 1);
    assert_int_equal(pin_of(8), -1);
    x2apic_nmi(UINT32_MAX, 0);
    assert_int_equal(pin_of(8), 0);
    assert_int_equal(pin_of(300), 1);
    begin();
    local_nmi(255, 0xf, 1);
    assert_int_equal(pin_of(12345), 1);
}

static void nonsense_is_passed_over(void **state)
{
    begin();
    local_nmi(255, 0, 2); // no such pin
    assert_int_equal(pin_of(1), -1);
    local_nmi(255, 0, 1);
    assert_int_equal(pin_of(1), 1);
}

static void short_entries_end_it(void **state)
{
    static const uint8_t lengths[] = { 0, 1, 2, 5, 200 };
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        begin();
        local_nmi(255, 0, 1);
        blob_set(&madt, 45, lengths[i], 1);
        assert_int_equal(pin_of(1), -1);
    }
    begin();
    local_nmi(255, 0, 1);
    madt.length--; // the table ends within it
    assert_int_equal(pin_of(1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_name_all_or_one),
        cmocka_unit_test(nonsense_is_passed_over),
        cmocka_unit_test(short_entries_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
