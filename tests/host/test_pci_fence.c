// SPDX-License-Identifier: BSD-2-Clause
// Before a function may be a bus master, the fence has let it in, and ways past the fence are closed; it is
// shut out once it is none any more.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

// Extended capabilities, in this order, and their control registers.
#define ATS 0x100
#define PRI 0x120
#define PASID 0x140
#define ACS 0x160
#define SRIOV 0x180
#define ATS_CONTROL (ATS + 6)
#define PRI_CONTROL (PRI + 4)
#define PASID_CONTROL (PASID + 6)
#define ACS_CONTROL (ACS + 6)

#define COMMAND 4
#define MASTER 4u
#define ROOT_PORT 4
#define UPSTREAM 5
#define DOWNSTREAM 6

#define AT_PORT PCI_BDF(0, 1, 0) // and behind it a switch, and a disk there
#define AT_SWITCH PCI_BDF(1, 0, 0)
#define AT_DOWN PCI_BDF(2, 0, 0)
#define AT_DISK PCI_BDF(3, 0, 0)
#define AT_VIRTUAL PCI_BDF(3, 0, 1)
#define AT_OTHER PCI_BDF(0, 4, 0) // in the root complex

static struct model_fn *port, *up, *down, *disk, *virtual, *other;

// ---- the machine ----

static void add_ext_cap(struct model_fn *f, unsigned at, unsigned id, unsigned next)
{
    model_set(f, at, id | 1u << 16 | next << 20, 4);
}

static void let_translate(struct model_fn *f)
{
    model_set(f, ATS_CONTROL, 0x8005, 2);
    model_set(f, PRI_CONTROL, 0x0001, 2);
    model_set(f, PASID_CONTROL, 0x0007, 2);
}

static void add_ext_caps(struct model_fn *f)
{
    add_ext_cap(f, ATS, 0x0f, PRI);
    add_ext_cap(f, PRI, 0x13, PASID);
    add_ext_cap(f, PASID, 0x1b, ACS);
    add_ext_cap(f, ACS, 0x0d, 0);
    model_writable(f, ATS_CONTROL, 0x801f, 2);
    model_writable(f, PRI_CONTROL, 0x0003, 2);
    model_writable(f, PASID_CONTROL, 0x0007, 2);
    model_writable(f, ACS_CONTROL, 0xffff, 2);
    model_set(f, PRI_CONTROL + 2, 0xffff, 2); // status, next to it
    let_translate(f);
}

static struct model_fn *add_bridge(uint16_t bdf, unsigned type)
{
    struct model_fn *f = model_bridge(0, bdf, (uint8_t)(PCI_BUS(bdf) + 1), 3);
    model_express(f, type);
    add_ext_caps(f);
    return f;
}

static struct model_fn *add_endpoint(uint16_t bdf)
{
    struct model_fn *f = model_add(0, bdf, 0x010802);
    model_express(f, 0);
    add_ext_caps(f);
    return f;
}

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

static int begin(void **state)
{
    model_reset();
    model_segment(0, ECAM, 0, 3);
    port = add_bridge(AT_PORT, ROOT_PORT);
    up = add_bridge(AT_SWITCH, UPSTREAM);
    down = add_bridge(AT_DOWN, DOWNSTREAM);
    disk = add_endpoint(AT_DISK);
    other = add_endpoint(AT_OTHER);
    return 0;
}

static void scan(void)
{
    struct problem p;
    if (!pci_init(&p))
        fail_msg("%s", p.message);
    assert_int_equal(model.warnings, 0);
}

static struct pci_dev *dev(uint16_t bdf)
{
    struct pci_dev *d = dev_at(0, bdf);
    assert_non_null(d);
    return d;
}

// ---- the fence ----

static unsigned grants, revokes;
static bool refuses;
static const struct pci_dev *asked;
static struct model_fn *watched; // is no master while the fence is asked

static bool answer(const struct pci_dev *d, struct problem *p)
{
    asked = d;
    assert_false(watched && model_get(watched, COMMAND, 2) & MASTER);
    return !refuses || problem_set(p, "no-gate", "the gate is stuck");
}

static bool grant(const struct pci_dev *d, struct problem *p)
{
    grants++;
    return answer(d, p);
}

static bool revoke(const struct pci_dev *d, struct problem *p)
{
    revokes++;
    return answer(d, p);
}

static bool still_reaches;

static bool reaches(const struct pci_dev *d)
{
    return still_reaches;
}

static const struct pci_fence fence_calls = { grant, revoke, reaches, NULL, NULL };

static void start(void)
{
    scan();
    pci_stop_masters();
    grants = revokes = 0;
    refuses = still_reaches = false;
    watched = NULL;
    pci_set_fence(&fence_calls);
}

static int finish(void **state)
{
    pci_set_fence(NULL);
    return end(state);
}

static void enable(uint16_t bdf)
{
    struct problem p;
    if (!pci_enable(dev(bdf), &p))
        fail_msg("%s", p.message);
}

// ---- ways past it ----

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

// ---- grants ----

static void granted_before_it_is_a_master(void **state)
{
    start();
    watched = disk;
    enable(AT_DISK);
    assert_int_equal(grants, 1);
    assert_ptr_equal(asked, dev(AT_DISK));
    assert_true(dev(AT_DISK)->granted);
    assert_true(model_get(disk, COMMAND, 2) & MASTER);
    assert_true(model_get(port, COMMAND, 2) & MASTER);
}

static void without_a_grant_it_is_no_master(void **state)
{
    struct problem p;
    start();
    refuses = true;
    uint32_t before = model_get(disk, COMMAND, 2);
    assert_false(pci_enable(dev(AT_DISK), &p));
    assert_string_equal(p.what, "no-gate");
    assert_false(dev(AT_DISK)->granted);
    assert_int_equal(model_get(disk, COMMAND, 2), before);
    assert_false(model_get(disk, COMMAND, 2) & MASTER);
    assert_false(model_get(down, COMMAND, 2) & MASTER);
    refuses = false;
    enable(AT_DISK);
    assert_int_equal(grants, 2);
}

static void granted_once_and_revoked_once(void **state)
{
    start();
    enable(AT_DISK);
    enable(AT_DISK);
    assert_int_equal(grants, 1);
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_int_equal(revokes, 1);
    assert_true(pci_stop_bus_master(dev(AT_OTHER))); // that never had any
    assert_int_equal(revokes, 1);
    enable(AT_DISK);
    assert_int_equal(grants, 2);
    assert_int_equal(model.warnings, 0);
}

static void without_a_fence_nobody_is_asked(void **state)
{
    start();
    pci_set_fence(NULL);
    enable(AT_DISK);
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_int_equal(grants + revokes, 0);
    assert_false(dev(AT_DISK)->granted);
}

// ---- the end of bus mastering ----

static bool command_read_back;

static void note_access(uint64_t phys, bool write)
{
    if ((phys - ECAM) % MODEL_SPACE == COMMAND)
        command_read_back = !write;
}

static bool revoke_after_the_read(const struct pci_dev *d, struct problem *p)
{
    assert_true(command_read_back);
    return revoke(d, p);
}

// What it had posted before has arrived with the answer to the read.
static void off_and_read_back_and_revoked(void **state)
{
    static const struct pci_fence calls = { grant, revoke_after_the_read, reaches, NULL, NULL };
    start();
    enable(AT_DISK);
    pci_set_fence(&calls);
    watched = disk;
    model.after_access = note_access;
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_int_equal(revokes, 1);
    assert_false(dev(AT_DISK)->granted);
    assert_true(model_get(down, COMMAND, 2) & MASTER); // for the others there
}

static void stops(bool does, unsigned warnings, const char *words)
{
    model.warnings = 0;
    assert_int_equal(pci_stop_bus_master(dev(AT_DISK)), does);
    assert_int_equal(model.warnings, warnings);
    assert_string_equal(model.warning_what, "pci-bus-master");
    if (!strstr(model.warning, words))
        fail_msg("%s", model.warning);
}

static void who_goes_on_is_shut_out(void **state)
{
    start();
    enable(AT_DISK);
    model_writable(disk, COMMAND, 0x0543, 2);
    refuses = true;
    stops(false, 2,
          "0000:03:00.0 goes on as a bus master, though told not to: nothing keeps it from "
          "memory");
    refuses = false;
    stops(true, 1, "what it writes is blocked");
    stops(true, 1, "what it writes is blocked");
    assert_int_equal(revokes, 2);
    still_reaches = true; // by an id that another function bears, too
    stops(false, 1, "nothing keeps it from memory");
    pci_set_fence(NULL);
    stops(false, 1, "nothing keeps it from memory");
}

// Where a grant fails since the unit doesn't answer, its clean-up may have failed as well.
static void a_grant_that_fails_is_revoked(void **state)
{
    struct problem p;
    start();
    model_set(disk, COMMAND, MASTER, 2);
    model_writable(disk, COMMAND, 0x0543, 2);
    refuses = true;
    assert_false(pci_enable(dev(AT_DISK), &p));
    stops(false, 2, "nothing keeps it from memory");
    refuses = false;
    stops(true, 1, "what it writes is blocked");
    assert_int_equal(revokes, 2);
    enable(AT_DISK);
    assert_false(dev(AT_DISK)->unsure);
}

static void a_revocation_that_fails_is_told(void **state)
{
    start();
    enable(AT_DISK);
    refuses = true;
    assert_true(pci_stop_bus_master(dev(AT_DISK))); // it is no master any more
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "no-gate");
    assert_false(dev(AT_DISK)->granted);
    assert_true(dev(AT_DISK)->unsure);
    refuses = false;
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_false(dev(AT_DISK)->granted);
}

static void no_delay(uint64_t ns)
{
}

static uint32_t revived(void)
{
    model_set(disk, COMMAND, 0, 2); // as after power was off
    assert_true(pci_revive(dev(AT_DISK), no_delay));
    return model_get(disk, COMMAND, 2);
}

// With what it was before, but for what it is no more granted.
static void who_comes_back_is_no_master(void **state)
{
    start();
    enable(AT_DISK);
    pci_keep(dev(AT_DISK));
    assert_int_equal(revived() & 6, 6);
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_int_equal(revived() & 6, 2);
    pci_set_fence(NULL);
    assert_int_equal(revived() & 6, 6);
    free(dev(AT_DISK)->kept);
}

// It reads all ones, and writes nothing any more; what comes in its place begins with nothing.
static void who_is_gone_is_shut_out(void **state)
{
    start();
    enable(AT_DISK);
    disk->bdf = PCI_BDF(3, 5, 0);
    assert_true(pci_stop_bus_master(dev(AT_DISK)));
    assert_int_equal(revokes, 1);
    assert_int_equal(model.warnings, 0);
}

#define fence_test(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fence_test(nobody_goes_on_with_translations),
        fence_test(they_end_in_order),
        fence_test(what_is_off_is_left_alone),
        fence_test(ports_do_what_they_can),
        fence_test(what_comes_later_has_no_way_either),
        fence_test(virtual_functions_have_none_either),
        fence_test(granted_before_it_is_a_master),
        fence_test(without_a_grant_it_is_no_master),
        fence_test(granted_once_and_revoked_once),
        fence_test(without_a_fence_nobody_is_asked),
        fence_test(off_and_read_back_and_revoked),
        fence_test(who_goes_on_is_shut_out),
        fence_test(a_grant_that_fails_is_revoked),
        fence_test(a_revocation_that_fails_is_told),
        fence_test(who_comes_back_is_no_master),
        fence_test(who_is_gone_is_shut_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
