// SPDX-License-Identifier: BSD-2-Clause
// The NUMA node of devices that the SRAT doesn't name: that of their remapping unit (VT-d 8.6). And
// virtual functions, which are behind their physical one's unit.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dmar_build.h"
#include "drivers/vtd/scope.h"
#include "drivers/vtd/unit.h"
#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"

#include <cmocka.h>

enum { DISK, KNOWN, VIRTUAL, OTHER, DEVICES };

static struct pci_dev devs[DEVICES];
static struct blob table;

struct pci_dev *pci_get(size_t index)
{
    return index < DEVICES ? &devs[index] : NULL;
}

const struct acpi_header *acpi_find(const char signature[4])
{
    return (const void *)table.bytes;
}

const struct acpi_header *acpi_find_next(const char signature[4], const struct acpi_header *after)
{
    return NULL;
}

// No unit is looked into here.
bool vtd_unit_check(const struct vtd_unit *u, struct problem *p)
{
    fail_msg("unit 0x%llx is checked", (unsigned long long)u->base);
    return false;
}

void warn(const char *what, const char *fmt, ...)
{
    fail_msg("%s", what);
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

static void add(unsigned i, uint16_t bdf, unsigned node)
{
    devs[i] = (struct pci_dev){ .bdf = bdf, .requester = bdf, .node = node };
}

static int set_up(void **state)
{
    add(DISK, PCI_BDF(1, 0, 0), NODE_ANY);
    add(KNOWN, PCI_BDF(1, 0, 1), 7);
    add(VIRTUAL, PCI_BDF(1, 2, 0), NODE_ANY);
    add(OTHER, PCI_BDF(2, 0, 0), NODE_ANY);
    devs[VIRTUAL].physical = &devs[DISK];
    dmar_begin(&table, 1);
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 1, DMAR_PATH(0, 0));
    dmar_scope(&table, at, 1, 1, DMAR_PATH(0, 1));
    dmar_drhd(&table, true, 0, 0x2000);
    return 0;
}

static const struct dmar *read_units(void)
{
    struct problem p;
    blob_finish(&table);
    const struct dmar *d = vtd_units_read(&p);
    assert_non_null(d);
    return d;
}

static void test_node_of_the_unit(void **state)
{
    dmar_rhsa(&table, 0x1000, 1);
    read_units();
    assert_int_equal(devs[DISK].node, 1);
    assert_int_equal(devs[KNOWN].node, 7);
    assert_int_equal(devs[VIRTUAL].node, 1);
    assert_int_equal(devs[OTHER].node, NODE_ANY); // its unit has none
}

static void test_no_node(void **state)
{
    read_units();
    assert_int_equal(devs[DISK].node, NODE_ANY);
    assert_int_equal(devs[KNOWN].node, 7);
}

static void test_unit_of_a_virtual_function(void **state)
{
    struct problem p;
    size_t unit = 9;
    const struct dmar *d = read_units();
    assert_true(scope_find(d, &devs[VIRTUAL], &unit, &p));
    assert_int_equal(unit, 0);
    devs[VIRTUAL].physical = NULL;
    assert_true(scope_find(d, &devs[VIRTUAL], &unit, &p));
    assert_int_equal(unit, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_node_of_the_unit, set_up),
        cmocka_unit_test_setup(test_no_node, set_up),
        cmocka_unit_test_setup(test_unit_of_a_virtual_function, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
