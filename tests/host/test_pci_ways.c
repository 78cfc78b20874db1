// SPDX-License-Identifier: BSD-2-Clause
// Ways past the fence are closed: translations that functions got for themselves, and requests that ports
// pass on between them.
#include "tests/host/pci_fenced.h"

#define SRIOV 0x180
#define AT_VIRTUAL PCI_BDF(3, 0, 1)

static struct model_fn *virtual;

// The disk's one virtual function, which reads as the standard has it: no ids (9.3.4.1.1), and page
// requests and PASIDs are the physical one's (10.5.2, 7.8.9).
static void add_virtual(void)
{
    add_ext_cap(disk, ACS, 0x0d, SRIOV);
    add_ext_cap(disk, SRIOV, 0x10, 0);
    model_set(disk, SRIOV + 0x08, 0x9, 2);
    model_set(disk, SRIOV + 0x0e, 1, 2);
    model_set(disk, SRIOV + 0x10, 1, 2);
    model_set(disk, SRIOV + 0x14, 1, 2);
    model_set(disk, SRIOV + 0x16, 1, 2);
    virtual = model_add(0, AT_VIRTUAL, 0x010802);
    model_set(virtual, 0, 0xffffffff, 4);
    model_writable(virtual, COMMAND, MASTER, 2);
    model_express(virtual, 0);
    add_ext_cap(virtual, ATS, 0x0f, 0);
    model_writable(virtual, ATS_CONTROL, 0x8000, 2);
    model_set(virtual, ATS_CONTROL, 0x8000, 2);
}

static void translates(const struct model_fn *f, bool does)
{
    assert_int_equal(model_get(f, ATS_CONTROL, 2), does ? 0x8005 : 0x0005);
    assert_int_equal(model_get(f, PRI_CONTROL, 2), does ? 0x0001 : 0x0000);
    assert_int_equal(model_get(f, PASID_CONTROL, 2), does ? 0x0007 : 0x0006);
}

static void nobody_goes_on_with_translations(void **state)
{
    scan();
    translates(disk, true);
    pci_set_fence(&fence_calls);
    translates(disk, false);
    translates(other, false);
    translates(up, false);
    assert_int_equal(model_get(disk, PRI_CONTROL + 2, 2), 0xffff);
}

// PASIDs may not change while ATS is on (7.8.9.3), and page requests have stopped by then.
static void pasid_is_last(uint64_t phys, uint64_t value, unsigned bytes)
{
    uint64_t at = (phys - ECAM) % MODEL_SPACE;
    struct model_fn *f = model_find(0, (uint16_t)((phys - ECAM) / MODEL_SPACE));
    assert_int_equal(bytes, 2);
    if (at == ATS_CONTROL)
        assert_false(model_get(f, PRI_CONTROL, 2) & 1);
    if (at == PASID_CONTROL)
        assert_false(model_get(f, ATS_CONTROL, 2) & 0x8000);
}

static void they_end_in_order(void **state)
{
    scan();
    model.before_write = pasid_is_last;
    pci_set_fence(&fence_calls);
    translates(disk, false);
}

static void forbid_writes(uint64_t phys, uint64_t value, unsigned bytes)
{
    model_refuse("write", phys);
}

static void what_is_off_is_left_alone(void **state)
{
    scan();
    pci_set_fence(&fence_calls);
    model.before_write = forbid_writes;
    pci_set_fence(&fence_calls);
    model_set(other, ATS, 0, 4); // without any
    pci_set_fence(&fence_calls);
    model.before_write = NULL;
    let_translate(disk);
    model.before_write = forbid_writes;
    pci_set_fence(NULL); // dma=open
    translates(disk, true);
}

static void ports_do_what_they_can(void **state)
{
    static const struct {
        uint16_t can, before, after;
    } controls[] = {
        { 0x001f, 0x0000, 0x001f }, { 0x007f, 0x0060, 0x007f }, { 0x007f, 0x0000, 0x001f },
        { 0x0001, 0x0000, 0x0001 }, { 0x0015, 0x0001, 0x0015 }, { 0x0060, 0x0000, 0x0000 },
        { 0x0000, 0x0000, 0x0000 }, { 0xff1d, 0x0000, 0x001d },
    };
    struct model_fn *const others[] = { up, disk, other };
    scan();
    for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
        for (size_t f = 0; f < ARRAY_SIZE(others); f++)
            model_set(others[f], ACS + 4, 0x1f, 2);
        for (unsigned p = 0; p < 2; p++) {
            model_set(p ? down : port, ACS + 4, controls[i].can, 2);
            model_set(p ? down : port, ACS_CONTROL, controls[i].before, 2);
        }
        pci_set_fence(&fence_calls);
        assert_int_equal(model_get(port, ACS_CONTROL, 2), controls[i].after);
        assert_int_equal(model_get(down, ACS_CONTROL, 2), controls[i].after);
        for (size_t f = 0; f < ARRAY_SIZE(others); f++)
            assert_int_equal(model_get(others[f], ACS_CONTROL, 2), 0x000c); // of one device
    }
}

// As what was put in has come, or was reset: its ways are closed with its grant, those of no one else.
static void what_comes_later_has_no_way_either(void **state)
{
    start();
    let_translate(disk);
    let_translate(other);
    model_set(down, ACS + 4, 0x1f, 2);
    model_set(port, ACS + 4, 0x1f, 2);
    enable(AT_DISK);
    translates(disk, false);
    translates(other, true);
    assert_int_equal(model_get(down, ACS_CONTROL, 2), 0x1f);
    assert_int_equal(model_get(port, ACS_CONTROL, 2), 0x1f);
}

// Each has ATS of its own (10.5.1).
static void virtual_functions_have_none_either(void **state)
{
    add_virtual();
    start();
    assert_int_equal(model_get(virtual, ATS_CONTROL, 2), 0);
    translates(disk, false);
    model_set(virtual, ATS_CONTROL, 0x8000, 2);
    enable(AT_VIRTUAL);
    assert_int_equal(model_get(virtual, ATS_CONTROL, 2), 0);
    assert_ptr_equal(asked, dev(AT_VIRTUAL)); // and it is granted for itself
    assert_false(dev(AT_DISK)->granted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fence_test(nobody_goes_on_with_translations),
        fence_test(they_end_in_order),
        fence_test(what_is_off_is_left_alone),
        fence_test(ports_do_what_they_can),
        fence_test(what_comes_later_has_no_way_either),
        fence_test(virtual_functions_have_none_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
