// SPDX-License-Identifier: BSD-2-Clause
// What a domain's program does with a controller that it was given.

#include "tests/host/nvme_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct model *given(void)
{
    struct model *m = model_new();
    start(m);
    nvme_give_add(world_ctrl(m));
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    return m;
}

static bool is_listed(const struct block_dev *dev)
{
    const struct block_dev *at = block_first();
    while (at && at != dev)
        at = at->next;
    return at;
}

static void test_late_command_ends_the_disk(void **state)
{
    struct model *m = given();
    struct block_dev *dev = program_set_up(m);
    struct program_read late, other;
    assert_true(is_listed(dev));
    m->drop_lba = 5;
    program_read(&late, dev, 0, 5, 1);
    world_pass(10 * NS_PER_S);
    m->hold = true;
    program_read(&other, dev, 1, 100, 8);
    world_pass(40 * NS_PER_S);
    assert_true(late.done && other.done);
    assert_int_equal(late.req.status, BLOCK_GONE);
    assert_int_equal(other.req.status, BLOCK_GONE);
    assert_int_equal(world_errors(NULL), 1);
    assert_int_equal(world_errors("nvme-timeout"), 1);
    assert_non_null(strstr(world_last_error(), "disks are gone"));
    assert_false(is_listed(dev));
    program_read(&other, dev, 1, 100, 8);
    assert_true(world_run(&other.done, 10));
    assert_int_equal(other.req.status, BLOCK_GONE);
    m->hold = false;
    m->drop_lba = ~0ull;
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    program_end();
    program_reads(program_set_up(m), 0);
}

// At one time: it is told of once, and the disk ends once.
static void test_late_on_two_queues(void **state)
{
    struct model *m = given();
    struct block_dev *dev = program_set_up(m);
    struct program_read late[2];
    m->drop_lba = 5;
    for (unsigned cpu = 0; cpu < 2; cpu++)
        program_read(&late[cpu], dev, cpu, 5, 1);
    world_pass(40 * NS_PER_S);
    for (unsigned cpu = 0; cpu < 2; cpu++)
        assert_true(late[cpu].done && late[cpu].req.status == BLOCK_GONE);
    assert_int_equal(world_errors(NULL), 1);
}

static void test_has_queues_of_its_function_alone(void **state)
{
    struct model *m = given();
    struct block_dev *dev = program_set_up(m);
    assert_int_equal(dev->queues, program_info()->queues_count - 1);
}

// It was built for what a kernel tells that is another one.
static void test_told_in_another_way(void **state)
{
    jmp_buf failed;
    struct model *m = given();
    assert_int_equal(domain_set_up(m), DOMAIN_DONE);
    program_disk_bytes--;
    world_prepare_fail(&failed);
    if (!setjmp(failed)) {
        (void)program_start(m, 1);
        fail_msg("it goes on");
    }
    world_prepare_fail(NULL);
    program_disk_bytes++;
    assert_non_null(strstr(world_last_error(), "build it together with the kernel"));
    world_use_cpu(0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, begin_domain, end_domain)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_late_command_ends_the_disk),
        test(test_late_on_two_queues),
        test(test_has_queues_of_its_function_alone),
        test(test_told_in_another_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
