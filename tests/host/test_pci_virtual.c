// SPDX-License-Identifier: BSD-2-Clause
// Virtual functions turned on and off by the registers of the SR-IOV capability, which are written to when
// they may be; and the reset of a function.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define NVME 0x010802
#define SRIOV 0x140
#define CONTROL (SRIOV + 0x08)
#define INITIAL (SRIOV + 0x0c)
#define TOTAL (SRIOV + 0x0e)
#define NUMBER (SRIOV + 0x10)
#define OFFSET (SRIOV + 0x14)
#define STRIDE (SRIOV + 0x16)
#define PAGE_SIZE (SRIOV + 0x20)
#define BAR (SRIOV + 0x24)
#define EXPRESS 0x40
#define PHYSICAL 0x100
#define VFS 2

static struct model_fn *port, *pf;
static unsigned come;   // of those that are turned on
static bool turned_off; // from then on nobody may look
static unsigned resets;

static void appear(void)
{
    for (unsigned i = 0; i < come; i++) {
        uint16_t bdf =
            (uint16_t)(PHYSICAL + model_get(pf, OFFSET, 2) + i * model_get(pf, STRIDE, 2));
        struct model_fn *f = model_add(0, bdf, NVME);
        model_set(f, 0x00, 0xffffffff, 4);
        model_set(f, 0x04, 0, 2);
        model_writable(f, 0x04, 4, 2);
        model_express(f, 0);
    }
}

// What a reset takes.
static void reset(void)
{
    resets++;
    model_set(pf, 0x04, 0, 2);
    model_set(pf, 0x10, 0xc, 4);
    model_set(pf, 0x14, 0, 4);
    model_set(pf, EXPRESS + 8, 0, 2);
    model_set(pf, BAR, 0xc, 4);
    model_set(pf, BAR + 4, 0, 4);
}

static void watch(uint64_t phys, uint64_t value, unsigned bytes)
{
    uint64_t at = phys - ECAM - 0x100000;
    if (at >= MODEL_SPACE)
        return;
    if (at == EXPRESS + 8 && value & 0x8000)
        reset();
    if (at < SRIOV || at >= SRIOV + 0x40)
        return;
    bool on = model_get(pf, CONTROL, 2) & 1;
    if (on && at != CONTROL && at < BAR)
        model_refuse("written while virtual functions are on, register", at);
    if (at >= BAR && model_get(pf, CONTROL, 2) & 8)
        model_refuse("written while virtual functions decode, register", at);
    if (on && at == CONTROL && (value ^ model_get(pf, CONTROL, 2)) & 0x10)
        model_refuse("ARI changed while they are on", at);
    if (at == CONTROL && bytes != 2)
        model_refuse("written along with others, register", at);
    if (at == CONTROL && !on && value & 1)
        appear();
    turned_off |= at == CONTROL && on && !(value & 1);
}

static void look(uint64_t phys, bool write)
{
    uint64_t at = phys - ECAM - 0x100000;
    if (turned_off && !write && at >= SRIOV && at < SRIOV + 0x40)
        model_refuse("read within a second of turning them off, register", at);
}

static int begin(void **state)
{
    struct problem p;
    model_reset();
    model_segment(0, ECAM, 0, 0xf);
    port = model_bridge(0, PCI_BDF(0, 1, 0), 1, 1);
    model_express(port, 4);
    model_set(port, 0x40 + 0x28, 0x20, 2); // forwards ARI
    model_set(port, 0x24, 0xfff10001, 4);  // prefetchable: 60 0000 0000h to 60 ffff ffffh
    model_set(port, 0x28, 0x60, 4);
    model_set(port, 0x2c, 0x60, 4);
    pf = model_add(0, PHYSICAL, NVME);
    model_express(pf, 0);
    model_set(pf, EXPRESS + 4, 0x10000000, 4); // it can be reset
    model_set(pf, EXPRESS + 8, 0x2810, 2);
    model_writable(pf, EXPRESS + 8, 0x7fff, 2);
    model_msix(pf, 0x70, 9, 0, 0x2000);
    model_bar64(pf, 0, 0x6010000000, 0x4000);
    model_set(pf, 0x100, 0x14010001 | 0, 4);
    model_set(pf, SRIOV, 0x00010010, 4);
    model_writable(pf, CONTROL, 0x19, 2);
    model_set(pf, INITIAL, 4, 2);
    model_set(pf, TOTAL, 4, 2);
    model_writable(pf, NUMBER, 0xffff, 2);
    model_set(pf, OFFSET, 0x80, 2);
    model_set(pf, STRIDE, 1, 2);
    model_set(pf, SRIOV + 0x1a, 0x5678, 2);
    model_set(pf, SRIOV + 0x1c, 0x553, 4);
    model_set(pf, PAGE_SIZE, 2, 4);
    model_writable(pf, PAGE_SIZE, 0x553, 4);
    model_set(pf, BAR, 0x0000000c, 4); // 16 KiB each, at 60 0000 0000h
    model_writable(pf, BAR, 0xffffc000, 4);
    model_set(pf, BAR + 4, 0x60, 4);
    model_writable(pf, BAR + 4, 0xffffffff, 4);
    assert_true(pci_init(&p));
    assert_int_equal(dev_count(), 2);
    model.before_write = watch;
    model.after_access = look;
    come = VFS;
    turned_off = false;
    resets = 0;
    return 0;
}

static struct pci_dev *dev(void)
{
    return dev_at(0, PHYSICAL);
}

static void starts(void)
{
    struct problem p;
    if (!pci_virtual_start(dev(), VFS, &p))
        fail_msg("%s", p.message);
}

static void refused(const char *says)
{
    struct problem p;
    assert_false(pci_virtual_start(dev(), VFS, &p));
    assert_string_equal(p.what, "pci-sriov");
    if (!strstr(p.message, says))
        fail_msg("\"%s\" doesn't say \"%s\"", p.message, says);
    assert_int_equal(model_get(pf, CONTROL, 2) & 9, 0);
}

static void test_on(void **state)
{
    assert_int_equal(pci_virtual_most(dev()), 4);
    dev()->node = 3;
    starts();
    assert_int_equal(model_get(pf, CONTROL, 2), 0x19);
    assert_int_equal(model_get(pf, NUMBER, 2), VFS);
    assert_int_equal(model_get(pf, PAGE_SIZE, 4), 1);
    assert_int_equal(pci_virtual_find(dev()), VFS);
    assert_int_equal(model.warnings, 0);
    for (unsigned i = 0; i < VFS; i++) {
        struct pci_dev *d = dev_at(0, (uint16_t)(0x180 + i));
        assert_int_equal(d->device, 0x5678);
        assert_int_equal(d->virtual_index, i);
        assert_int_equal(d->node, 3);
        assert_ptr_equal(d->physical, dev());
        assert_ptr_equal(d->parent, dev_at(0, PCI_BDF(0, 1, 0)));
        assert_int_equal(pci_virtual_most(d), 0);
    }
    assert_int_equal(pci_virtual_most(dev()), 0);
}

static void test_registers(void **state)
{
    struct problem p;
    volatile void *window;
    starts();
    pci_virtual_find(dev());
    assert_true(pci_map_bar(dev_at(0, 0x181), 0, 0x2000, &window, &p));
    assert_int_equal((uint64_t)window - MODEL_VIRT, 0x6000004000);
}

// Where the port doesn't forward to functions past 7, all of them have to be within those.
static void test_without_ari(void **state)
{
    model_set(port, 0x40 + 0x28, 0, 2);
    model_set(pf, CONTROL, 0x10, 2);
    model_set(pf, OFFSET, 1, 2);
    starts();
    assert_int_equal(model_get(pf, CONTROL, 2), 0x09);
    assert_int_equal(pci_virtual_find(dev()), VFS);
}

static void test_off_and_on(void **state)
{
    struct pci_dev *second;
    starts();
    pci_virtual_find(dev());
    second = dev_at(0, 0x181);
    pci_virtual_stop(dev());
    assert_int_equal(model_get(pf, CONTROL, 2) & 9, 0);
    assert_true(second->removed);
    assert_int_equal(dev()->virtual.count, 0);
    turned_off = false;
    for (unsigned i = 0; i < VFS; i++)
        free(model.fns[--model.fns_count]);
    starts();
    assert_int_equal(pci_virtual_find(dev()), VFS);
    assert_ptr_equal(dev_at(0, 0x181), second);
    assert_false(second->removed);
}

static void test_none(void **state)
{
    model_set(pf, INITIAL, 0, 2);
    assert_int_equal(pci_virtual_most(dev()), 0);
    model_set(pf, INITIAL, 3, 2);
    assert_int_equal(pci_virtual_most(dev()), 3);
    model_set(pf, TOTAL, 0, 2);
    assert_int_equal(pci_virtual_most(dev()), 0);
}

static void test_nonsense(void **state)
{
    model_writable(pf, NUMBER, 1, 2);
    refused("NumVFs reads differently");
    model_writable(pf, NUMBER, 0xffff, 2);
    model_set(pf, OFFSET, 0, 2);
    refused("First VF Offset is 0");
    model_set(pf, OFFSET, 0x80, 2);
    model_set(pf, STRIDE, 0, 2);
    refused("VF Stride is 0");
    model_set(pf, STRIDE, 1, 2);
    model_set(pf, TOTAL, 1, 2);
    refused("more than TotalVFs");
}

static void test_no_addresses(void **state)
{
    model_set(pf, BAR + 4, 0, 4);
    refused("firmware gave it no address");
    model_set(pf, BAR + 4, 0xfffff, 4);
    model_set(pf, BAR, 0xffffc00c, 4);
    refused("it reaches past all addresses");
    model_set(pf, BAR + 4, 0x61, 4);
    model_set(pf, BAR, 0xc, 4);
    refused("the bridge above doesn't forward it");
    model_set(pf, BAR + 4, 0x60, 4);
    model_set(pf, BAR, 0xffffc00c, 4); // the second one's is behind the window
    refused("the bridge above doesn't forward it");
    model_set(pf, BAR, 0xffff800c, 4);
    starts();
}

// A wide BAR in the last place has no upper half.
static void test_half_a_bar(void **state)
{
    model_set(pf, BAR + 20, 0x0000000c, 4);
    model_writable(pf, BAR + 20, 0xffffc000, 4);
    starts();
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "pci-bar-kind");
}

static void test_absent(void **state)
{
    come = 0;
    starts();
    assert_int_equal(pci_virtual_find(dev()), 0);
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "pci-unreadable");
    assert_int_equal(model_get(pf, CONTROL, 2) & 9, 0);
    assert_int_equal(dev_count(), 2);
}

static void test_some_absent(void **state)
{
    come = 1;
    starts();
    assert_int_equal(pci_virtual_find(dev()), 1);
    assert_int_equal(model.warnings, 1);
    assert_int_equal(model_get(pf, CONTROL, 2) & 9, 9);
}

static void test_past_the_buses(void **state)
{
    model_set(pf, STRIDE, 0x80, 2);
    starts();
    assert_int_equal(pci_virtual_find(dev()), 1);
    assert_string_equal(model.warning_what, "pci-sriov");
    assert_non_null(strstr(model.warning, "past the buses"));
}

// ---- reset ----

static uint64_t waited;

static void delay(uint64_t ns)
{
    waited += ns;
}

static void test_reset(void **state)
{
    struct problem p;
    waited = 0;
    model_set(pf, 0x04, 2, 2);
    model_set(pf, EXPRESS + 8, 0x2810, 2);
    assert_true(pci_reset(dev(), delay, &p));
    assert_int_equal(resets, 1);
    assert_true(waited >= 100 * NS_PER_MS);
    assert_int_equal(model_get(pf, 0x04, 2), 2);
    assert_int_equal(model_get(pf, 0x14, 4), 0x60);
    assert_int_equal(model_get(pf, EXPRESS + 8, 2), 0x2810);
    assert_int_equal(model_get(pf, BAR + 4, 4), 0x60);
    starts();
}

static void test_no_reset(void **state)
{
    struct problem p;
    model_set(pf, EXPRESS + 4, 0, 4);
    waited = 0;
    assert_true(pci_reset(dev(), delay, &p));
    assert_int_equal(resets, 0);
    assert_int_equal(waited, 0);
}

static void go(uint64_t ns)
{
    waited += ns;
    model_set(pf, 0x08, 0xffffffff, 4);
}

static void test_gone_after_reset(void **state)
{
    struct problem p;
    waited = 0;
    assert_false(pci_reset(dev(), go, &p));
    assert_non_null(strstr(p.message, "doesn't come back"));
    assert_in_range(waited, NS_PER_S, 2 * NS_PER_S);
}

#define virtual_test(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        virtual_test(test_on),
        virtual_test(test_registers),
        virtual_test(test_without_ari),
        virtual_test(test_off_and_on),
        virtual_test(test_none),
        virtual_test(test_nonsense),
        virtual_test(test_no_addresses),
        virtual_test(test_half_a_bar),
        virtual_test(test_absent),
        virtual_test(test_some_absent),
        virtual_test(test_past_the_buses),
        virtual_test(test_reset),
        virtual_test(test_no_reset),
        virtual_test(test_gone_after_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
