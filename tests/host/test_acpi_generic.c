// SPDX-License-Identifier: BSD-2-Clause
// SRAT: generic initiators and ports, which tell the node of PCI functions (ACPI 6.5, 5.2.16.6 and
// 5.2.16.7).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "acpi_build.h"
#include "kernel/acpi/acpi.h"

#include <cmocka.h>

enum { INITIATOR = 5, PORT = 6, ACPI = 0, PCI = 1 };

static struct blob table;
static struct srat srat;
static struct warnings found;

static void put(unsigned type, unsigned handle, uint32_t node, uint16_t segment, uint8_t bus,
                uint8_t devfn, uint32_t flags)
{
    size_t at = table.length;
    blob_put(&table, type, 1);
    blob_put(&table, 32, 1);
    blob_put(&table, 0, 1);
    blob_put(&table, handle, 1);
    blob_put(&table, node, 4);
    blob_put(&table, segment, 2);
    blob_put(&table, bus, 1);
    blob_put(&table, devfn, 1);
    blob_pad(&table, at + 24);
    blob_put(&table, flags, 4);
    blob_pad(&table, at + 32);
}

static int begin(void **state)
{
    blob_header(&table, "SRAT", 3);
    blob_pad(&table, 48);
    return 0;
}

static void parse(void)
{
    struct problem p;
    blob_finish(&table);
    assert_true(srat_parse(table.bytes, table.length, &srat, &found, &p));
}

static void test_functions(void **state)
{
    put(INITIATOR, PCI, 0x102, 3, 0x81, 0x0a, 1); // 0003:81:01.2
    put(PORT, PCI, 1, 0, 0x40, 0x08, 1);
    parse();
    assert_int_equal(srat.devices_count, 2);
    assert_int_equal(srat.devices[0].segment, 3);
    assert_int_equal(srat.devices[0].bdf, 0x810a);
    assert_int_equal(srat.devices[0].node, 0x102);
    assert_int_equal(srat.devices[1].bdf, 0x4008);
    assert_int_equal(srat.devices[1].node, 1);
}

static void test_passed_over(void **state)
{
    put(INITIATOR, PCI, 1, 0, 0, 8, 0);  // not enabled
    put(INITIATOR, ACPI, 1, 0, 0, 8, 1); // a device of ACPI's namespace
    put(PORT, 2, 1, 0, 0, 8, 1);         // reserved
    parse();
    assert_int_equal(srat.devices_count, 0);
}

static void test_too_many(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(srat.devices) + 1; i++)
        put(INITIATOR, PCI, 1, 0, 1, (uint8_t)i, 1);
    parse();
    assert_int_equal(srat.devices_count, ARRAY_SIZE(srat.devices));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_functions, begin),
        cmocka_unit_test_setup(test_passed_over, begin),
        cmocka_unit_test_setup(test_too_many, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
