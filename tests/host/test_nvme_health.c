// SPDX-License-Identifier: BSD-2-Clause
// Temperatures are sampled while the controller works, and go on after a reset.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/recover.h"
#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

static unsigned kelvin_most(struct block_dev *dev)
{
    struct block_health h;
    assert_true(dev->health(dev, &h));
    return h.kelvin_most;
}

static void is_at(struct model *m, uint16_t kelvin)
{
    memcpy(m->smart + offsetof(struct nvme_smart_log, temperature), &kelvin, sizeof(kelvin));
}

static void sample(struct block_dev *dev)
{
    dev->sample_health(dev);
    world_pass(NS_PER_MS);
    dev->sample_health(dev); // takes the answer to the first
    world_pass(NS_PER_MS);
}

static void samples_while_it_reads(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    is_at(m, 300);
    sample(dev);
    is_at(m, 350);
    sample(dev);
    is_at(m, 310);
    reads_well(dev, 0);
    assert_int_equal(kelvin_most(dev), 350);
}

static void a_sample_that_a_reset_forgets(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    is_at(m, 300);
    m->ignore_opcode = NVME_ADMIN_GET_LOG_PAGE;
    dev->sample_health(dev);
    world_pass(NS_PER_MS);
    nvme_recover_reset(world_ctrl(m));
    world_pass(NS_PER_S);
    m->ignore_opcode = -1;
    is_at(m, 340);
    sample(dev);
    is_at(m, 320);
    assert_int_equal(kelvin_most(dev), 340);
    reads_well(dev, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_while_it_reads, begin_one, end_world),
        cmocka_unit_test_setup_teardown(a_sample_that_a_reset_forgets, begin_one, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
