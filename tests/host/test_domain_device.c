// SPDX-License-Identifier: BSD-2-Clause
// What a domain is told of its functions, and the memory that their queues take of it: to the last byte.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/domain/device.h"

#include <cmocka.h>

static void memory_to_its_end(void **state)
{
    struct domain_grant g = { .memory = 0x1008, .memory_end = 0x4000 };
    assert_int_equal(domain_take_memory(&g, 0x1000, 0x1000), 0x2000);
    assert_int_equal(domain_take_memory(&g, 0x1001, 0x1000), 0);
    assert_int_equal(domain_take_memory(&g, 0x1000, 0x1000), 0x3000);
    assert_int_equal(domain_take_memory(&g, 1, 1), 0);
    assert_int_equal(domain_take_memory(&g, 0, 0x10000), 0); // it would begin behind the end
}

static void queues_to_the_last(void **state)
{
    struct domain_queue queues[3] = { 0 }, queue = { .qid = 7 };
    struct domain_grant g = { .queues = queues, .queues_most = 2 };
    assert_true(domain_tell_queue(&g, &queue));
    assert_true(domain_tell_queue(&g, &queue));
    assert_false(domain_tell_queue(&g, &queue));
    assert_int_equal(g.queues_count, 2);
    assert_true(queues[1].qid == 7 && queues[2].qid == 0);
}

static void disks_to_the_last_byte(void **state)
{
    uint8_t room[25] = { 0 };
    struct domain_grant g = { .disks = room, .disks_room = 24 };
    assert_true(domain_tell_disk(&g, "abcdefg", 8));
    assert_false(domain_tell_disk(&g, "abcdefghijklmnop", 17));
    assert_true(domain_tell_disk(&g, "hijklmnopqrstuv", 16));
    assert_false(domain_tell_disk(&g, "x", 1));
    assert_int_equal(g.disks_count, 2);
    assert_memory_equal(room, "abcdefg\0hijklmnopqrstuv\0", 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_to_its_end),
        cmocka_unit_test(queues_to_the_last),
        cmocka_unit_test(disks_to_the_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
