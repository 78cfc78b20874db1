// SPDX-License-Identifier: BSD-2-Clause
// Slots: which functions can be taken out, who asks for it, and the power that goes off first.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define EXPRESS 0x40
#define ROOT_PORT 4
#define UPSTREAM 5

static struct model_fn *port;

static void build(unsigned port_type, uint16_t flags, uint32_t slot)
{
    model_reset();
    model_segment(0, ECAM, 0, 1);
    port = model_bridge(0, PCI_BDF(0, 1, 0), 1, 1);
    model_express(port, port_type);
    model_set(port, EXPRESS + 2, model_get(port, EXPRESS + 2, 2) | flags, 2);
    model_set(port, EXPRESS + 0x14, slot, 4);
    model_set(port, EXPRESS + 0x18, 0x01c0, 2); // power on, and its indicator
    model_writable(port, EXPRESS + 0x18, 0x1fff, 2);
    model_add(0, PCI_BDF(1, 0, 0), 0x010802);
}

static const struct pci_dev *slot(void)
{
    struct problem p;
    assert_true(pci_init(&p));
    return pci_slot_of(dev_at(0, 0x100));
}

static void test_who_can_be_taken_out(void **state)
{
    static const struct {
        unsigned type;
        uint16_t flags;
        uint32_t slot;
        bool can;
    } ports[] = {
        { ROOT_PORT, 0x100, 0x7f, true }, { 6, 0x100, 0x40, true },
        { ROOT_PORT, 0, 0x7f, false },    { ROOT_PORT, 0x100, 0x3f, false },
        { UPSTREAM, 0x100, 0x7f, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        build(ports[i].type, ports[i].flags, ports[i].slot);
        assert_int_equal(slot() != NULL, ports[i].can);
    }
    assert_null(pci_slot_of(dev_at(0, PCI_BDF(0, 1, 0)))); // nothing is above it
}

// A write of 1 clears the bit; the others, of the same kind, stay.
static void on_write(uint64_t phys, uint64_t value, unsigned bytes)
{
    if (phys - ECAM - (1u << 15) != EXPRESS + 0x1a)
        return;
    assert_int_equal(value, 1);
    model_set(port, EXPRESS + 0x1a, model_get(port, EXPRESS + 0x1a, 2) & ~1u, 2);
}

static void test_button(void **state)
{
    build(ROOT_PORT, 0x100, 0x7f);
    const struct pci_dev *s = slot();
    model.before_write = on_write;
    model_set(port, EXPRESS + 0x1a, 0x48, 2);
    assert_false(pci_slot_asks(s));
    model_set(port, EXPRESS + 0x1a, 0x49, 2);
    assert_true(pci_slot_asks(s));
    assert_false(pci_slot_asks(s));
    assert_int_equal(model_get(port, EXPRESS + 0x1a, 2), 0x48);
    model_set(port, EXPRESS + 0x1a, 0xffff, 2);
    assert_false(pci_slot_asks(s));
}

static void test_power(void **state)
{
    build(ROOT_PORT, 0x100, 0x7f);
    pci_slot_power_off(slot());
    assert_int_equal(model_get(port, EXPRESS + 0x18, 2), 0x07c0);
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_can_be_taken_out),
        TEST(test_button),
        TEST(test_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
