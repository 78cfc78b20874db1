// SPDX-License-Identifier: BSD-2-Clause
// One PCI function's configuration space: BARs of each kind, capabilities, command register,
// mapping.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

static struct model_fn *fn; // 00:04.0

static int start(void **state)
{
    fn = one_function();
    return 0;
}

static struct pci_dev *scan(void)
{
    struct problem p;
    assert_true(pci_init(&p));
    pci_size_bars(pci_get(0));
    return pci_get(0);
}

static void expect_bar(const struct pci_dev *d, unsigned slot, uint64_t base, uint64_t bytes,
                       bool io, bool wide)
{
    assert_int_equal(d->bars[slot].base, base);
    assert_int_equal(d->bars[slot].bytes, bytes);
    assert_int_equal(d->bars[slot].io, io);
    assert_int_equal(d->bars[slot].wide, wide);
}

// ---- BARs ----

static void test_bars(void **state)
{
    model_bar64(fn, 0, 0x123400000000, 0x4000);      // above 4 GiB
    model_bar64(fn, 2, 0x380000000000, 0x400000000); // and larger
    model_bar(fn, 4, 0xe0000000, 0xfffff000);
    model_bar(fn, 5, 0xc001, 0x0000ffe0); // a port BAR with 16 bits of address
    struct model_fn before = *fn;
    struct pci_dev *d = scan();
    expect_bar(d, 0, 0x123400000000, 0x4000, false, true);
    expect_bar(d, 1, 0, 0, false, false);
    expect_bar(d, 2, 0x380000000000, 0x400000000, false, true);
    expect_bar(d, 4, 0xe0000000, 0x1000, false, false);
    expect_bar(d, 5, 0xc000, 32, true, false);
    assert_memory_equal(before.space, fn->space, sizeof(before.space)); // all as it was
    assert_int_equal(model.warnings, 0);
}

static void test_bars_unassigned(void **state)
{
    model_bar64(fn, 0, 0, 0x4000);
    model_bar(fn, 2, 0, 0xfff00000);
    model_bar(fn, 3, 1, 0xfffffffc);
    struct pci_dev *d = scan();
    expect_bar(d, 0, 0, 0x4000, false, true);
    expect_bar(d, 2, 0, 0x100000, false, false);
    expect_bar(d, 3, 0, 4, true, false);
    expect_bar(d, 4, 0, 0, false, false);
}

static void test_bar_of_4_gib(void **state)
{
    model_bar64(fn, 4, 0x500000000, 0x100000000);
    expect_bar(scan(), 4, 0x500000000, 0x100000000, false, true);
}

static void test_bars_odd(void **state)
{
    model_bar(fn, 0, 0xe0000002, 0xfffff000); // below 1 MiB, of old
    model_bar(fn, 1, 0xe0000006, 0xfffff000); // reserved
    model_bar(fn, 5, 0xe000000c, 0xfffff000); // 64 bits, with no room for the upper half
    struct model_fn before = *fn;
    struct pci_dev *d = scan();
    for (unsigned i = 0; i < 6; i++)
        expect_bar(d, i, 0, 0, false, false);
    assert_memory_equal(before.space, fn->space, sizeof(before.space));
    assert_int_equal(model.warnings, 3);
}

static void test_bridge_bars(void **state)
{
    model_reset();
    model_segment(0, 0xb0000000, 0, 1);
    fn = model_bridge(0, PCI_BDF(0, 4, 0), 1, 1);
    model_bar(fn, 0, 0xe0000000, 0xffffc000);
    model_set(fn, 0x1c, 0xf000, 2); // a window that looks like a BAR
    struct model_fn before = *fn;
    struct pci_dev *d = scan();
    expect_bar(d, 0, 0xe0000000, 0x4000, false, false);
    for (unsigned i = 1; i < 6; i++)
        expect_bar(d, i, 0, 0, false, false);
    assert_memory_equal(before.space, fn->space, sizeof(before.space));
    fn->space[0x13] = fn->space[0x11] = 0;
    model_bar(fn, 1, 0xe000000c, 0xfffff000); // 64 bits: the upper half would be the bus numbers
    scan();
    assert_int_equal(model.warnings, 1);
    assert_int_equal(model_get(fn, 0x18, 4), 0x00010100 & 0xffffff);
}

static void forbid_writes(uint64_t phys, uint64_t value, unsigned bytes)
{
    model_refuse("write", phys);
}

static void test_host_bridge_untouched(void **state)
{
    model_set(fn, 0x08, 0x06000000, 4);
    model_bar(fn, 0, 0xe0000000, 0xffffc000);
    model.before_write = forbid_writes;
    expect_bar(scan(), 0, 0, 0, false, false);
}

// ---- capabilities ----

static void test_capabilities(void **state)
{
    model_cap(fn, 0xfc, 0x09);
    model_cap(fn, 0x50, 0x11);
    model_cap(fn, 0x60, 0x05);
    model_set(fn, 0x34, 0x63, 1); // the lowest two bits say nothing
    model_set(fn, 0x51, 0xfe, 1);
    model_set(fn, 0x52, 63, 2);
    struct pci_dev *d = scan();
    assert_int_equal(pci_find_cap(d, 0x05), 0x60);
    assert_int_equal(pci_find_cap(d, 0x11), 0x50);
    assert_int_equal(pci_find_cap(d, 0x09), 0xfc);
    assert_int_equal(pci_find_cap(d, 0x01), 0);
    assert_int_equal(d->msix.cap, 0x50);
    assert_int_equal(d->msix.vectors, 64);
    model_set(fn, 0x06, 0, 2); // no list
    assert_int_equal(pci_find_cap(d, 0x05), 0);
}

static void test_capability_loops(void **state)
{
    model_cap(fn, 0x50, 0x09);
    model_cap(fn, 0x60, 0x05);
    model_set(fn, 0x51, 0x60, 1);
    struct pci_dev *d = scan();
    unsigned before = fn->reads;
    assert_int_equal(pci_find_cap(d, 0x11), 0);
    assert_in_range(fn->reads - before, 48, 50);
    assert_int_equal(pci_find_cap(d, 0x09), 0x50);
    model_set(fn, 0x51, 0x50, 1); // to itself
    assert_int_equal(pci_find_cap(d, 0x11), 0);
    model_set(fn, 0x51, 0x3c, 1); // into the header, where 0x11 is something else
    model_set(fn, 0x3c, 0x11, 1);
    assert_int_equal(pci_find_cap(d, 0x11), 0);
}

// As many as fit, the last one included.
static void test_capability_longest(void **state)
{
    for (unsigned at = 0x40; at < 0x100; at += 4)
        model_cap(fn, (uint8_t)at, at == 0x40 ? 0x09 : 0x01);
    assert_int_equal(pci_find_cap(scan(), 0x09), 0x40);
}

static void test_msix_too_high(void **state)
{
    model_msix(fn, 0xf4, 8, 0, 0);
    assert_int_equal(scan()->msix.cap, 0xf4);
    model_set(fn, 0x34, 0, 1);
    model_msix(fn, 0xf8, 8, 0, 0); // would reach into the extended space
    assert_int_equal(scan()->msix.cap, 0);
}

// ---- what drivers do ----

static void test_enable(void **state)
{
    struct problem p;
    model_set(fn, 0x04, 0x0140, 2);
    struct pci_dev *d = scan();
    assert_true(pci_enable(d, &p));
    assert_int_equal(model_get(fn, 0x04, 2), 0x0146);
    pci_stop_bus_master(d);
    assert_int_equal(model_get(fn, 0x04, 2), 0x0142);
    model_set(fn, 0x06, 0xf910, 2);
    assert_true(pci_enable(d, &p));
    pci_stop_bus_master(d);
    assert_int_equal(model_get(fn, 0x06, 2), 0xf910); // a write of what was read would clear them
}

static void test_accessors(void **state)
{
    struct pci_dev *d = scan();
    model_set(fn, 0xffc, 0x44332211, 4);
    model_writable(fn, 0xff0, 0xffffffff, 4);
    assert_int_equal(pci_read8(d, 0xfff), 0x44);
    assert_int_equal(pci_read16(d, 0xffe), 0x4433);
    assert_int_equal(pci_read32(d, 0xffc), 0x44332211);
    pci_write32(d, 0xff0, 0x12345678);
    pci_write16(d, 0xff2, 0xabcd);
    assert_int_equal(model_get(fn, 0xff0, 4), 0xabcd5678);
}

static uint64_t mapped(unsigned bar, size_t least)
{
    struct problem p;
    volatile void *window;
    size_t before = model.mapped_count;
    if (!pci_map_bar(pci_get(0), bar, least, &window, &p)) {
        assert_int_equal(model.mapped_count, before);
        assert_true(!strcmp(p.what, "pci-bar") || !strcmp(p.what, "pci-bar-small"));
        assert_non_null(strstr(p.message, "0000:00:04.0"));
        return 0;
    }
    assert_int_equal((uint64_t)window - MODEL_VIRT, pci_get(0)->bars[bar].base);
    return model.mapped[model.mapped_count - 1].bytes;
}

static void test_map_bar(void **state)
{
    model_bar64(fn, 0, 0x4000000000, 0x4000);
    model_bar64(fn, 2, 0x8000000000, 0x4000000000);
    model_bar(fn, 4, 0xc001, 0xffe0);
    model_bar(fn, 5, 0, 0xfffff000);
    scan();
    assert_int_equal(mapped(0, 0x1000), 0x4000);
    assert_int_equal(mapped(0, 0x4000), 0x4000);
    assert_int_equal(mapped(0, 0x4001), 0);
    assert_int_equal(mapped(2, 0x1000), PCI_MAP_BYTES_MAX);
    assert_int_equal(mapped(2, 0x10000000), 0x10000000);
    assert_int_equal(mapped(1, 0x1000), 0); // an upper half
    assert_int_equal(mapped(4, 4), 0);      // ports
    assert_int_equal(mapped(5, 4), 0);      // unassigned
    assert_int_equal(mapped(6, 4), 0);
    assert_int_equal(mapped(~0u, 4), 0);
}

// A function has six BARs: what lies behind them isn't one, whatever it looks like.
static void test_map_no_bar(void **state)
{
    struct problem p;
    volatile void *window;
    const struct pci_bar seventh = { .base = 0xe0000001, .bytes = 0x1000 };
    struct pci_dev d = *scan();
    uint8_t *behind = (uint8_t *)&d + offsetof(struct pci_dev, bars) + sizeof(d.bars);
    memcpy(behind, &seventh, sizeof(seventh));
    assert_true(d.bars_sized);
    assert_false(pci_map_bar_part(&d, ARRAY_SIZE(d.bars), 0, 4, &window, &p));
}

static void test_map_bar_too_high(void **state)
{
    model_bar64(fn, 0, 0xffffffffff000, 0x1000); // the last page there can be
    model_bar64(fn, 2, 0x10000000000000, 0x1000);
    model_bar64(fn, 4, 0xfffffffffffff000, 0x1000);
    scan();
    assert_int_equal(mapped(0, 0x1000), 0x1000);
    assert_int_equal(mapped(2, 0x1000), 0);
    assert_int_equal(mapped(4, 0x1000), 0);
}

static void test_map_bar_part(void **state)
{
    struct problem p;
    volatile void *window;
    model_bar(fn, 0, 0xe0000000, 0xffffc000);
    struct pci_dev *d = scan();
    assert_true(pci_map_bar_part(d, 0, 0x3ff0, 0x10, &window, &p));
    assert_int_equal((uint64_t)window - MODEL_VIRT, 0xe0003ff0);
    assert_int_equal(model.mapped[model.mapped_count - 1].bytes, 0x10);
    assert_false(pci_map_bar_part(d, 0, 0x3ff0, 0x11, &window, &p));
    assert_string_equal(p.what, "pci-bar-small");
    assert_false(pci_map_bar_part(d, 0, 0x4001, 0x10, &window, &p));
    assert_false(pci_map_bar_part(d, 0, ~0ull, 0x10, &window, &p));
}

// Whoever answers in a BAR of ours would take what the driver writes; what doesn't decode answers nothing.
static void test_map_bar_shared(void **state)
{
    struct problem p;
    volatile void *window;
    struct model_fn *other = model_add(0, PCI_BDF(0, 5, 0), 0x010802);
    model_bar64(fn, 0, 0xe0000000, 0x4000);
    model_bar64(other, 2, 0xe0003000, 0x1000);
    model_set(other, 4, 0, 2);
    scan();
    assert_int_equal(mapped(0, 0x1000), 0x4000); // it doesn't decode
    model_set(other, 4, 2, 2);
    assert_false(pci_map_bar(pci_get(0), 0, 0x1000, &window, &p));
    assert_string_equal(p.what, "pci-bar-shared");
    assert_non_null(strstr(
        p.message, "0000:00:04.0: BAR 0 (memory at 0xe0000000) overlaps one of 0000:00:05.0"));
}

static void test_map_bar_in_ram(void **state)
{
    model_bar(fn, 0, 0xe0000000, 0xffffc000);
    scan();
    model.ram = 0xe0003fff;
    assert_int_equal(mapped(0, 0x1000), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bars),          TEST(test_bars_unassigned),  TEST(test_bar_of_4_gib),
        TEST(test_bars_odd),      TEST(test_bridge_bars),      TEST(test_host_bridge_untouched),
        TEST(test_capabilities),  TEST(test_capability_loops), TEST(test_capability_longest),
        TEST(test_msix_too_high), TEST(test_enable),           TEST(test_accessors),
        TEST(test_map_bar),       TEST(test_map_no_bar),       TEST(test_map_bar_too_high),
        TEST(test_map_bar_part),  TEST(test_map_bar_shared),   TEST(test_map_bar_in_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
