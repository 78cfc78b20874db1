// SPDX-License-Identifier: BSD-2-Clause
// Looking at AER and DPC: what is stale, new, told, cleared or firmware's, whose it is, and links that come back.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define EXPRESS 0x40
#define AER 0x100
#define DPC 0x200
#define ROOT_PORT 4
#define S 1000000000ull

static struct model_fn *port, *disk;

static uint64_t place(const struct model_fn *f, unsigned at)
{
    return ECAM + ((uint64_t)f->bdf << 12) + at;
}

// Status registers: a 1 clears the bit. The link's state is nobody's to write.
static void clear_bits(uint64_t phys, uint64_t value, unsigned bytes)
{
    static const unsigned aer[] = { AER + 4, AER + 0x10, AER + 0x30 };
    struct model_fn *both[] = { port, disk };
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < ARRAY_SIZE(aer); j++)
            if (phys == place(both[i], aer[j]))
                model_set(both[i], aer[j], model_get(both[i], aer[j], 4) & ~(uint32_t)value, 4);
        if (phys == place(both[i], DPC + 8))
            model_set(both[i], DPC + 8, model_get(both[i], DPC + 8, 2) & ~(value & 1), 2);
        if (phys == place(both[i], DPC + 0xc))
            model_set(both[i], DPC + 0xc, model_get(both[i], DPC + 0xc, 4) & ~(uint32_t)value, 4);
    }
}

static void add_aer(struct model_fn *f)
{
    model_set(f, AER, 0x00020001 | (uint32_t)DPC << 20, 4);
    model_set(f, AER + 0xc, 0x00462030, 4); // severity as after a reset
    model_set(f, AER + 0x14, 0x2000, 4);    // advisory ones are masked then
}

static void free_all(void)
{
    for_each_pci_dev (dev) {
        free(dev->errors);
        dev->errors = NULL;
    }
}

static void build(void)
{
    free_all();
    model_reset();
    model_segment(0, ECAM, 0, 1);
    port = model_bridge(0, PCI_BDF(0, 3, 0), 1, 1);
    model_express(port, ROOT_PORT);
    add_aer(port);
    model_set(port, DPC, 0x0001001d, 4);
    model_set(port, DPC + 4, 0x20, 2);
    disk = model_add(0, PCI_BDF(1, 0, 0), 0x010802);
    model_express(disk, 0);
    add_aer(disk);
    model.before_write = clear_bits;
}

static struct pci_dev *start(void)
{
    struct problem p;
    assert_true(pci_init(&p));
    assert_true(pci_errors_start(dev_at(0, 0x100)));
    assert_int_equal(model.warnings, 0);
    return dev_at(0, 0x100);
}

// True: something was told; it is in model.warning.
static bool told(struct pci_dev *dev, uint64_t now)
{
    unsigned before = model.warnings;
    pci_errors_look(dev, now);
    assert_in_range(model.warnings - before, 0, 1);
    return model.warnings != before;
}

static void test_what_was_there_is_forgotten(void **state)
{
    build();
    model_set(port, AER + 4, 1u << 20, 4);
    model_set(disk, AER + 0x10, 1, 4);
    model_set(port, AER + 0x30, 0x4000007d, 4);
    struct pci_dev *dev = start();
    assert_int_equal(model_get(port, AER + 4, 4), 0);
    assert_int_equal(model_get(disk, AER + 0x10, 4), 0);
    assert_int_equal(model_get(port, AER + 0x30, 4), 0x40000000); // not what isn't a status
    assert_false(told(dev, S));
}

static void test_new_ones_are_told_and_cleared(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, AER + 4, 1u << 14, 4);
    assert_true(told(dev, S));
    assert_string_equal(model.warning_what, "pcie-nonfatal");
    assert_non_null(strstr(model.warning, "0000:00:03.0 (root port): error: Completion Timeout"));
    assert_int_equal(model_get(port, AER + 4, 4), 0);
    model_set(disk, AER + 0x10, 1u << 6, 4);
    assert_true(told(dev, 2 * S));
    assert_string_equal(model.warning_what, "pcie-correctable");
    assert_non_null(strstr(model.warning, "0000:01:00.0 (endpoint): corrected: Bad TLP"));
    assert_int_equal(model_get(disk, AER + 0x10, 4), 0);
}

static void test_the_packet_is_told(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, AER + 4, 1u << 18, 4);
    model_set(port, AER + 0x18, 18, 4);
    model_set(port, AER + 0x1c, 0x40000001, 4);
    model_set(port, AER + 0x20, 0x0100000f, 4);
    model_set(port, AER + 0x24, 0xfee00000, 4);
    assert_true(told(dev, S));
    assert_string_equal(model.warning_what, "pcie-fatal");
    assert_non_null(strstr(model.warning, "Malformed TLP (memory write by 01:00.0 at 0xfee00000)"));
}

static void test_masked_ones_are_not(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, AER + 0x10, 0x2000, 4);
    model_set(port, AER + 8, 1u << 20, 4);
    model_set(port, AER + 4, 1u << 20, 4);
    assert_false(told(dev, S));
}

// The same again is counted for a minute; another one is not held back by it.
static void test_how_often(void **state)
{
    build();
    struct pci_dev *dev = start();
    for (unsigned i = 1; i <= 60; i++) {
        model_set(port, AER + 0x10, 1, 4);
        assert_int_equal(told(dev, i * S), i == 1);
    }
    model_set(port, AER + 4, 1u << 14, 4);
    assert_true(told(dev, 60 * S));
    model_set(port, AER + 0x10, 1, 4);
    assert_true(told(dev, 61 * S));
    assert_non_null(strstr(model.warning, "(and 59 times before)"));
    model_set(port, AER + 0x10, 0x41, 4);
    assert_true(told(dev, 62 * S));
    assert_null(strstr(model.warning, "before"));
}

// Firmware is told by system errors: nothing is written, and what stays set is told once.
static void test_firmwares_are_left_to_it(void **state)
{
    build();
    model_set(port, EXPRESS + 0x1c, 4, 2);
    model_set(port, AER + 0x10, 1, 4);
    struct pci_dev *dev = start();
    assert_int_equal(model_get(port, AER + 0x10, 4), 1);
    assert_false(told(dev, S));
    model_set(port, AER + 0x10, 0x41, 4);
    assert_true(told(dev, 2 * S));
    assert_non_null(strstr(model.warning, ": Bad TLP:"));
    assert_int_equal(model_get(port, AER + 0x10, 4), 0x41);
    assert_false(told(dev, 100 * S));
    model_set(port, AER + 0x10, 0, 4); // firmware had its turn
    assert_false(told(dev, 101 * S));
    model_set(port, AER + 0x10, 1, 4);
    assert_true(told(dev, 200 * S));
}

// Who sent the message tells itself what it was; where it can't, the root port does.
static void test_messages(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, AER + 0x34, 0x01000100, 4);
    model_set(port, AER + 0x30, 0x1, 4);
    model_set(disk, AER + 0x10, 1, 4);
    assert_true(told(dev, S));
    assert_non_null(strstr(model.warning, "0000:01:00.0 (endpoint)"));
    model_set(port, AER + 0x30, 0x44, 4);
    assert_true(told(dev, 2 * S));
    assert_string_equal(model.warning_what, "pcie-fatal");
    assert_non_null(strstr(model.warning, "0000:00:03.0 (root port): 01:00.0 below it reports"));
    model_set(port, AER + 0x30, 0x24, 4);
    assert_true(told(dev, 100 * S));
    assert_string_equal(model.warning_what, "pcie-nonfatal");
    assert_int_equal(model_get(port, AER + 0x30, 4), 0);
    model_set(port, AER + 0x34, 0x01000108, 4); // of another one below
    model_set(port, AER + 0x30, 0x1, 4);
    assert_true(told(dev, 200 * S));
    assert_string_equal(model.warning_what, "pcie-correctable");
}

static void test_who_is_not_there_tells_nothing(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(disk, AER + 4, UINT32_MAX, 4);
    model_set(disk, AER + 0x10, UINT32_MAX, 4);
    model_set(port, DPC + 8, 0xffff, 2);
    assert_false(told(dev, S));
}

// The link is let up once it is down and the port at rest.
static void test_dpc(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, EXPRESS + 0x12, 0x2000, 2);
    model_set(port, DPC + 0xa, 0x0100, 2);
    model_set(port, DPC + 8, 0x15, 2);
    assert_true(told(dev, S));
    assert_string_equal(model.warning_what, "pcie-dpc");
    assert_non_null(strstr(model.warning, "ERR_FATAL from 01:00.0: it is let up again"));
    assert_int_equal(model_get(port, DPC + 8, 2), 0x15);
    model_set(port, DPC + 8, 0x05, 2);
    assert_false(told(dev, 2 * S)); // its link is still up
    assert_int_equal(model_get(port, DPC + 8, 2), 0x05);
    model_set(port, EXPRESS + 0x12, 0, 2);
    model_set(port, DPC + 8, 0x15, 2);
    assert_false(told(dev, 3 * S)); // it is busy
    assert_int_equal(model_get(port, DPC + 8, 2), 0x15);
    model_set(port, DPC + 8, 0x05, 2);
    assert_false(told(dev, 4 * S));
    assert_int_equal(model_get(port, DPC + 8, 2), 0x04);
    assert_false(told(dev, 5 * S));
    model_set(port, DPC + 8, 0x05, 2);
    assert_true(told(dev, 6 * S)); // again
}

static void test_dpc_of_a_root_ports_own_request(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, DPC + 0xc, 1u << 18, 4);
    model_set(port, DPC + 0x20, 1, 4);
    model_set(port, DPC + 0x28, 0xfe00001c, 4);
    model_set(port, DPC + 8, 0x07, 2);
    assert_true(told(dev, S));
    assert_non_null(strstr(model.warning, "Mem CTO: memory read by 00:00.0 at 0xfe00001c"));
    assert_int_equal(model_get(port, DPC + 0xc, 4), 0);
}

static void test_dpc_that_is_firmwares(void **state)
{
    static const uint16_t controls[] = { 0x10, 0x100 };
    for (unsigned i = 0; i < 3; i++) {
        build();
        if (i < 2)
            model_set(port, DPC + 6, controls[i], 2);
        else
            model_set(port, EXPRESS + 0x1c, 1, 2);
        struct pci_dev *dev = start();
        model_set(port, DPC + 8, 0x01, 2);
        assert_true(told(dev, S));
        assert_non_null(strstr(model.warning, "firmware is to let it up again"));
        assert_int_equal(model_get(port, DPC + 8, 2), 0x01);
    }
}

// Capabilities that reach out of configuration space aren't there; so is one without any.
static void test_who_has_none(void **state)
{
    struct problem p;
    build();
    model_set(port, AER, 0, 4);
    model_set(disk, AER, 0xffc00002, 4);
    model_set(disk, 0xffc, 0x0001, 4);
    assert_true(pci_init(&p));
    assert_false(pci_errors_start(dev_at(0, 0x100)));
    pci_errors_look(dev_at(0, 0x100), S);
    assert_int_equal(model.warnings, 0);
}

// ---- of functions that a domain has ----

static void test_a_domains_are_told_as_its(void **state)
{
    build();
    struct pci_dev *dev = start();
    pci_give(dev, "a", S);
    model_set(disk, AER + 4, 1u << 20, 4);
    assert_true(told(dev, 2 * S));
    assert_string_equal(model.warning_what, "domain-pcie");
    assert_non_null(strstr(model.warning, "domain a: 0000:01:00.0 (endpoint): error: Unsupported"));
    model_set(disk, AER + 4, 1u << 20, 4); // once
    assert_false(told(dev, 3 * S));
    model_set(port, AER + 0x10, 1, 4); // there is nothing else behind its link
    assert_true(told(dev, 4 * S));
    assert_string_equal(model.warning_what, "domain-pcie");
    model_set(port, DPC + 8, 0x05, 2);
    assert_true(told(dev, 5 * S));
    assert_string_equal(model.warning_what, "domain-pcie");
    pci_give(dev, NULL, 6 * S);
    model_set(disk, AER + 4, 1u << 20, 4); // the next owner's is told all the same
    assert_true(told(dev, 7 * S));
    assert_string_equal(model.warning_what, "pcie-nonfatal");
    assert_non_null(strstr(model.warning, "0000:01:00.0 (endpoint)"));
    assert_null(strstr(model.warning, "before"));
}

// What an owner leaves is told as its own, and cleared before the next one has it.
static void test_what_is_left_is_the_last_owners(void **state)
{
    build();
    struct pci_dev *dev = start();
    model_set(port, AER + 4, 1u << 14, 4);
    pci_give(dev, "a", S);
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "pcie-nonfatal");
    model_set(disk, AER + 0x10, 1, 4);
    pci_give(dev, NULL, 2 * S);
    assert_int_equal(model.warnings, 2);
    assert_string_equal(model.warning_what, "domain-pcie");
    assert_int_equal(model_get(port, AER + 4, 4) | model_get(disk, AER + 0x10, 4), 0);
    assert_false(told(dev, 3 * S));
}

static struct model_fn *add_function(unsigned function)
{
    model_set(disk, 0x0e, 0x80, 1);
    return model_add(0, (uint16_t)PCI_BDF(1, 0, function), 0x010802);
}

// A disk of the kernel's is behind the same port.
static void test_behind_a_port_with_others(void **state)
{
    build();
    add_function(1);
    struct pci_dev *dev = start(), *kernels = dev_at(0, 0x101);
    pci_give(dev, "a", S);
    model_set(port, AER + 4, 1u << 14, 4); // anybody's
    assert_true(told(kernels, S));
    assert_string_equal(model.warning_what, "pcie-nonfatal");
    model_set(port, AER + 4, 1u << 20, 4);
    model_set(port, AER + 0x18, 20, 4);
    model_set(port, AER + 0x1c, 0x40000001, 4);
    model_set(port, AER + 0x20, 0x0100000f, 4); // by 01:00.0
    assert_true(told(kernels, 2 * S));
    assert_string_equal(model.warning_what, "domain-pcie");
    model_set(port, AER + 0x20, 0x0101000f, 4); // by 01:00.1
    model_set(port, AER + 4, 1u << 20, 4);
    assert_true(told(kernels, 63 * S));
    assert_string_equal(model.warning_what, "pcie-nonfatal");
    model_set(port, AER + 0x34, 0x01000000, 4);
    model_set(port, AER + 0x30, 0x24, 4);
    assert_true(told(kernels, 64 * S));
    assert_string_equal(model.warning_what, "domain-pcie");
    model_set(port, DPC + 0xa, 0x0101, 2);
    model_set(port, DPC + 8, 0x05, 2);
    assert_true(told(kernels, 65 * S));
    assert_string_equal(model.warning_what, "pcie-dpc");
    for (unsigned i = 0; i < 2; i++) { // no domain has all of it
        pci_give(i ? dev : kernels, i ? NULL : "b", 66 * S);
        model_set(port, AER + 0x10, 1, 4);
        assert_true(told(dev, 67 * S));
        assert_string_equal(model.warning_what, "pcie-correctable");
    }
}

#define REPORTING 0x2810 // packets, and the like

static void set_reports(struct model_fn *f)
{
    model_writable(f, EXPRESS + 8, 0x7fff, 2);
    model_set(f, EXPRESS + 8, REPORTING | 0xd, 2);
    model_set(f, 0x04, 0x0106, 2);
}

static void reports(const struct model_fn *f, uint16_t control, uint16_t command)
{
    assert_int_equal(model_get(f, EXPRESS + 8, 2), REPORTING | control);
    assert_int_equal(model_get(f, 0x04, 2), command);
}

// As firmware had set it, before and after.
static void test_it_sends_no_messages(void **state)
{
    build();
    set_reports(disk);
    struct pci_dev *dev = start();
    reports(disk, 0xd, 0x0106);
    pci_give(dev, "a", S);
    reports(disk, 0, 0x0006);
    pci_give(dev, "a", S);
    pci_give(dev, NULL, S);
    reports(disk, 0xd, 0x0106);
    model_set(disk, 0x04, 0xffff, 2); // it isn't there
    pci_give(dev, "a", S);
    model_set(disk, 0x04, 0x0006, 2);
    pci_give(dev, NULL, S);
    reports(disk, 0xd, 0x0006);
}

// Virtual functions have no such bits of their own: their physical one is muted while a domain has any.
static void test_virtual_functions_send_none(void **state)
{
    build();
    set_reports(disk);
    struct model_fn *virtual[2];
    for (unsigned i = 0; i < 2; i++)
        virtual[i] = add_function(1 + i);
    struct pci_dev *physical = start(), *first = dev_at(0, 0x101), *second = dev_at(0, 0x102);
    first->physical = second->physical = physical;
    model.before_write = NULL;
    pci_give(first, "a", S);
    pci_give(second, "b", S);
    reports(disk, 0, 0x0006);
    pci_give(first, NULL, S);
    reports(disk, 0, 0x0006);
    pci_give(second, NULL, S);
    reports(disk, 0xd, 0x0106);
    assert_int_equal(model_get(virtual[0], 0x04, 2) & model_get(virtual[1], 0x04, 2), 0x0007);
    // What the physical one logs of its own is its own, but where a packet tells.
    pci_give(first, "a", S);
    model_set(disk, AER + 0x10, 1, 4);
    assert_true(told(physical, S));
    assert_string_equal(model.warning_what, "pcie-correctable");
    model_set(disk, AER + 4, 1u << 18, 4);
    model_set(disk, AER + 0x18, 18, 4);
    model_set(disk, AER + 0x1c, 1, 4);
    model_set(disk, AER + 0x20, 0x01010000, 4);
    assert_true(told(physical, S));
    assert_string_equal(model.warning_what, "domain-pcie");
}

static int end_all(void **state)
{
    free_all();
    return end(state);
}

#define TEST(name) cmocka_unit_test_teardown(name, end_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_there_is_forgotten),
        TEST(test_new_ones_are_told_and_cleared),
        TEST(test_the_packet_is_told),
        TEST(test_masked_ones_are_not),
        TEST(test_how_often),
        TEST(test_firmwares_are_left_to_it),
        TEST(test_messages),
        TEST(test_who_is_not_there_tells_nothing),
        TEST(test_dpc),
        TEST(test_dpc_of_a_root_ports_own_request),
        TEST(test_dpc_that_is_firmwares),
        TEST(test_who_has_none),
        TEST(test_a_domains_are_told_as_its),
        TEST(test_what_is_left_is_the_last_owners),
        TEST(test_behind_a_port_with_others),
        TEST(test_it_sends_no_messages),
        TEST(test_virtual_functions_send_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
