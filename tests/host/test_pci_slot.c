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
    if (phys - ECAM - (1u << 15) == EXPRESS + 0x1a)
        model_set(port, EXPRESS + 0x1a, model_get(port, EXPRESS + 0x1a, 2) & ~(uint32_t)value, 2);
}

static void test_look(void **state)
{
    build(ROOT_PORT, 0x100, 0x7f);
    const struct pci_dev *s = slot();
    struct pci_slot_look look;
    model.before_write = on_write;
    model_set(port, EXPRESS + 0x1a, 0x49, 2);
    assert_true(pci_slot_look(s, &look));
    assert_true(look.pressed && look.swapped && look.present && look.link && look.power);
    assert_false(look.relinked || look.tells_link);
    assert_int_equal(model_get(port, EXPRESS + 0x1a, 2), 0x40);
    assert_true(pci_slot_look(s, &look));
    assert_false(look.pressed || look.swapped);
    model_set(port, EXPRESS + 0x1a, 0x100, 2);
    assert_true(pci_slot_look(s, &look));
    assert_true(look.relinked);
    assert_false(look.present || look.link || look.swapped);
    model_set(port, EXPRESS + 0x1a, 0xffff, 2);
    assert_false(pci_slot_look(s, &look));
}

// A link that is told of counts, whatever is present; behind an open latch nothing is; without a
// switch there is always power.
static void test_what_the_slot_has(void **state)
{
    build(ROOT_PORT, 0x100, 0x7f);
    const struct pci_dev *s = slot();
    struct pci_slot_look look;
    model_set(port, EXPRESS + 0x0c, 1u << 20, 4);
    model_set(port, EXPRESS + 0x1a, 0x40, 2);
    assert_true(pci_slot_look(s, &look));
    assert_true(look.tells_link && look.present && !look.link);
    model_set(port, EXPRESS + 0x12, 0x2000, 2);
    model_set(port, EXPRESS + 0x1a, 0x60, 2);
    model_set(port, EXPRESS + 0x18, 0x05c0, 2);
    assert_true(pci_slot_look(s, &look));
    assert_true(look.link && !look.present && !look.power);
    model_set(port, EXPRESS + 0x14, 0x79, 4);
    assert_true(pci_slot_look(s, &look));
    assert_true(look.present && look.power);
}

static void test_power(void **state)
{
    build(ROOT_PORT, 0x100, 0x7f);
    model_set(port, EXPRESS + 0x10, 0x50, 2);
    model_writable(port, EXPRESS + 0x10, 0x50, 2);
    pci_slot_power(slot(), false);
    assert_int_equal(model_get(port, EXPRESS + 0x18, 2), 0x07c0);
    assert_int_equal(model_get(port, EXPRESS + 0x10, 2), 0x50);
    pci_slot_power(slot(), true);
    assert_int_equal(model_get(port, EXPRESS + 0x18, 2), 0x01c0);
    assert_int_equal(model_get(port, EXPRESS + 0x10, 2), 0x40); // the link is let up
}

// A switch in a slot: all below it are taken out with it.
static void test_far_above(void **state)
{
    struct problem p;
    build(ROOT_PORT, 0x100, 0x7f);
    model_reset();
    model_segment(0, ECAM, 0, 3);
    port = model_bridge(0, PCI_BDF(0, 1, 0), 1, 3);
    model_express(port, ROOT_PORT);
    model_set(port, EXPRESS + 2, model_get(port, EXPRESS + 2, 2) | 0x100, 2);
    model_set(port, EXPRESS + 0x14, 0x7f, 4);
    model_express(model_bridge(0, PCI_BDF(1, 0, 0), 2, 3), UPSTREAM);
    model_express(model_bridge(0, PCI_BDF(2, 0, 0), 3, 3), 6);
    model_add(0, PCI_BDF(3, 0, 0), 0x010802);
    assert_true(pci_init(&p));
    assert_ptr_equal(pci_slot_of(dev_at(0, 0x300)), dev_at(0, PCI_BDF(0, 1, 0)));
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_can_be_taken_out),
        TEST(test_look),
        TEST(test_what_the_slot_has),
        TEST(test_power),
        TEST(test_far_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
