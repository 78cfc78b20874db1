// SPDX-License-Identifier: BSD-2-Clause
// Finding PCI functions: trees as they should be, and bridges, bus numbers and lists as they
// shouldn't.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/cpus.h"
#include "tests/host/pci_fixture.h"

#include <cmocka.h>

enum {
    ENDPOINT = 0,
    ROOT_PORT = 4,
    UPSTREAM = 5,
    DOWNSTREAM = 6,
    PCIE_TO_PCI = 7,
    PCI_TO_PCIE = 8,
};

static int start(void **state)
{
    model_reset();
    no_mcfg = false;
    model_segment(0, ECAM, 0, 0xff);
    return 0;
}

static struct model_fn *add(unsigned bus, unsigned device, unsigned fn)
{
    return model_add(0, PCI_BDF(bus, device, fn), 0x010802);
}

static struct model_fn *bridge(unsigned bus, unsigned device, unsigned type, unsigned secondary,
                               unsigned subordinate)
{
    struct model_fn *f =
        model_bridge(0, PCI_BDF(bus, device, 0), (uint8_t)secondary, (uint8_t)subordinate);
    if (type)
        model_express(f, type);
    return f;
}

static void scan(void)
{
    struct problem p;
    assert_true(pci_init(&p));
}

static void scan_finds(unsigned functions, unsigned warnings)
{
    scan();
    assert_int_equal(dev_count(), functions);
    assert_int_equal(model.warnings, warnings);
}

static struct pci_dev *dev(unsigned bus, unsigned device, unsigned fn)
{
    return dev_at(0, PCI_BDF(bus, device, fn));
}

// ---- trees ----

static void test_nothing(void **state)
{
    scan();
    assert_int_equal(dev_count(), 0);
    assert_null(pci_get(0));
    assert_int_equal(model.reads, 256 * 32);
}

static void test_no_mcfg(void **state)
{
    struct problem p;
    no_mcfg = true;
    assert_false(pci_init(&p));
    assert_string_equal(p.what, "pci-no-mcfg");
    no_mcfg = false;
    model_segment(0, 0x200000000, 0, 0);
    assert_true(pci_init(&p)); // it overlaps the one before, which is good
    assert_int_equal(model.warnings, 1);
}

static void test_identity(void **state)
{
    struct model_fn *f = add(0, 4, 0);
    model_set(f, 0x00, 0xa8218086 + 0x10000, 4);
    scan();
    assert_int_equal(dev_count(), 1);
    struct pci_dev *d = pci_get(0);
    assert_int_equal(d->vendor, 0x8086);
    assert_int_equal(d->device, 0xa822);
    assert_int_equal(d->class_code, 0x010802);
    assert_int_equal(d->header, 0);
    assert_int_equal(d->node, NODE_ANY);
    assert_int_equal(d->bdf, 0x20);
    assert_int_equal(d->requester, 0x20);
    assert_int_equal(d->port_type, 0xff);
    assert_null(d->parent);
    assert_string_equal(d->name, "0000:00:04.0");
    assert_int_equal(model.warnings, 0);
}

// Root port, switch, endpoint: two bridges deep and more, in ascending order of buses.
static void test_tree(void **state)
{
    struct problem p;
    bridge(0, 1, ROOT_PORT, 1, 4);
    bridge(1, 0, UPSTREAM, 2, 4);
    bridge(2, 0, DOWNSTREAM, 3, 3);
    bridge(2, 1, DOWNSTREAM, 4, 4);
    model_express(add(3, 0, 0), ENDPOINT);
    model_express(add(4, 0, 0), ENDPOINT);
    add(0x80, 0, 0); // a root bus of its own
    scan();
    assert_int_equal(dev_count(), 7);
    for (size_t i = 1; i < 7; i++)
        assert_true(pci_get(i)->bdf > pci_get(i - 1)->bdf);
    assert_ptr_equal(dev(3, 0, 0)->parent, dev(2, 0, 0));
    assert_ptr_equal(dev(4, 0, 0)->parent, dev(2, 1, 0));
    assert_ptr_equal(dev(2, 1, 0)->parent, dev(1, 0, 0));
    assert_ptr_equal(dev(1, 0, 0)->parent, dev(0, 1, 0));
    assert_null(dev(0, 1, 0)->parent);
    assert_null(dev(0x80, 0, 0)->parent);
    assert_int_equal(dev(0, 1, 0)->secondary, 1);
    assert_int_equal(dev(0, 1, 0)->subordinate, 4);
    assert_int_equal(dev(0, 1, 0)->port_type, ROOT_PORT);
    assert_int_equal(dev(4, 0, 0)->requester, PCI_BDF(4, 0, 0));
    assert_int_equal(model.warnings, 0);

    // Requests from below pass only bridges that may be bus masters.
    const uint16_t memory_and_master = 6;
    for (size_t i = 0; i < 7; i++)
        pci_write16(pci_get(i), 4, 0);
    assert_true(pci_enable(dev(4, 0, 0), &p));
    assert_int_equal(pci_read16(dev(4, 0, 0), 4) & memory_and_master, memory_and_master);
    assert_int_equal(pci_read16(dev(2, 1, 0), 4) & memory_and_master, memory_and_master);
    assert_int_equal(pci_read16(dev(1, 0, 0), 4) & memory_and_master, memory_and_master);
    assert_int_equal(pci_read16(dev(0, 1, 0), 4) & memory_and_master, memory_and_master);
    assert_int_equal(pci_read16(dev(2, 0, 0), 4) & 4, 0); // not on the way
}

static void test_multi_function(void **state)
{
    model_set(add(0, 3, 0), 0x0e, 0x80, 1);
    add(0, 3, 5);
    add(0, 4, 0); // not marked: what answers as function 1 is a ghost
    add(0, 4, 1);
    add(0, 5, 2); // no function 0
    scan();
    assert_int_equal(dev_count(), 3);
    assert_non_null(dev(0, 3, 5));
    assert_int_equal(dev(0, 3, 0)->header, 0);
    assert_null(dev(0, 4, 1));
    assert_null(dev(0, 5, 2));
}

static void test_segments(void **state)
{
    struct problem p;
    model_reset();
    model_segment(7, 0x8000000000, 0x10, 0x1f);
    model_segment(0, ECAM, 0x40, 0x7f); // one segment's window in two parts, in no order
    model_segment(0, ECAM, 0, 0x3f);
    bridge(0, 1, ROOT_PORT, 0x48, 0x48);
    add(0x48, 0, 0);
    add(0x40, 0, 0);
    add(0x80, 0, 0); // outside
    model_add(7, PCI_BDF(0x10, 2, 0), 0x010802);
    model_add(7, PCI_BDF(0x20, 2, 0), 0x010802); // outside
    assert_true(pci_init(&p));
    assert_int_equal(dev_count(), 4);
    assert_string_equal(pci_get(0)->name, "0000:00:01.0");
    assert_string_equal(pci_get(1)->name, "0000:40:00.0");
    assert_string_equal(pci_get(2)->name, "0000:48:00.0");
    assert_string_equal(pci_get(3)->name, "0007:10:02.0");
    assert_ptr_equal(pci_get(2)->parent, pci_get(0));
    assert_null(pci_get(3)->parent);
    assert_int_equal(model.mapped_count, 0x80 + 0x10); // each bus that there is
    assert_int_equal(model.warnings, 0);
}

// A bridge of one segment says nothing about the buses of another.
static void test_segments_apart(void **state)
{
    model_segment(1, 0x8000000000, 0, 0xff);
    bridge(0, 1, ROOT_PORT, 1, 9);
    model_add(1, PCI_BDF(5, 0, 0), 0x010802);
    scan();
    assert_int_equal(dev_count(), 2);
    assert_null(dev_at(1, PCI_BDF(5, 0, 0))->parent);
}

static void test_many(void **state)
{
    for (unsigned device = 0; device < 32; device++)
        for (unsigned fn = 0; fn < 8; fn++)
            model_set(add(9, device, fn), 0x0e, 0x80, 1);
    scan();
    assert_int_equal(dev_count(), 256);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(pci_get(i)->bdf, 9 << 8 | i);
    assert_null(pci_get(256));
    assert_null(pci_get(SIZE_MAX));
    scan(); // again: nothing is left of the first time
    assert_int_equal(dev_count(), 256);
}

// Every place of a segment taken, which is as many as there is room for, and of a second one.
static void test_full(void **state)
{
    model_set(add(0, 0, 0), 0x0e, 0x80, 1);
    model.full = true;
    scan_finds(65536, 1); // told of all the same: there may have been more
    assert_int_equal(pci_get(65535)->bdf, 0xffff);
    model_segment(1, 0x8000000000, 0, 0);
    scan_finds(65536, 2);
    assert_non_null(strstr(model.warning, "first 65536 functions"));
    assert_int_equal(pci_get(65535)->segment, 0);
    assert_null(pci_get(65536));
}

// A link's end has device 0 alone; a bus has them all.
static void test_ghosts(void **state)
{
    model.ghosts = true;
    bridge(0, 1, ROOT_PORT, 1, 3);
    bridge(1, 0, PCI_TO_PCIE, 2, 2);
    bridge(0, 2, DOWNSTREAM, 4, 4);
    add(2, 0, 0);
    add(4, 0, 0);
    scan();
    assert_int_equal(dev_count(), 5);
    bridge(0, 3, PCIE_TO_PCI, 5, 5);
    model.ghosts = false;
    add(5, 17, 0);
    scan();
    assert_int_equal(dev_count(), 7);
}

static void test_odd_ids(void **state)
{
    model_set(add(0, 1, 0), 0x00, 0x00000000, 4);
    model_set(add(0, 2, 0), 0x00, 0xffff0000, 4);
    model_set(add(0, 3, 0), 0x00, 0x1234ffff, 4);
    scan_finds(0, 0);
    model_set(add(0, 4, 0), 0x00, 0xffff0001, 4); // retry
    scan_finds(0, 1);
    assert_non_null(strstr(model.warning, "00:04.0"));
}

static void test_odd_header(void **state)
{
    struct model_fn *f = add(0, 1, 0);
    model_set(f, 0x0e, 2, 1);
    model_express(f, ENDPOINT);
    model_bar(f, 0, 0xe0000000, 0xfffff000);
    model_set(add(0, 2, 0), 0x0e, 0x7f, 1);
    scan_finds(2, 2);
    assert_int_equal(dev(0, 1, 0)->port_type, 0xff);
    assert_int_equal(dev(0, 1, 0)->bars[0].bytes, 0);
    assert_int_equal(pci_find_cap(dev(0, 1, 0), 0x10), 0);
}

// ---- bridges that can't be followed ----

// One bridge at 00:01.0, one at 00:02.0, and something on bus 5: found as what is on a root bus.
static void refused_bridge(unsigned secondary, unsigned subordinate, const char *says)
{
    start(NULL);
    bridge(0, 1, ROOT_PORT, secondary, subordinate);
    add(5, 0, 0);
    scan_finds(2, 1);
    assert_string_equal(model.warning_what, "pci-bridge");
    assert_non_null(strstr(model.warning, says));
    assert_non_null(strstr(model.warning, "0000:00:01.0"));
    assert_null(dev(5, 0, 0)->parent);
    assert_int_equal(dev(0, 1, 0)->secondary, 0);
    assert_int_equal(dev(0, 1, 0)->subordinate, 0);
}

static void test_bridge_numbers(void **state)
{
    refused_bridge(0, 0, "no bus numbers");
    refused_bridge(0, 0xff, "no bus numbers");
    refused_bridge(5, 4, "out of order");
}

// Bridges that lead back, to themselves or up, and two that lead to the same bus.
static void test_bridge_loops(void **state)
{
    bridge(0, 1, ROOT_PORT, 1, 9);
    bridge(1, 0, UPSTREAM, 1, 9);
    scan_finds(2, 1);
    start(NULL);
    bridge(3, 0, ROOT_PORT, 4, 9);
    bridge(4, 0, UPSTREAM, 3, 9);
    scan_finds(2, 1);
    start(NULL);
    bridge(0, 1, ROOT_PORT, 1, 3);
    bridge(0, 2, ROOT_PORT, 1, 3);
    bridge(0, 3, ROOT_PORT, 2, 4); // within the first one's range
    add(1, 0, 0);
    scan_finds(4, 2);
    assert_ptr_equal(dev(1, 0, 0)->parent, dev(0, 1, 0));
}

static void test_bridge_outside(void **state)
{
    model_reset();
    model_segment(0, ECAM, 0, 0x3f);
    bridge(0, 1, ROOT_PORT, 0x40, 0x40);
    bridge(0, 2, ROOT_PORT, 0x3f, 0xff);
    add(0x3f, 0, 0);
    add(0x40, 0, 0);
    scan_finds(3, 1);
    assert_non_null(strstr(model.warning, "MCFG"));
    assert_ptr_equal(dev(0x3f, 0, 0)->parent, dev(0, 2, 0));
}

// A bridge can give away only what the one above it has.
static void test_bridge_beyond_parent(void **state)
{
    bridge(0, 1, ROOT_PORT, 1, 3);
    bridge(1, 0, UPSTREAM, 2, 9);
    bridge(2, 0, DOWNSTREAM, 8, 8);
    add(8, 0, 0); // on a root bus
    scan_finds(4, 1);
    assert_null(dev(8, 0, 0)->parent);
    assert_int_equal(dev(1, 0, 0)->secondary, 2);
}

// Nothing can be on a bus in a bridge's range that no bridge leads to.
static void test_unreachable_bus(void **state)
{
    bridge(0, 1, ROOT_PORT, 1, 9);
    add(4, 0, 0);
    scan();
    assert_int_equal(dev_count(), 1);
}

static void test_deepest(void **state)
{
    for (unsigned bus = 0; bus < 255; bus++)
        bridge(bus, 0, bus ? UPSTREAM : ROOT_PORT, bus + 1, 255);
    add(255, 0, 0);
    scan();
    assert_int_equal(dev_count(), 256);
    unsigned depth = 0;
    for (struct pci_dev *d = dev(255, 0, 0); d->parent; d = d->parent)
        depth++;
    assert_int_equal(depth, 255);
}

// ---- requesters ----

static void test_pcie_to_pci(void **state)
{
    bridge(0, 1, ROOT_PORT, 1, 4);
    bridge(1, 0, PCIE_TO_PCI, 2, 4);
    add(2, 3, 0);
    bridge(2, 4, 0, 3, 3); // conventional, below: the PCI Express end decides
    add(3, 1, 0);
    scan();
    assert_int_equal(dev(1, 0, 0)->requester, PCI_BDF(1, 0, 0));
    assert_int_equal(dev(2, 3, 0)->requester, PCI_BDF(2, 0, 0));
    assert_int_equal(dev(2, 4, 0)->requester, PCI_BDF(2, 0, 0));
    assert_int_equal(dev(3, 1, 0)->requester, PCI_BDF(2, 0, 0));
}

// Two such bridges, one behind the other: what comes from the inner one has the outer one's name.
static void test_pcie_to_pci_twice(void **state)
{
    bridge(0, 1, ROOT_PORT, 1, 5);
    bridge(1, 0, PCIE_TO_PCI, 2, 5);
    bridge(2, 0, PCI_TO_PCIE, 3, 5);
    bridge(3, 0, PCIE_TO_PCI, 4, 5);
    add(4, 2, 0);
    scan();
    assert_int_equal(dev(4, 2, 0)->requester, PCI_BDF(2, 0, 0));
    assert_int_equal(dev(3, 0, 0)->requester, PCI_BDF(2, 0, 0));
}

static void test_conventional_bridge(void **state)
{
    bridge(0, 0x1e, 0, 7, 8);
    add(7, 3, 0);
    bridge(7, 4, 0, 8, 8);
    add(8, 1, 0);
    bridge(0, 2, PCI_TO_PCIE, 9, 9);
    add(9, 0, 0);
    scan();
    assert_int_equal(dev(0, 0x1e, 0)->requester, PCI_BDF(0, 0x1e, 0));
    assert_int_equal(dev(7, 3, 0)->requester, PCI_BDF(0, 0x1e, 0));
    assert_int_equal(dev(8, 1, 0)->requester, PCI_BDF(0, 0x1e, 0));
    assert_int_equal(dev(9, 0, 0)->requester, PCI_BDF(9, 0, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),
        TEST(test_no_mcfg),
        TEST(test_identity),
        TEST(test_tree),
        TEST(test_multi_function),
        TEST(test_segments),
        TEST(test_segments_apart),
        TEST(test_many),
        TEST(test_full),
        TEST(test_ghosts),
        TEST(test_odd_ids),
        TEST(test_odd_header),
        TEST(test_bridge_numbers),
        TEST(test_bridge_loops),
        TEST(test_bridge_outside),
        TEST(test_bridge_beyond_parent),
        TEST(test_unreachable_bus),
        TEST(test_deepest),
        TEST(test_pcie_to_pci),
        TEST(test_pcie_to_pci_twice),
        TEST(test_conventional_bridge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
