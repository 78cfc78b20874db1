// SPDX-License-Identifier: BSD-2-Clause
// Functions that firmware left asleep: woken within the times that the specification gives them, and
// configured as before, whatever they lost on the way.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define PM 0x60
#define EXPRESS 0x40
#define BASE 0x4000000000

static struct model_fn *port, *fn; // 00:01.0, and 01:00.0 behind it
static uint64_t waited_ns;
static struct {
    bool resets;        // loses its configuration on the way from D3hot to D0
    bool stays;         // keeps its state
    bool goes;          // reads all ones from then on
    unsigned not_ready; // reads all ones past the id for so many looks
    uint8_t hidden[MODEL_SPACE];
} device;

static void power_cap(struct model_fn *f, unsigned state)
{
    model_cap(f, PM, 0x01);
    model_set(f, PM + 4, state | 0x8100, 2); // PME enabled, and its status set
    model_writable(f, PM + 4, 0x8103, 2);
}

static int start(void **state)
{
    memset(&device, 0, sizeof(device));
    waited_ns = 0;
    model_reset();
    model_segment(0, ECAM, 0, 1);
    port = model_bridge(0, PCI_BDF(0, 1, 0), 1, 1);
    model_express(port, 4);
    fn = model_add(0, PCI_BDF(1, 0, 0), 0x010802);
    model_set(fn, 0x04, 0x0403, 2);
    model_bar64(fn, 0, BASE, 0x4000);
    model_set(fn, 0x3c, 0x0b, 1);
    model_writable(fn, 0x3c, 0xff, 1);
    model_express(fn, 0);
    model_set(fn, EXPRESS + 8, 0x2830, 2); // packets of 256 bytes
    model_writable(fn, EXPRESS + 8, 0x7fff, 2);
    model_set(fn, EXPRESS + 0x10, 0x0042, 2);
    model_writable(fn, EXPRESS + 0x10, 0x01ff, 2);
    model_set(fn, EXPRESS + 0x28, 0x0006, 2);
    model_writable(fn, EXPRESS + 0x28, 0xffff, 2);
    return 0;
}

// What the specification lets a function lose (PCIe Base 6.0, 5.3.1.4).
static void lose(struct model_fn *f)
{
    for (unsigned at = 0; at < MODEL_SPACE; at++)
        f->space[at] &= (uint8_t)~f->writable[at];
}

static void on_write(uint64_t phys, uint64_t value, unsigned bytes)
{
    uint64_t at = phys - ECAM - MIB;
    if (at >= MODEL_SPACE)
        return;
    bool asleep = fn->space[PM + 4] & 3 && fn->space[PM] == 1;
    if (asleep && at != PM + 4)
        model_refuse("asleep and written to, register", at);
    if (at != PM + 4)
        return;
    if (value & 0x8000)
        model_refuse("PME status cleared", at);
    if (device.resets)
        lose(fn);
    if (device.stays)
        fn->writable[PM + 4] &= (uint8_t)~3;
    if (device.goes || device.not_ready) {
        memcpy(device.hidden, fn->space, MODEL_SPACE);
        device.hidden[PM + 4] &= (uint8_t)~3;
        memset(fn->space, 0xff, MODEL_SPACE);
        memset(fn->writable + PM + 4, 0, 2);
        if (device.not_ready)
            model_set(fn, 0, 0xffff0001, 4);
    }
}

static void wait(uint64_t ns)
{
    waited_ns += ns;
    if (device.not_ready && --device.not_ready == 0)
        memcpy(fn->space, device.hidden, MODEL_SPACE);
}

static bool power_on(bool *woken, struct problem *p)
{
    assert_true(pci_init(p));
    model.before_write = on_write;
    return pci_power_on(dev_at(0, 0x100), wait, woken, p);
}

// Wakes it, and all is as it was but for the state.
static void wakes(uint64_t at_least_ns)
{
    struct problem p;
    bool woken;
    struct model_fn before = *fn;
    assert_true(power_on(&woken, &p));
    assert_true(woken);
    assert_int_equal(model_get(fn, PM + 4, 2) & 3, 0);
    assert_memory_equal(fn->space, before.space, PM);
    assert_true(waited_ns >= at_least_ns && waited_ns <= at_least_ns + NS_PER_MS);
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "pci-woken");
}

static void test_awake(void **state)
{
    struct problem p;
    bool woken = true;
    power_cap(fn, 0);
    assert_true(power_on(&woken, &p));
    assert_false(woken);
    assert_int_equal(waited_ns, 0);
    assert_int_equal(model.warnings, 0);
}

static void test_no_capability(void **state)
{
    struct problem p;
    bool woken = true;
    model_set(fn, PM + 4, 3, 2); // something else's
    assert_true(power_on(&woken, &p));
    assert_false(woken);
}

static void test_d3hot(void **state)
{
    power_cap(fn, 3);
    wakes(10 * NS_PER_MS);
    assert_non_null(strstr(model.warning, "0000:01:00.0: firmware left it in power state D3"));
    assert_int_equal(model_get(fn, PM + 4, 2) & 0x100, 0x100); // PME as it was
}

static void test_d3hot_with_reset(void **state)
{
    power_cap(fn, 3);
    device.resets = true;
    wakes(10 * NS_PER_MS);
}

// The bit says that nothing is lost, and it isn't so.
static void test_d3hot_with_reset_denied(void **state)
{
    power_cap(fn, 3 | 1 << 3);
    device.resets = true;
    wakes(10 * NS_PER_MS);
}

static void test_d2_and_d1(void **state)
{
    power_cap(fn, 2);
    wakes(200 * NS_PER_US);
    start(NULL);
    power_cap(fn, 1);
    wakes(0);
}

static void test_slow_to_answer(void **state)
{
    power_cap(fn, 3);
    device.resets = true;
    device.not_ready = 20;
    wakes(10 * NS_PER_MS * 20);
}

static void fails_to_wake(const char *what, const char *says)
{
    struct problem p;
    bool woken;
    power_cap(fn, 3);
    assert_false(power_on(&woken, &p));
    assert_string_equal(p.what, what);
    assert_non_null(strstr(p.message, says));
    assert_non_null(strstr(p.message, "0000:01:00.0"));
}

static void test_stays_asleep(void **state)
{
    device.stays = true;
    fails_to_wake("pci-asleep", "D3, and it doesn't wake (PMCSR is 0x0103)");
}

static void test_gone(void **state)
{
    device.goes = true;
    fails_to_wake("pci-gone", "all ones");
    assert_in_range(waited_ns, NS_PER_S, 2 * NS_PER_S);
}

// The port above first, with its bus numbers: nothing behind it can be reached before.
static void test_port_above(void **state)
{
    struct problem p;
    bool woken;
    power_cap(port, 3);
    assert_true(pci_init(&p));
    uint32_t buses = model_get(port, 0x18, 4);
    assert_int_equal(model.warnings, 1);
    assert_true(pci_power_on(dev_at(0, 0x100), wait, &woken, &p));
    assert_true(woken);
    assert_int_equal(model_get(port, PM + 4, 2) & 3, 0);
    assert_int_equal(model_get(port, 0x18, 4), buses);
}

// A first-version PCI Express capability ends before Device Control 2.
static void test_short_express_capability(void **state)
{
    power_cap(fn, 3);
    model_set(fn, EXPRESS + 2, 1, 2);
    model_set(fn, EXPRESS + 0x28, 0xabcd, 2); // another's, which changes on its own
    struct problem p;
    bool woken;
    device.resets = true;
    assert_true(power_on(&woken, &p));
    assert_int_equal(model_get(fn, EXPRESS + 0x28, 2), 0);
    assert_int_equal(model_get(fn, EXPRESS + 8, 2), 0x2830);
}

// ---- while a driver uses it ----

#define MSIX 0x70

static void *memory; // of what was kept

static int end_kept(void **state)
{
    free(memory);
    return end(state);
}

static struct pci_dev *kept(void)
{
    struct problem p;
    power_cap(fn, 0);
    model_cap(fn, MSIX, 0x11);
    model_writable(fn, MSIX + 2, 0xc000, 2);
    assert_true(pci_init(&p));
    struct pci_dev *dev = dev_at(0, 0x100);
    model_set(fn, MSIX + 2, 0x8000, 2); // on
    pci_keep(dev);
    memory = dev->kept;
    return dev;
}

// While a domain has it, it sends no error messages, whatever firmware had set.
static void test_kept_and_muted(void **state)
{
    model_set(fn, 0x04, 0x0503, 2);
    model_set(fn, EXPRESS + 8, 0x283f, 2);
    struct pci_dev *dev = kept();
    lose(fn);
    dev->given_to = "a";
    assert_true(pci_revive(dev, wait));
    assert_int_equal(model_get(fn, 0x04, 2), 0x0403);
    assert_int_equal(model_get(fn, EXPRESS + 8, 2), 0x2830);
    assert_int_equal(model_get(fn, EXPRESS + 0x10, 2), 0x0042);
    dev->given_to = NULL;
    assert_true(pci_revive(dev, wait));
    assert_int_equal(model_get(fn, 0x04, 2), 0x0503);
    assert_int_equal(model_get(fn, EXPRESS + 8, 2), 0x283f);
}

static void refuse_writes(uint64_t phys, uint64_t value, unsigned bytes)
{
    model_refuse("written to without need", phys);
}

static void test_kept_and_lost(void **state)
{
    struct pci_dev *dev = kept();
    struct model_fn before = *fn;
    lose(fn);
    assert_true(pci_revive(dev, wait));
    assert_memory_equal(fn->space, before.space, PM);
    assert_int_equal(model_get(fn, MSIX + 2, 2), 0x8000);
    assert_int_equal(waited_ns, 0);
}

static void test_kept_and_asleep(void **state)
{
    struct pci_dev *dev = kept();
    struct model_fn before = *fn;
    model_set(fn, PM + 4, 0x8103, 2);
    model.before_write = on_write;
    device.resets = true;
    assert_true(pci_revive(dev, wait));
    assert_int_equal(model_get(fn, PM + 4, 2) & 3, 0);
    assert_memory_equal(fn->space, before.space, PM);
    assert_int_equal(model_get(fn, MSIX + 2, 2), 0x8000);
    assert_int_equal(waited_ns, 10 * NS_PER_MS);
}

static void test_kept_and_whole(void **state)
{
    struct pci_dev *dev = kept();
    model.before_write = refuse_writes;
    assert_true(pci_revive(dev, wait));
}

static void test_kept_and_absent(void **state)
{
    struct pci_dev *dev = kept();
    memset(fn->space, 0xff, MODEL_SPACE);
    model.before_write = refuse_writes;
    assert_false(pci_revive(dev, wait));
    assert_int_equal(waited_ns, 0);
}

static void test_kept_and_stays_asleep(void **state)
{
    struct pci_dev *dev = kept();
    model_set(fn, PM + 4, 0x8103, 2);
    model.before_write = on_write;
    device.stays = true;
    assert_false(pci_revive(dev, wait));
    assert_int_equal(waited_ns, 10 * NS_PER_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
#define KEPT(name) cmocka_unit_test_setup_teardown(name, start, end_kept)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_awake),
        TEST(test_no_capability),
        TEST(test_d3hot),
        TEST(test_d3hot_with_reset),
        TEST(test_d3hot_with_reset_denied),
        TEST(test_d2_and_d1),
        TEST(test_slow_to_answer),
        TEST(test_stays_asleep),
        TEST(test_gone),
        TEST(test_port_above),
        TEST(test_short_express_capability),
        KEPT(test_kept_and_lost),
        KEPT(test_kept_and_muted),
        KEPT(test_kept_and_asleep),
        KEPT(test_kept_and_whole),
        KEPT(test_kept_and_absent),
        KEPT(test_kept_and_stays_asleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
