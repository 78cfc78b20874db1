// SPDX-License-Identifier: BSD-2-Clause
// Lists of active namespaces that are none, or are refused.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static uint32_t list[NVME_NSID_LIST_ENTRIES];

static struct model *with_list(void)
{
    struct model *m = model_new();
    memset(list, 0, sizeof(list));
    m->list_lie = list;
    m->id.nn = 20;
    model_add_namespace(m, 7, 9, 100);
    return m;
}

static void is_counted(struct model *m)
{
    starts(m);
    assert_int_equal(namespaces_of(m), 2);
    assert_non_null(world_disk(m, 7));
    warned_once("nvme-ns-list", "namespaces 1 to 20 are looked for one by one");
}

// As 8086:5845 answers.
static void list_is_controller_data(void **state)
{
    struct model *m = with_list();
    memcpy(list, &m->id, sizeof(list));
    memcpy(list, "\x86\x80\xf4\x1a", 4);
    is_counted(m);
}

static void list_with_nonsense(void **state)
{
    static const uint32_t bad[][3] = {
        { 7, 1, 0 },      // falls
        { 1, 1, 7 },      // the same twice
        { 1, 7, 21 },     // past NN
        { 1, 7, ~0u },    // all namespaces
        { 0, 1, 7 },      // behind the end
        { 1, 0, 0x8086 }, //
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        world_begin(2);
        struct model *m = with_list();
        memcpy(list, bad[i], sizeof(bad[i]));
        is_counted(m);
        world_end();
    }
}

static void list_refused_with_any_status(void **state)
{
    static const uint32_t statuses[] = { NVME_STATUS(0, 1), NVME_STATUS(0, 2), NVME_STATUS(2, 1) };
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        world_begin(2);
        struct model *m = with_list();
        m->fail_opcode = NVME_ADMIN_IDENTIFY;
        m->fail_cns = NVME_CNS_ACTIVE_LIST;
        m->fail_status = statuses[i];
        is_counted(m);
        world_end();
    }
}

// The second page is nonsense: what the first one named is not added again.
static void second_page_is_nonsense(void **state)
{
    struct model *m = model_new();
    m->alike = 1030;
    m->id.nn = 1030;
    for (uint32_t i = 0; i < NVME_NSID_LIST_ENTRIES; i++)
        list[i] = i + 1;
    m->list_lie = list; // whatever page is asked for
    starts(m);
    assert_int_equal(namespaces_of(m), 1030);
    warned_once("nvme-ns-list", "namespaces 1025 to 1030 are looked for");
}

// As many as there could be, none of which answers: two warnings in all.
static void many_fail(void **state)
{
    struct model *m = with_list();
    list[0] = 9, list[1] = 8;
    m->id.nn = ~0u;
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_NAMESPACE;
    nvme_init();
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 4);
    assert_non_null(strstr(world_last_warning(), "4095 more namespaces are passed over likewise"));
}

static void without_a_largest_number(void **state)
{
    struct model *m = with_list();
    m->id.nn = 0; // against the specification
    list[0] = 1;
    starts(m);
    assert_int_equal(world_warnings(), 0);
}

#define lists_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lists_test(list_is_controller_data),
        lists_test(list_with_nonsense),
        lists_test(list_refused_with_any_status),
        lists_test(second_page_is_nonsense),
        lists_test(many_fail),
        lists_test(without_a_largest_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
