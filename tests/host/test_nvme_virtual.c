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
    return end_world(state);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
