// SPDX-License-Identifier: BSD-2-Clause
// What the scan does with functions as real machines have them: it writes to none, refuses alone
// those that answer half-way, and finds ARI and virtual functions; bus mastering and NUMA nodes
// after it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/cpus.h"
#include "kernel/handoff.h"
#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define NVME 0x010802
#define ARI 0x100
#define SRIOV 0x140

static int start(void **state)
{
    model_reset();
    model_segment(0, ECAM, 0, 0xf);
    return 0;
}

static struct model_fn *add(unsigned bus, unsigned device, unsigned fn, uint32_t class_code)
{
    return model_add(0, PCI_BDF(bus, device, fn), class_code);
}

// A root port at 00:01.0 with buses 1 to `last`, which forwards ARI.
static struct model_fn *port(uint8_t last)
{
    struct model_fn *f = model_bridge(0, PCI_BDF(0, 1, 0), 1, last);
    model_express(f, 4);
    model_set(f, 0x40 + 0x28, 0x20, 2);
    return f;
}

static struct pci_dev *dev(unsigned bus, unsigned device, unsigned fn)
{
    return dev_at(0, PCI_BDF(bus, device, fn));
}

static void scan(void)
{
    struct problem p;
    assert_true(pci_init(&p));
}

static void scan_finds(size_t functions)
{
    scan();
    assert_int_equal(dev_count(), functions);
    assert_int_equal(model.warnings, 0);
}

static void scan_warns(size_t functions, const char *what, const char *says)
{
    scan();
    assert_int_equal(dev_count(), functions);
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, what);
    if (!strstr(model.warning, says))
        fail_msg("\"%s\" doesn't say \"%s\"", model.warning, says);
}

// ---- nothing is written to ----

static void forbid(uint64_t phys, uint64_t value, unsigned bytes)
{
    model_refuse("write", phys);
}

// Registers of a Xeon's uncore where BARs should be: one that takes all ones is changed for good.
static void test_writes_nothing(void **state)
{
    struct model_fn *f = add(0, 5, 0, 0x088000);
    model_set(f, 0x00, 0x6fa08086, 4);
    model_bar(f, 0, 0x12345678, 0xffffffff);
    port(1);
    model_express(add(1, 0, 0, NVME), 0);
    model.before_write = forbid;
    scan_finds(3);
    assert_int_equal(model_get(f, 0x10, 4), 0x12345678);
}

static void test_sizes_once(void **state)
{
    struct model_fn *f = add(0, 5, 0, NVME);
    model_bar64(f, 0, 0x4000000000, 0x4000);
    scan();
    struct pci_dev *d = pci_get(0);
    assert_int_equal(d->bars[0].bytes, 0);
    pci_size_bars(d);
    assert_int_equal(d->bars[0].bytes, 0x4000);
    model.before_write = forbid;
    pci_size_bars(d);
    assert_int_equal(d->bars[0].base, 0x4000000000);
}

// ---- functions that answer half-way ----

static void test_class_of_ones(void **state)
{
    add(0, 4, 0, NVME);
    add(0, 5, 0, 0xffffff);
    add(0, 6, 0, NVME);
    scan_warns(2, "pci-unreadable", "0000:00:05.0 (1af4:1234): its class reads ffffff");
    assert_non_null(dev(0, 6, 0));
}

static void test_header_of_zeros(void **state)
{
    struct model_fn *f = add(0, 5, 0, 0);
    model_set(f, 0x04, 0, 2);
    add(0, 6, 0, NVME);
    scan_warns(1, "pci-unreadable", "0000:00:05.0 (1af4:1234): its header reads zeros");
    assert_non_null(dev(0, 6, 0));
}

// From some offset on, all ones.
static void test_ones_from_the_status_on(void **state)
{
    struct model_fn *f = add(0, 5, 0, NVME);
    memset(f->space + 0x34, 0xff, MODEL_SPACE - 0x34);
    model_set(f, 0x06, 0x10, 2);
    scan_warns(1, "pci-caps", "it reads all ones");
    assert_int_equal(dev(0, 5, 0)->msix.cap, 0);
}

static void test_list_that_loops(void **state)
{
    struct model_fn *f = add(0, 5, 0, NVME);
    model_cap(f, 0x50, 0x05);
    model_msix(f, 0x60, 4, 0, 0);
    model_set(f, 0x51, 0x60, 1);
    scan_warns(1, "pci-caps", "0000:00:05.0 (1af4:1234): its capability list is broken: it never");
    assert_int_equal(dev(0, 5, 0)->msix.cap, 0x60); // what is before the loop serves
}

static void test_list_that_leads_outside(void **state)
{
    struct model_fn *f = add(0, 5, 0, NVME);
    model_cap(f, 0x50, 0x05);
    model_msix(f, 0x60, 4, 0, 0);
    model_set(f, 0x51, 0x10, 1);
    scan_warns(1, "pci-caps", "it leads into the header");
    assert_int_equal(dev(0, 5, 0)->msix.cap, 0x60);
}

static void test_sleeping_bridge(void **state)
{
    struct model_fn *f = port(1);
    model_cap(f, 0x80, 0x01);
    model_set(f, 0x84, 3, 2);
    scan_warns(1, "pci-bridge-asleep", "0000:00:01.0: firmware left the bridge in power state D3");
}

// ---- ARI ----

static struct model_fn *ari_function(unsigned number, unsigned next)
{
    struct model_fn *f = model_add(0, (uint16_t)(0x100 | number), NVME);
    model_express(f, 0);
    model_set(f, ARI, 0x0001000e, 4);
    model_set(f, ARI + 5, next, 1);
    return f;
}

static void test_ari(void **state)
{
    port(1);
    ari_function(0, 3);
    ari_function(3, 9);
    ari_function(9, 0xff);
    ari_function(0xff, 0);
    ari_function(0x20, 0); // named by none
    scan_finds(5);
    assert_non_null(dev(1, 0, 3));
    assert_non_null(dev(1, 1, 1));
    assert_string_equal(dev(1, 31, 7)->name, "0000:01:1f.7");
    assert_ptr_equal(dev(1, 31, 7)->parent, dev(0, 1, 0));
}

// Multi-function as of old: found once.
static void test_ari_and_multi(void **state)
{
    port(1);
    model_set(ari_function(0, 1), 0x0e, 0x80, 1);
    ari_function(1, 8);
    ari_function(8, 0);
    scan_finds(4);
}

static void test_ari_not_forwarded(void **state)
{
    model_set(port(1), 0x40 + 0x28, 0, 2);
    ari_function(0, 8);
    ari_function(8, 0);
    scan_finds(2);
    start(NULL);
    model_set(port(1), 0x42, 0x41, 2); // a first-version port has no such bit: 28h is another's
    ari_function(0, 8);
    ari_function(8, 0);
    scan_finds(2);
}

static void test_ari_that_goes_back(void **state)
{
    port(1);
    ari_function(0, 8);
    ari_function(8, 9);
    ari_function(9, 8);
    scan_warns(4, "pci-ari", "0000:01:01.1: it names function 8");
}

static void test_ari_that_leads_nowhere(void **state)
{
    port(1);
    ari_function(0, 8);
    ari_function(8, 0x40);
    scan_finds(3);
}

// ---- virtual functions ----

static struct model_fn *physical(unsigned total, unsigned count, unsigned offset, unsigned stride)
{
    struct model_fn *f = add(1, 0, 0, NVME);
    model_express(f, 0);
    model_set(f, 0x100, 0x14010001 | 0, 4); // another capability first
    model_set(f, SRIOV, 0x00010010, 4);
    model_set(f, SRIOV + 0x08, 0x9, 2); // enabled, decoding memory
    model_writable(f, SRIOV + 0x08, 0x19, 2);
    model_set(f, SRIOV + 0x0e, total, 2);
    model_set(f, SRIOV + 0x10, count, 2);
    model_set(f, SRIOV + 0x14, offset, 2);
    model_set(f, SRIOV + 0x16, stride, 2);
    model_set(f, SRIOV + 0x1a, 0x5678, 2);
    model_set(f, SRIOV + 0x24, 0x0000000c, 4); // 16 KiB each, at 60 0000 0000h
    model_writable(f, SRIOV + 0x24, 0xffffc000, 4);
    model_set(f, SRIOV + 0x28, 0x60, 4);
    model_writable(f, SRIOV + 0x28, 0xffffffff, 4);
    return f;
}

static struct model_fn *virtual(uint16_t bdf)
{
    struct model_fn *f = model_add(0, bdf, NVME);
    model_set(f, 0x00, 0xffffffff, 4);
    model_set(f, 0x04, 0, 2);
    model_writable(f, 0x04, 4, 2); // bus mastering alone
    model_express(f, 0);
    model_msix(f, 0x70, 3, 0, 0x2000);
    return f;
}

// The physical function's register of all virtual functions' memory must be off meanwhile.
static void watch_virtual(uint64_t phys, uint64_t value, unsigned bytes)
{
    uint64_t at = phys - ECAM - 0x100000;
    if (at >= SRIOV + 0x24 && at < SRIOV + 0x3c && model_get(model.fns[1], SRIOV + 8, 2) & 8)
        model_refuse("BARs of virtual functions written while they decode, register", at);
}

static void test_virtual(void **state)
{
    port(2);
    physical(4, 3, 0x80, 0x80); // 01:10.0, 02:00.0, 02:10.0
    virtual(0x180);
    virtual(0x200);
    virtual(0x280);
    scan_finds(5);
    for (unsigned i = 0; i < 3; i++) {
        const struct pci_dev *d = dev_at(0, (uint16_t)(0x180 + i * 0x80));
        assert_int_equal(d->vendor, 0x1af4);
        assert_int_equal(d->device, 0x5678);
        assert_int_equal(d->class_code, NVME);
        assert_int_equal(d->requester, 0x180 + i * 0x80);
        assert_int_equal(d->msix.vectors, 3);
        assert_ptr_equal(d->physical, dev(1, 0, 0));
        assert_ptr_equal(d->parent, dev(0, 1, 0));
    }
    for (size_t i = 1; i < 5; i++)
        assert_true(pci_get(i)->bdf > pci_get(i - 1)->bdf);
}

static void test_virtual_bars(void **state)
{
    volatile void *window;
    struct problem p;
    port(2);
    struct model_fn *pf = physical(4, 2, 0x80, 0x80);
    struct model_fn *vf = virtual(0x180);
    virtual(0x200);
    model.before_write = watch_virtual;
    scan();
    model_set(pf, 0x04, 0, 2);
    struct model_fn before = *pf;
    assert_true(pci_map_bar(dev_at(0, 0x200), 0, 0x2000, &window, &p));
    assert_int_equal((uint64_t)window - MODEL_VIRT, 0x6000004000);
    assert_true(pci_map_bar(dev_at(0, 0x180), 0, 0x2000, &window, &p));
    assert_int_equal((uint64_t)window - MODEL_VIRT, 0x6000000000);
    assert_memory_equal(pf->space, before.space, MODEL_SPACE);
    model_set(pf, SRIOV + 8, 1, 2); // memory not yet
    assert_true(pci_enable(dev_at(0, 0x180), &p));
    assert_int_equal(model_get(pf, SRIOV + 8, 2), 9);
    assert_int_equal(model_get(vf, 0x04, 2), 4);
    assert_int_equal(model_get(pf, 0x04, 2), 0); // the physical function is nobody's
}

static void test_virtual_off(void **state)
{
    port(2);
    model_set(physical(4, 2, 0x80, 0x80), SRIOV + 8, 8, 2);
    virtual(0x180);
    scan_finds(2);
}

static void test_virtual_nonsense(void **state)
{
    static const struct {
        unsigned total, count, offset, stride;
        const char *says;
    } bad[] = {
        { 4, 5, 0x80, 0x80, "0000:01:00.0: its 5 virtual functions are left out: more than Total" },
        { 4, 2, 0, 0x80, "First VF Offset is 0" },
        { 4, 2, 0x80, 0, "VF Stride is 0" },
        { 4, 4, 0x80, 0x80, "virtual function 4 and those after it are left out: its number" },
        { 0xffff, 0xffff, 0xfeff, 0xffff, "virtual function 1 and those after it are left out" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        start(NULL);
        port(2);
        physical(bad[i].total, bad[i].count, bad[i].offset, bad[i].stride);
        if (i == 3)
            for (unsigned n = 0; n < 4; n++)
                virtual((uint16_t)(0x180 + n * 0x80));
        scan_warns(i == 3 ? 5 : 2, "pci-sriov", bad[i].says);
    }
}

// One warning, however many there should be.
static void test_virtual_absent(void **state)
{
    port(2);
    physical(64, 64, 1, 1);
    virtual(0x101);
    scan_warns(3, "pci-unreadable", "0000:01:00.2 (1af4:5678)");
}

static void test_virtual_collision(void **state)
{
    port(2);
    model_set(physical(4, 2, 1, 1), 0x0e, 0x80, 1);
    add(1, 0, 2, NVME);
    virtual(0x101);
    scan_warns(4, "pci-sriov", "another function is there");
}

// ---- bus mastering ----

static void test_stop_masters(void **state)
{
    struct problem p;
    struct model_fn *host = add(0, 0, 0, 0x060000), *isa = add(0, 31, 0, 0x060100);
    struct model_fn *iommu = add(0, 3, 0, 0x080600), *display = add(0, 2, 0, 0x030000);
    struct model_fn *bridge = port(1), *nic = add(1, 0, 0, 0x020000), *off = add(0, 4, 0, NVME);
    model_set(off, 0x04, 0x0003, 2);
    scan();
    pci_stop_masters();
    assert_int_equal(model_get(host, 0x04, 2), 7);
    assert_int_equal(model_get(isa, 0x04, 2), 7);
    assert_int_equal(model_get(iommu, 0x04, 2), 7);
    assert_int_equal(model_get(display, 0x04, 2), 3); // it still shows its memory
    assert_int_equal(model_get(bridge, 0x04, 2), 3);
    assert_int_equal(model_get(nic, 0x04, 2), 3);
    assert_int_equal(model_get(off, 0x04, 2), 3);
    assert_true(pci_enable(dev(1, 0, 0), &p));
    assert_int_equal(model_get(bridge, 0x04, 2), 7);
    assert_int_equal(model_get(nic, 0x04, 2), 7);
}

// Only the function that the loader names, on its own segment.
static void test_left_masters(void **state)
{
    const struct handoff_master left[] = { { 1, PCI_BDF(0, 4, 0) }, { 0, PCI_BDF(0, 5, 0) } };
    add(0, 4, 0, NVME);
    add(0, 5, 0, NVME);
    scan();
    pci_mark_left_masters(left, 2);
    assert_false(dev(0, 4, 0)->left_master);
    assert_true(dev(0, 5, 0)->left_master);
}

static struct model_fn *watched[2]; // a bridge, and what is behind it

static void watch_order(uint64_t phys, uint64_t value, unsigned bytes)
{
    if ((phys & 0xfff) == 4 && phys - ECAM < 0x100000 && model_get(watched[1], 4, 2) & 4)
        model_refuse("bridge stopped before what is behind it", phys);
}

static void test_stop_masters_in_order(void **state)
{
    watched[0] = port(1);
    watched[1] = add(1, 0, 0, NVME);
    scan();
    model.before_write = watch_order;
    pci_stop_masters();
    assert_int_equal(model_get(watched[0], 4, 2), 3);
}

// ---- NUMA nodes ----

static void test_nodes(void **state)
{
    static const struct srat_device named[] = {
        { 1, 0x100, 9 }, // of another segment
        { 0, 0x008, 1 }, // the port
        { 0, 0x100, 2 }, // the function behind it
    };
    port(2);
    model_set(physical(4, 1, 0x80, 0x80), 0x0e, 0x80, 1);
    add(1, 0, 1, NVME);
    virtual(0x180);
    add(0, 4, 0, NVME);
    scan();
    pci_set_nodes(named, ARRAY_SIZE(named));
    assert_int_equal(dev(0, 1, 0)->node, 1);
    assert_int_equal(dev(1, 0, 0)->node, 2);
    assert_int_equal(dev(1, 0, 1)->node, 1);
    assert_int_equal(dev_at(0, 0x180)->node, 2);
    assert_int_equal(dev(0, 4, 0)->node, NODE_ANY);
    pci_suggest_node(dev(0, 4, 0), 3);
    pci_suggest_node(dev(1, 0, 0), 3);
    assert_int_equal(dev(0, 4, 0)->node, 3);
    assert_int_equal(dev(1, 0, 0)->node, 2); // the SRAT knew it
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_writes_nothing),
        TEST(test_sizes_once),
        TEST(test_class_of_ones),
        TEST(test_header_of_zeros),
        TEST(test_ones_from_the_status_on),
        TEST(test_list_that_loops),
        TEST(test_list_that_leads_outside),
        TEST(test_sleeping_bridge),
        TEST(test_ari),
        TEST(test_ari_and_multi),
        TEST(test_ari_not_forwarded),
        TEST(test_ari_that_goes_back),
        TEST(test_ari_that_leads_nowhere),
        TEST(test_virtual),
        TEST(test_virtual_bars),
        TEST(test_virtual_off),
        TEST(test_virtual_nonsense),
        TEST(test_virtual_absent),
        TEST(test_virtual_collision),
        TEST(test_stop_masters),
        TEST(test_left_masters),
        TEST(test_stop_masters_in_order),
        TEST(test_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
