// SPDX-License-Identifier: BSD-2-Clause
// Functions that come and go while the machine runs: found where another was, given addresses out of
// their port's windows, refused where that can't be.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define EXPRESS 0x40
#define ROOT_PORT 4

static struct model_fn *port;
static struct pci_dev *slot;

// A port with a slot that has nothing in it, and a window of 2 MiB at d0000000.
static void build(void)
{
    struct problem p;
    model_reset();
    model_segment(0, ECAM, 0, 1);
    port = model_bridge(0, PCI_BDF(0, 1, 0), 1, 1);
    model_express(port, ROOT_PORT);
    model_set(port, EXPRESS + 2, model_get(port, EXPRESS + 2, 2) | 0x100, 2);
    model_set(port, EXPRESS + 8, 0x20, 2); // packets of 256 bytes
    model_set(port, EXPRESS + 0x14, 0x40, 4);
    model_set(port, 0x20, 0xd010d000, 4);
    model_set(port, 0x24, 0x0001fff1, 4);
    assert_true(pci_init(&p));
    slot = dev_at(0, PCI_BDF(0, 1, 0));
    slot->node = 1;
    assert_int_equal(dev_count(), 1);
    assert_false(pci_slot_answers(slot));
}

static struct model_fn *put(unsigned fn, uint64_t bytes)
{
    struct model_fn *f = model_add(0, PCI_BDF(1, 0, fn), 0x010802);
    model_set(f, 4, 0, 2);
    model_express(f, 0);
    model_set(f, EXPRESS + 4, 2, 4); // up to 512
    model_writable(f, EXPRESS + 8, 0xff, 2);
    model_bar64(f, 0, 0, bytes);
    return f;
}

static void take_out(void)
{
    while (model.fns_count > 1)
        free(model.fns[--model.fns_count]);
}

static void scan(void)
{
    struct problem p;
    assert_true(pci_slot_answers(slot));
    if (!pci_slot_scan(slot, &p))
        fail_msg("%s", p.message);
}

static void refuses(const char *what, const char *words)
{
    struct problem p;
    assert_false(pci_slot_scan(slot, &p));
    assert_string_equal(p.what, what);
    if (!strstr(p.message, words))
        fail_msg("%s", p.message);
}

static void test_a_disk_is_put_in(void **state)
{
    build();
    struct model_fn *f = put(0, 0x4000);
    scan();
    struct pci_dev *dev = dev_at(0, 0x100);
    assert_non_null(dev);
    assert_int_equal(dev->bars[0].base, 0xd0000000);
    assert_int_equal(model_get(f, 0x10, 4), 0xd000000c);
    assert_int_equal(dev->node, 1);
    assert_ptr_equal(dev->parent, slot);
    assert_int_equal(model_get(f, EXPRESS + 8, 2), 0x20); // as its port
    assert_int_equal(model_get(f, 4, 2), 0);              // nothing decodes yet
}

// One after the other in the same place: each is its own, and there is only ever one.
static void test_another_in_its_place(void **state)
{
    struct pci_dev *dev = NULL;
    build();
    for (unsigned i = 0; i < 5; i++) {
        model_set(put(0, 0x4000u << i), 0, 0x12340000u + (i << 16) + 0x1af4, 4);
        scan();
        assert_true(!dev || dev == dev_at(0, 0x100));
        dev = dev_at(0, 0x100);
        assert_false(dev->removed);
        assert_int_equal(dev->device, 0x1234 + i);
        assert_int_equal(dev->bars[0].bytes, 0x4000 << i);
        assert_int_equal(dev_count(), 2);
        take_out();
        assert_false(pci_slot_answers(slot));
    }
}

static void test_nothing_is_there_any_more(void **state)
{
    build();
    put(0, 0x4000);
    scan();
    take_out();
    struct problem p;
    assert_true(pci_slot_scan(slot, &p));
    assert_true(dev_at(0, 0x100)->removed);
}

// Several functions, and the largest BAR first, so that it fits.
static void test_all_functions_find_room(void **state)
{
    build();
    model_set(put(0, 0x4000), 0x0e, 0x80, 1);
    put(1, 0x100000);
    put(7, 0x80000);
    model_bar(put(3, 0x2000), 2, 0, 0xfffff000);
    scan();
    assert_int_equal(dev_at(0, 0x101)->bars[0].base, 0xd0000000);
    assert_int_equal(dev_at(0, 0x107)->bars[0].base, 0xd0100000);
    assert_int_equal(dev_at(0, 0x100)->bars[0].base, 0xd0180000);
    assert_int_equal(dev_at(0, 0x103)->bars[0].base, 0xd0184000);
    assert_int_equal(dev_at(0, 0x103)->bars[2].base, 0xd0186000);
}

// Only what is prefetchable and has 64 bits may lie in that window.
static void test_prefetchable(void **state)
{
    build();
    model_set(port, 0x24, 0x00010001, 4);
    model_set(port, 0x28, 0x40, 4);
    model_set(port, 0x2c, 0x40, 4);
    struct model_fn *f = put(0, 0x4000);
    model_set(f, 0x10, 0xc, 4);
    model_bar(f, 2, 8, 0xfffff000);
    scan();
    assert_int_equal(dev_at(0, 0x100)->bars[0].base, 0x4000000000);
    assert_int_equal(model_get(f, 0x14, 4), 0x40);
    assert_int_equal(dev_at(0, 0x100)->bars[2].base, 0xd0000000);
}

static void test_there_is_no_room(void **state)
{
    build();
    struct model_fn *f = put(0, 0x400000);
    refuses("pci-no-room", "BAR 0 takes 0x400000 bytes, and firmware left its slot's port "
                           "0000:00:01.0 0x200000");
    assert_int_equal(model_get(f, 4, 2), 0);
    take_out();
    model_set(port, 0x20, 0x0000fff0, 4); // no window at all
    put(0, 0x4000);
    refuses("pci-no-room", "0000:00:01.0 0x0:");
    take_out();
    model_set(port, 0x20, 0x00000000, 4); // as after a reset: it is off
    put(0, 0x4000);
    refuses("pci-no-room", "0000:00:01.0 0x0:");
}

static void test_no_buses(void **state)
{
    build();
    slot->secondary = 0;
    refuses("pci-no-bus", "restart the machine");
}

static void test_a_bridge_without_numbers(void **state)
{
    build();
    model_express(model_bridge(0, 0x100, 0, 0), 5);
    scan();
    assert_string_equal(model.warning_what, "pci-bridge");
}

// BARs that say nonsense: of any size, of no kind, or fixed.
static void test_nonsense(void **state)
{
    build();
    struct model_fn *f = put(0, 0x4000);
    model_bar(f, 2, 0, 0x80000000);
    refuses("pci-no-room", "BAR 2 takes 0x80000000");
    take_out();
    f = put(0, 0x4000);
    model_bar64(f, 2, 0, 1ull << 63);
    refuses("pci-no-room", "BAR 2 takes 0x8000000000000000");
    take_out();
    f = put(0, 0x4000);
    model_bar(f, 2, 0xfee00000, 0);
    refuses("pci-bar-stuck", "BAR 2 stays at 0xfee00000");
    take_out();
    f = put(0, 0x4000);
    model_set(f, EXPRESS + 4, 0, 4);
    refuses("pci-payload", "takes packets of 128 bytes at most, and 0000:00:01.0, its slot's port, "
                           "is set to 256");
    take_out();
    f = put(0, 0x4000);
    memset(f->space + 8, 0xff, sizeof(f->space) - 8); // all ones past its id
    struct problem p;
    assert_true(pci_slot_scan(slot, &p));
    assert_string_equal(model.warning_what, "pci-unreadable");
    assert_null(dev_at(0, 0x100));
}

// It vanishes in the middle, at any access.
static unsigned accesses_left;

static void vanish(uint64_t phys, bool write)
{
    if (model.fns_count > 1 && !accesses_left--)
        take_out();
}

static void test_it_vanishes(void **state)
{
    for (unsigned i = 0; i < 200; i++) {
        struct problem p;
        build();
        put(0, 0x4000);
        accesses_left = i;
        model.after_access = vanish;
        pci_slot_scan(slot, &p);
        model.after_access = NULL;
        take_out();
        put(0, 0x4000);
        scan();
        assert_int_equal(dev_at(0, 0x100)->bars[0].base, 0xd0000000);
        assert_int_equal(dev_count(), 2);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_disk_is_put_in),
        TEST(test_another_in_its_place),
        TEST(test_nothing_is_there_any_more),
        TEST(test_all_functions_find_room),
        TEST(test_prefetchable),
        TEST(test_there_is_no_room),
        TEST(test_no_buses),
        TEST(test_a_bridge_without_numbers),
        TEST(test_nonsense),
        TEST(test_it_vanishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
