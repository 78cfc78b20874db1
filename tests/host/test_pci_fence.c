// SPDX-License-Identifier: BSD-2-Clause
// Before a function may be a bus master, the fence has let it in; it is shut out once it is none any more.
#include "tests/host/pci_fenced.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        fence_test(granted_before_it_is_a_master), fence_test(without_a_grant_it_is_no_master),
        fence_test(granted_once_and_revoked_once), fence_test(without_a_fence_nobody_is_asked),
        fence_test(off_and_read_back_and_revoked), fence_test(who_goes_on_is_shut_out),
        fence_test(a_grant_that_fails_is_revoked), fence_test(a_revocation_that_fails_is_told),
        fence_test(who_comes_back_is_no_master),   fence_test(who_is_gone_is_shut_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
