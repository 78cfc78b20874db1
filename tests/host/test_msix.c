// SPDX-License-Identifier: BSD-2-Clause
// MSI-X: the order in which a device sees it turned on, messages that change only while masked, and
// tables that are not where they should be.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/pci/msi.h"
#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define BAR 0x4000000000
#define TABLE (BAR + 0x2000)
#define VECTORS 5
#define CAP 0x70
#define MSI_CAP 0x50

static struct model_fn *fn;
static struct pci_dev *dev;
static uint8_t *table;
static bool was_written; // the last access to the table was a write

static uint32_t entry_word(unsigned index, unsigned at)
{
    uint32_t value;
    memcpy(&value, table + index * 16 + at, 4);
    return value;
}

static void set_entry_word(unsigned index, unsigned at, uint32_t value)
{
    memcpy(table + index * 16 + at, &value, 4);
}

static bool all_masked(void)
{
    for (unsigned i = 0; i < VECTORS; i++)
        if (!(entry_word(i, 12) & 1))
            return false;
    return true;
}

// What the device could do as soon as it sees this write.
static void watch(uint64_t phys, uint64_t value, unsigned bytes)
{
    uint64_t at = phys - TABLE;
    if (phys == ECAM + (4u << 15) + CAP + 2) {
        bool sends = value & 0x8000 && !(value & 0x4000);
        if (sends && !(model_get(fn, CAP + 2, 2) & 0x8000))
            model_refuse("MSI-X on before it was masked", phys);
        if (sends && !all_masked())
            model_refuse("MSI-X unmasked over an unmasked entry", phys);
    }
    if (at >= VECTORS * 16)
        return;
    if (bytes != 4)
        model_refuse("table not written in 32 bits", phys);
    if (!(model_get(fn, 0x04, 2) & 2) || !(model_get(fn, CAP + 2, 2) & 0x8000))
        model_refuse("table written while it is not decoded", phys);
    if (at % 16 != 12 && !(entry_word((unsigned)at / 16, 12) & 1))
        model_refuse("message changed while unmasked", phys);
}

static void note(uint64_t phys, bool write)
{
    if (phys >= TABLE && phys < TABLE + VECTORS * 16)
        was_written = write;
}

static int start(void **state)
{
    struct problem p;
    fn = one_function();
    model_set(fn, 0x04, 0, 2);
    model_bar64(fn, 2, BAR, 0x4000);
    model_cap(fn, MSI_CAP, 0x05);
    model_set(fn, MSI_CAP + 2, 0xb1, 2); // on, with eight messages
    model_writable(fn, MSI_CAP + 2, 0x71, 2);
    model_msix(fn, CAP, VECTORS, 2, 0x2000);
    table = model_memory(TABLE, VECTORS * 16);
    assert_true(pci_init(&p));
    dev = pci_get(0);
    model.before_write = watch;
    model.after_access = note;
    was_written = false;
    return 0;
}

static void enable(void)
{
    struct problem p;
    assert_true(msix_enable(dev, &p));
}

static void test_enable(void **state)
{
    for (unsigned i = 0; i < VECTORS; i++)
        set_entry_word(i, 12, 0xabcd0000 | (i & 1)); // bits that are not ours to change
    enable();
    for (unsigned i = 0; i < VECTORS; i++)
        assert_int_equal(entry_word(i, 12), 0xabcd0001);
    assert_int_equal(model_get(fn, CAP + 2, 2), 0x8000 | (VECTORS - 1));
    assert_int_equal(model_get(fn, 0x04, 2), 0x0402);      // memory on, INTx off, not a bus master
    assert_int_equal(model_get(fn, MSI_CAP + 2, 2), 0xb0); // off, and the rest as it was
    assert_false(was_written);
    assert_ptr_equal(dev->msix.table, (void *)(MODEL_VIRT + TABLE));
}

// Firmware left MSI-X on, and entries unmasked.
static void test_enable_again(void **state)
{
    enable();
    set_entry_word(2, 12, 0);
    size_t before = model.mapped_count;
    enable();
    assert_true(all_masked());
    assert_int_equal(model.mapped_count, before);
}

static void test_no_msi(void **state)
{
    model_set(fn, CAP + 1, 0, 1); // MSI-X is the only capability
    enable();
    assert_int_equal(model_get(fn, MSI_CAP + 2, 2), 0xb1);
}

static void test_mask(void **state)
{
    enable();
    set_entry_word(3, 12, 0x12340001);
    msix_mask(dev, 3, false);
    assert_int_equal(entry_word(3, 12), 0x12340000);
    assert_false(was_written);
    msix_mask(dev, 3, true);
    assert_int_equal(entry_word(3, 12), 0x12340001);
    assert_false(was_written);
    for (unsigned i = 0; i < VECTORS; i++)
        assert_true(entry_word(i, 12) & 1);
}

static void test_write(void **state)
{
    const struct msi_msg msg = { 0x12345678fee01004, 0x9abcdef0 };
    enable();
    msix_write(dev, 4, &msg);
    assert_int_equal(entry_word(4, 0), 0xfee01004);
    assert_int_equal(entry_word(4, 4), 0x12345678);
    assert_int_equal(entry_word(4, 8), 0x9abcdef0);
    assert_int_equal(entry_word(4, 12), 1);
    assert_int_equal(entry_word(3, 8), 0);
    assert_false(was_written);
}

// An entry in use is masked meanwhile (watch() sees to it), and as it was afterwards.
static void test_write_unmasked(void **state)
{
    const struct msi_msg msg = { 0xfee02004, 7 };
    enable();
    msix_mask(dev, 1, false);
    msix_write(dev, 1, &msg);
    assert_int_equal(entry_word(1, 0), 0xfee02004);
    assert_int_equal(entry_word(1, 12), 0);
    assert_false(was_written);
}

static void test_disable(void **state)
{
    enable();
    msix_mask(dev, 0, false);
    msix_disable(dev);
    assert_int_equal(model_get(fn, CAP + 2, 2), 0x4000 | (VECTORS - 1));
    assert_int_equal(model_get(fn, 0x04, 2) & 0x0400, 0x0400);
    enable();
    assert_true(all_masked());
    dev->msix.cap = 0;
    msix_disable(dev); // nothing to do, nothing touched
    assert_int_equal(model_get(fn, CAP + 2, 2), 0x8000 | (VECTORS - 1));
}

static void refuse(const char *what)
{
    struct problem p;
    size_t before = model.mapped_count;
    dev->msix.table = NULL;
    assert_false(msix_enable(dev, &p));
    assert_string_equal(p.what, what);
    assert_non_null(strstr(p.message, "0000:00:04.0"));
    assert_null(dev->msix.table);
    assert_int_equal(model.mapped_count, before);
    assert_int_equal(model_get(fn, CAP + 2, 2) & 0xc000, 0);
}

static void test_table_outside(void **state)
{
    static const uint32_t bad[] = {
        0x3fb8 | 2,     // the last entry's last bytes are beyond the end
        0x4000 | 2,     // all of it is
        0xfffffff8 | 2, // far out
        0x0 | 1,        // no such BAR
        0x0 | 3,        // an upper half
        0x0 | 6,        // more than a function can have
        0x0 | 7,
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        model_set(fn, CAP + 4, bad[i], 4);
        refuse("msix-table-outside-bar");
    }
    struct problem p;
    model.before_write = NULL; // it knows the other place alone
    model_set(fn, CAP + 4, 0x3fb0 | 2, 4);
    assert_true(msix_enable(dev, &p)); // up to the end
}

static void test_table_unreachable(void **state)
{
    pci_size_bars(dev);
    dev->bars[2].base = 0;
    refuse("pci-bar");
    dev->bars[2].base = BAR;
    dev->bars[2].io = true;
    refuse("pci-bar");
}

static void test_missing(void **state)
{
    dev->msix.cap = 0;
    refuse("msix-missing");
}

static void test_gone(void **state)
{
    struct problem p;
    model_writable(fn, CAP + 2, 0, 2);
    assert_false(msix_enable(dev, &p));
    assert_string_equal(p.what, "msix-not-enabled");
    model_set(fn, CAP + 2, 0xffff, 2); // no longer there
    assert_false(msix_enable(dev, &p));
    assert_string_equal(p.what, "msix-not-enabled");
    for (unsigned i = 0; i < VECTORS; i++)
        assert_int_equal(entry_word(i, 12), 0);
}

static void test_largest(void **state)
{
    struct problem p;
    fn = one_function();
    model_bar(fn, 0, 0xe0000000, 0xffff8000);
    model_msix(fn, CAP, 2048, 0, 0);
    table = model_memory(0xe0000000, 0x8000);
    assert_true(pci_init(&p));
    assert_int_equal(pci_get(0)->msix.vectors, 2048);
    assert_true(msix_enable(pci_get(0), &p));
    assert_int_equal(entry_word(2047, 12), 1);
}

// The table has 80 bytes at 1ff0h of BAR 2, the pending bits 8 at 3000h of BAR 4.
static void test_is_at(void **state)
{
    model_set(fn, CAP + 4, 0x1ff0 | 2, 4);
    model_set(fn, CAP + 8, 0x3000 | 4, 4);
    assert_true(msix_is_at(dev, 2, 0x1000, 0x1000));
    assert_true(msix_is_at(dev, 2, 0x2000, 0x1000));
    assert_false(msix_is_at(dev, 2, 0x2040, 0x1000));
    assert_false(msix_is_at(dev, 2, 0x1000, 0xff0));
    assert_false(msix_is_at(dev, 0, 0x1000, 0x1000));
    assert_true(msix_is_at(dev, 4, 0x3007, 1));
    assert_false(msix_is_at(dev, 4, 0x3008, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_enable),  TEST(test_enable_again),  TEST(test_no_msi),
        TEST(test_mask),    TEST(test_write),         TEST(test_write_unmasked),
        TEST(test_disable), TEST(test_table_outside), TEST(test_table_unreachable),
        TEST(test_missing), TEST(test_gone),          TEST(test_largest),
        TEST(test_is_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
