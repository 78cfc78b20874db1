// SPDX-License-Identifier: BSD-2-Clause
// Who gets what of the queues and interrupts that a primary controller has to share.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/virtual_plan.h"
#include "lib/types.h"

static struct nvme_primary primary;
static struct nvme_secondaries list;
static struct nvme_virtual_plan plan;
static struct problem problem;
static const unsigned five_and_four[] = { 5, 4 };

// 40 queues and 33 interrupts, of which the primary has all.
static int begin(void **state)
{
    memset(&primary, 0, sizeof(primary));
    memset(&list, 0, sizeof(list));
    primary.cntlid = 1;
    primary.crt = 3;
    primary.kinds[0] = (struct nvme_shared_out){
        .total = 40, .primary = 40, .own = 2, .most = 9, .granularity = 1
    };
    primary.kinds[1] = (struct nvme_shared_out){
        .total = 33, .primary = 33, .own = 1, .most = 9, .granularity = 1
    };
    list.count = 4;
    for (unsigned i = 0; i < 4; i++)
        list.list[i] = (struct nvme_secondary){ .id = (uint16_t)(9 - i), .function = i + 1 };
    return 0;
}

static bool make(unsigned count)
{
    return nvme_virtual_plan("nvme0", &primary, &list, count, five_and_four, &plan, &problem);
}

static void plans(unsigned count, unsigned queues, unsigned interrupts)
{
    if (!make(count))
        fail_msg("%s", problem.message);
    assert_int_equal(plan.count, count);
    assert_int_equal(plan.each[0], queues);
    assert_int_equal(plan.each[1], interrupts);
}

static void refused(unsigned count, const char *says)
{
    assert_false(make(count));
    assert_string_equal(problem.what, "nvme-vfs");
    if (!strstr(problem.message, says))
        fail_msg("\"%s\" doesn't say \"%s\"", problem.message, says);
}

static void test_as_wanted(void **state)
{
    plans(3, 5, 4);
    assert_int_equal(plan.primary[0], 25);
    assert_int_equal(plan.primary[1], 21);
    assert_true(nvme_virtual_takes(&plan));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(plan.ids[i], 9 - i);
}

static void test_nothing_is_taken(void **state)
{
    primary.kinds[0].primary = 25;
    primary.kinds[1].primary = 20;
    plans(3, 5, 4);
    assert_int_equal(plan.primary[0], 25);
    assert_int_equal(plan.primary[1], 20);
    assert_false(nvme_virtual_takes(&plan));
    primary.kinds[1].primary = 22;
    plans(3, 5, 4);
    assert_true(nvme_virtual_takes(&plan));
}

static void test_fewer(void **state)
{
    primary.kinds[0].total = 14;
    plans(4, 3, 4);
    primary.kinds[0].most = 2;
    plans(4, 2, 4);
    primary.kinds[1].most = 3;
    plans(4, 2, 3);
}

static void test_granularity(void **state)
{
    primary.kinds[0].granularity = 4; // 8 rather than 5
    plans(4, 8, 4);
    primary.kinds[0].total = 31;
    plans(4, 4, 4);
    primary.kinds[0].granularity = 0;
    plans(4, 5, 4);
}

// Without queues of its own, the primary keeps as many as it can't do without.
static void test_primary_needs_some(void **state)
{
    primary.kinds[0].total = 8;
    plans(4, 2, 4);
    primary.kinds[0].own = 1;
    refused(4, "of the 7 queues that it has to share, each of 4 virtual functions gets 1");
}

// Those of functions that nobody asked for.
static void test_others_keep_theirs(void **state)
{
    primary.kinds[0].total = 12;
    list.list[3].resources[0] = 7;
    plans(2, 2, 4);
    assert_int_equal(plan.primary[0], 1);
    list.list[3].resources[0] = 9;
    refused(2, "of the 3 queues");
    list.list[3].resources[0] = 0xffff;
    refused(2, "of the 0 queues");
}

// Those that can't be changed are as they are.
static void test_private(void **state)
{
    primary.crt = 2;
    list.list[0].resources[0] = 3;
    list.list[1].resources[0] = 2;
    plans(2, 0, 4);
    list.list[1].resources[0] = 1;
    refused(2, "each of 2 virtual functions gets 1, and needs 2");
    primary.crt = 1;
    refused(2, "interrupts");
}

static void test_list(void **state)
{
    refused(5, "its list of 4 secondary controllers names no controller of its own for virtual "
               "function 5: ask for fewer (nvme.vfs=4)");
    list.count = 2;
    refused(3, "function 3");
    list.count = 4;
    list.list[1].id = 1; // the primary
    refused(2, "function 2");
    list.list[1].id = 9; // the first one's
    refused(2, "function 2");
    list.list[1].id = 0xfff0;
    refused(2, "function 2");
    list.list[1].id = 8;
    plans(2, 5, 4);
    list.list[2].function = 2;
    refused(2, "function 2");
    list.list[2].function = 0;
    plans(2, 5, 4);
    list.count = 128;
    refused(2, "says that it has 128 entries");
}

#define plan_test(fn) cmocka_unit_test_setup(fn, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plan_test(test_as_wanted),
        plan_test(test_nothing_is_taken),
        plan_test(test_fewer),
        plan_test(test_granularity),
        plan_test(test_primary_needs_some),
        plan_test(test_others_keep_theirs),
        plan_test(test_private),
        plan_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
