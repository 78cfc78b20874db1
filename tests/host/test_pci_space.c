// SPDX-License-Identifier: BSD-2-Clause
// Memory of a domain's: what the fence is asked for, and when a function may go from one to another.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

static struct problem p;
static bool refuses;
static const struct pci_dev *asked;

static struct {
    struct pci_space *space;
    uint64_t at, phys, bytes;
} mapped;

static bool answer(const struct pci_dev *d, struct problem *why)
{
    asked = d;
    return !refuses || problem_set(why, "no-gate", "the gate is stuck");
}

static bool reaches(const struct pci_dev *d)
{
    return false;
}

static struct pci_space *create(struct problem *why)
{
    if (!refuses)
        return (void *)&mapped; // any address that isn't NULL
    problem_set(why, "no-room", "nothing left");
    return NULL;
}

static bool map(struct pci_space *space, uint64_t at, uint64_t phys, uint64_t bytes,
                struct problem *why)
{
    mapped.space = space;
    mapped.at = at;
    mapped.phys = phys;
    mapped.bytes = bytes;
    return !refuses || problem_set(why, "no-room", "nothing left");
}

static const struct pci_fence fence = { answer, answer, reaches, create, map };

static struct pci_dev *dev;

static int begin(void **state)
{
    model_writable(one_function(), 4, 0x0547, 2);
    assert_true(pci_init(&p));
    dev = pci_get(0);
    refuses = false;
    pci_set_fence(&fence);
    return 0;
}

static int finish(void **state)
{
    pci_set_fence(NULL);
    return end(state);
}

static void a_space_is_the_fence_s(void **state)
{
    struct pci_space *space = pci_space_create(&p);
    assert_non_null(space);
    assert_true(pci_space_map(space, 0x100000000, 0x340000000, 0x200000, &p));
    assert_ptr_equal(mapped.space, space);
    assert_int_equal(mapped.at, 0x100000000);
    assert_int_equal(mapped.phys, 0x340000000);
    assert_int_equal(mapped.bytes, 0x200000);
    refuses = true;
    assert_false(pci_space_map(space, 0x100000000, 0x340000000, 0x200000, &p));
    assert_null(pci_space_create(&p));
    assert_string_equal(p.what, "no-room");
}

static void without_a_fence_there_is_none(void **state)
{
    pci_set_fence(NULL);
    assert_null(pci_space_create(&p));
    assert_string_equal(p.what, "domain-fence");
    assert_non_null(strstr(p.message, "dma=open"));
}

// While it may reach what it was granted, that doesn't become another's by name.
static void it_is_changed_at_rest(void **state)
{
    struct pci_space *space = pci_space_create(&p);
    assert_true(pci_set_space(dev, space));
    assert_true(pci_enable(dev, &p));
    assert_ptr_equal(asked->space, space);
    assert_false(pci_set_space(dev, NULL));
    refuses = true;
    assert_true(pci_stop_bus_master(dev)); // it is none, but the end of the grant isn't confirmed
    assert_false(pci_set_space(dev, NULL));
    assert_ptr_equal(dev->space, space);
    refuses = false;
    assert_true(pci_stop_bus_master(dev));
    assert_true(pci_set_space(dev, NULL));
    assert_true(pci_enable(dev, &p));
    assert_null(asked->space);
}

#define space_test(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        space_test(a_space_is_the_fence_s),
        space_test(without_a_fence_there_is_none),
        space_test(it_is_changed_at_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
