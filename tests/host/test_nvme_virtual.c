// SPDX-License-Identifier: BSD-2-Clause
// Virtual functions: their controllers come up behind the physical one's, with disks of their own, and all
// of it is undone in the end.

#include "tests/host/nvme_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/virtual.h"

#define SERIAL "S123"

// Two functions, and namespaces 2 and 3 that nobody has; 1 is the primary's.
static struct model *primary(unsigned queues, unsigned interrupts)
{
    struct model *m = model_new();
    model_share(m, 2, queues, interrupts);
    m->id.cntlid = 7;
    m->allocated[0] = (struct model_allocated){ 1, 7, true };
    m->allocated[1].nsid = 2;
    m->allocated[2].nsid = 3;
    return m;
}

static int begin(void **state)
{
    begin_two(state);
    block_allow_writes(SERIAL, strlen(SERIAL));
    nvme_virtual_set(2);
    return 0;
}

static int end(void **state)
{
    nvme_virtual_set(0);
    block_allow_writes(NULL, 0);
    int status = end_world(state);
    while (block_first()) // the next one's disks have the same serial number
        block_remove(block_first());
    return status;
}

static unsigned controllers(void)
{
    unsigned count = 0;
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        count += c->running;
    return count;
}

static void test_two(void **state)
{
    struct model *m = primary(6, 4), *other = model_new();
    starts(m);
    assert_int_equal(controllers(), 4);
    assert_string_equal(world_ctrl(other)->name, "nvme1"); // as without them
    for (unsigned i = 0; i < 2; i++) {
        struct model *vf = m->functions[i];
        assert_string_equal(world_ctrl(vf)->name, i ? "nvme3" : "nvme2");
        assert_int_equal(world_ctrl(vf)->queues_count, 2);
        reads_well(world_disk(vf, 2 + i), 1);
        assert_int_equal(m->secondaries.list[i].resources[NVME_VIRTUAL_QUEUES], 3);
        assert_int_equal(m->secondaries.list[i].resources[NVME_VIRTUAL_INTERRUPTS], 2);
    }
    assert_int_equal(m->function_resets, 1); // so that the primary gives up what it has
}

static void refused_with(struct model *m, const char *what, const char *says)
{
    starts(m);
    assert_int_equal(controllers(), 1);
    warned_once(what, says);
    assert_null(m->functions[0]);
}

static void test_not_asked_for(void **state)
{
    struct model *m = primary(6, 4);
    nvme_virtual_set(0);
    starts(m);
    assert_int_equal(controllers(), 1);
    assert_int_equal(m->function_resets, 0);
}

static void test_no_management(void **state)
{
    struct model *m = primary(6, 4);
    m->id.oacs = 0;
    starts(m);
    assert_int_equal(controllers(), 1);
    warned_once("nvme-vfs", "nvme.vfs=2, but no controller can have virtual functions");
}

static void test_more_than_there_are(void **state)
{
    nvme_virtual_set(127);
    starts(primary(6, 4));
    assert_int_equal(controllers(), 3);
}

// The primary has none of what is to be shared: nothing has to be reset.
static void test_free_resources(void **state)
{
    struct model *m = primary(6, 4);
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++)
        m->primary.kinds[kind].primary = m->primary_next[kind] = 0;
    starts(m);
    assert_int_equal(controllers(), 3);
    assert_int_equal(m->function_resets, 0);
}

// One that another system left on.
static void test_left_online(void **state)
{
    struct model *m = primary(6, 4);
    m->secondaries.list[1].state = NVME_SECONDARY_ONLINE;
    starts(m);
    assert_int_equal(controllers(), 3);
}

static void test_undone(void **state)
{
    struct model *m = primary(6, 4);
    starts(m);
    assert_true(m->allocated[1].owned && m->allocated[2].owned);
    nvme_shutdown();
    assert_int_equal(m->functions_on, 0);
    assert_false(m->allocated[1].owned || m->allocated[2].owned);
    assert_true(m->allocated[0].owned);
    assert_int_equal(m->primary_next[NVME_VIRTUAL_QUEUES], 6);
    assert_int_equal(m->primary_next[NVME_VIRTUAL_INTERRUPTS], 4);
}

// ---- namespaces ----

static void test_has_one_already(void **state)
{
    struct model *m = primary(6, 4);
    m->allocated[2] = (struct model_allocated){ 3, MODEL_SECONDARY(0), true };
    starts(m);
    assert_non_null(world_disk(m->functions[0], 3));
    assert_null(world_disk(m->functions[0], 2));
    assert_non_null(world_disk(m->functions[1], 2));
    nvme_shutdown();
    assert_true(m->allocated[2].owned);
}

static void test_not_enough(void **state)
{
    struct model *m = primary(6, 4);
    m->allocated[2].nsid = 0;
    starts(m);
    assert_int_equal(namespaces_of(m->functions[0]), 1);
    assert_int_equal(namespaces_of(m->functions[1]), 0);
}

static void test_not_allowed(void **state)
{
    struct model *m = primary(6, 4);
    block_allow_writes("OTHER", 5);
    starts(m);
    assert_int_equal(controllers(), 3);
    assert_int_equal(namespaces_of(m->functions[0]), 0);
    assert_false(m->allocated[1].owned);
}

// ---- what goes wrong ----

static void test_too_few(void **state)
{
    refused_with(primary(3, 4), "nvme-vfs",
                 "(0000:00:04.0): of the 3 queues that it has to share, each of 2 virtual "
                 "functions gets 1, and needs 2: ask for fewer (nvme.vfs=); it has no virtual");
}

static void test_keeps_what_it_has(void **state)
{
    struct model *m = primary(6, 4);
    m->keeps_all = true;
    refused_with(m, "nvme-vfs", "after its reset it still keeps");
    assert_int_equal(m->primary_next[NVME_VIRTUAL_QUEUES], 6);
}

static void test_no_addresses(void **state)
{
    struct model *m = primary(6, 4);
    m->functions_refused = true;
    refused_with(m, "pci-sriov", "they have no addresses; it has no virtual functions");
    assert_int_equal(m->primary_next[NVME_VIRTUAL_QUEUES], 6);
    assert_int_equal(m->primary_next[NVME_VIRTUAL_INTERRUPTS], 4);
}

static void test_one_refuses(void **state)
{
    struct model *m = primary(6, 4);
    m->refused_secondary = MODEL_SECONDARY(0);
    starts(m);
    assert_int_equal(controllers(), 2);
    assert_null(world_ctrl(m->functions[0]));
    warned_once("nvme-admin-failed", "virtual function 1 isn't used");
}

static void test_assigns_less(void **state)
{
    struct model *m = primary(6, 4);
    m->assigns_less = 1;
    starts(m);
    assert_int_equal(controllers(), 3);
    assert_int_equal(world_ctrl(m->functions[1])->queues_count, 1); // for both CPUs
}

static void test_one_is_missing(void **state)
{
    struct model *m = primary(6, 4);
    m->functions_missing = 1;
    starts(m);
    assert_int_equal(controllers(), 2);
}

static void test_refuses_to_tell(void **state)
{
    struct model *m = primary(6, 4);
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_PRIMARY;
    refused_with(m, "nvme-admin-failed", "Identify Primary Controller Capabilities failed");
}

// A reset that the function doesn't come back from ends the controller, and not the others.
static void test_lost_in_reset(void **state)
{
    struct model *m = primary(6, 4);
    model_new();
    m->functions_refused_reset = true;
    nvme_init();
    assert_int_equal(controllers(), 1);
    assert_int_equal(world_errors("pci-reset"), 1);
    assert_false(m->pci_command & 4);
}

static unsigned lost;

static void count_lost(struct pci_dev *dev)
{
    const struct model *m = container_of(dev->physical, struct model, pci);
    assert_ptr_equal(dev, &m->functions[lost]->pci);
    assert_int_equal(m->secondaries.list[lost].state, NVME_SECONDARY_ONLINE); // it can be set up
    lost++;
}

// A reset of the primary takes its secondary controllers offline, with all that they have.
static void test_primary_is_reset(void **state)
{
    struct model *m = primary(6, 4);
    starts(m);
    struct model *vf = m->functions[0];
    for (unsigned i = 0; i < 2; i++) {
        m->secondaries.list[i].state = 0;
        memset(m->secondaries.list[i].resources, 0, sizeof(m->secondaries.list[i].resources));
    }
    m->primary.kinds[0].assigned = m->primary.kinds[1].assigned = 0;
    pci_on_lost(count_lost);
    lost = 0;
    model_fails(vf, FAILS_FATAL);
    nvme_recover_reset(world_ctrl(m));
    world_pass(5 * NS_PER_S);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(m->secondaries.list[i].state, NVME_SECONDARY_ONLINE);
        assert_int_equal(m->secondaries.list[i].resources[NVME_VIRTUAL_QUEUES], 3);
    }
    reads_well(world_disk(m, 1), 0);
    assert_int_equal(lost, 2);
    pci_on_lost(NULL);
}

static void test_one_stays_offline(void **state)
{
    struct model *m = primary(6, 4);
    starts(m);
    m->refused_secondary = MODEL_SECONDARY(1);
    unsigned before = world_warnings();
    nvme_recover_reset(world_ctrl(m));
    world_pass(NS_PER_S);
    assert_int_equal(world_warnings(), before + 2); // the reset is the other
    assert_non_null(strstr(world_last_warning(), "controller 65, of a virtual function, doesn't"));
    assert_int_equal(m->secondaries.list[0].state, NVME_SECONDARY_ONLINE);
}

#define virtual_test(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        virtual_test(test_two),
        virtual_test(test_not_asked_for),
        virtual_test(test_no_management),
        virtual_test(test_more_than_there_are),
        virtual_test(test_free_resources),
        virtual_test(test_left_online),
        virtual_test(test_undone),
        virtual_test(test_has_one_already),
        virtual_test(test_not_enough),
        virtual_test(test_not_allowed),
        virtual_test(test_too_few),
        virtual_test(test_keeps_what_it_has),
        virtual_test(test_no_addresses),
        virtual_test(test_one_refuses),
        virtual_test(test_assigns_less),
        virtual_test(test_one_is_missing),
        virtual_test(test_refuses_to_tell),
        virtual_test(test_lost_in_reset),
        virtual_test(test_primary_is_reset),
        virtual_test(test_one_stays_offline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
