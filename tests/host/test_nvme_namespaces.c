// SPDX-License-Identifier: BSD-2-Clause
// Many namespaces, few, strange ones, and controllers that stop answering in the middle of them.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define MOST 4096 // that are looked at

static void next_world(void)
{
    world_end();
    world_begin(2);
}

static void fails(struct model *m, const char *what)
{
    nvme_init();
    assert_int_equal(world_errors(what), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_int_equal(world_warnings(), 0);
    assert_false(m->pci_command & 4);
}

// ---- by the list ----

static void all_that_fit(void **state)
{
    struct model *m = model_new();
    m->id.nn = m->alike = MOST - 1;
    nvme_init();
    assert_non_null(world_disk(m, MOST - 1));
    unsigned count = 0;
    for (const struct nvme_ns *ns = world_ctrl(m)->namespaces; ns; ns = ns->next)
        count++;
    assert_int_equal(count, MOST - 1);
    assert_int_equal(world_warnings(), 0);
}

static void more_than_are_looked_at(void **state)
{
    struct model *m = model_new();
    m->id.nn = m->alike = 6000;
    nvme_init();
    assert_non_null(world_disk(m, MOST));
    assert_null(world_disk(m, MOST + 1));
    assert_int_equal(m->namespaces_asked, MOST);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), ": namespaces past 4096 are not looked at"));
}

// The list is in order, and so are the disks.
static void they_are_kept_in_order(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 77, 9, 100);
    model_add_namespace(m, 5, 9, 100);
    nvme_init();
    nvme_print();
    const char *first = strstr(world_infos(), "n1 "), *second = strstr(world_infos(), "n5 ");
    const char *third = strstr(world_infos(), "n77 ");
    assert_true(first && second && third && first < second && second < third);
}

// Names have room for 15 characters.
static void long_names(void **state)
{
    struct model *m = model_new();
    nvme_init();
    unsigned number; // of the controller; the next world's has the next one
    assert_int_equal(sscanf(world_disk(m, 1)->name, "nvme%un1", &number), 1);
    next_world();
    uint32_t fits = 1;
    for (int length = snprintf(NULL, 0, "nvme%un1", number + 1); length < 15; length++)
        fits *= 10;
    m = model_new();
    m->id.nn = 0xfffffffe;
    model_add_namespace(m, fits, 9, 100);
    model_add_namespace(m, fits * 10, 9, 100);
    nvme_init();
    assert_non_null(world_disk(m, fits));
    assert_int_equal(strlen(world_disk(m, fits)->name), 15);
    assert_null(world_disk(m, fits * 10));
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "its number is too long for a name: passed over"));
    assert_int_equal(world_errors(NULL), 0);
}

// ---- by counting ----

static struct model *old_model(void)
{
    struct model *m = model_new();
    m->vs = NVME_VERSION(1, 0);
    m->fail_opcode = NVME_ADMIN_IDENTIFY; // it doesn't know the list
    m->fail_cns = NVME_CNS_ACTIVE_LIST;
    return m;
}

static void each_is_asked_for(void **state)
{
    struct model *m = old_model();
    m->id.nn = 12;
    model_add_namespace(m, 12, 9, 100);
    nvme_init();
    assert_non_null(world_disk(m, 12));
    assert_int_equal(m->namespaces_asked, 12);
    assert_int_equal(world_warnings(), 0);
}

// 1.1 knows the list.
static void versions(void **state)
{
    static const struct {
        uint32_t version;
        bool list;
    } cases[] = { { 0x00010000, false },
                  { 0x000100ff, false },
                  { 0x00010100, true },
                  { 0x00010200, true },
                  { 0x00020000, true } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        next_world();
        struct model *m = model_new();
        m->vs = cases[i].version;
        m->id.nn = 30;
        nvme_init();
        assert_non_null(world_disk(m, 1));
        assert_int_equal(m->namespaces_asked, cases[i].list ? 1 : 30);
    }
}

// ---- no answer ----

static void silence(uint32_t version, uint32_t cns, uint32_t nsid, const char *command)
{
    char text[64];
    next_world();
    world_set_clock_step(NS_PER_MS);
    struct model *m = model_new();
    m->vs = version;
    m->id.nn = 3;
    model_add_namespace(m, 3, 9, 100);
    m->ignore_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = cns;
    m->fail_nsid = nsid;
    fails(m, "nvme-admin-timeout");
    snprintf(text, sizeof(text), ": no answer to %s within ", command);
    assert_non_null(strstr(world_last_error(), text));
}

// The controller is given up; nothing else is asked of it.
static void no_answer(void **state)
{
    silence(NVME_VERSION(1, 4), NVME_CNS_ACTIVE_LIST, 0, "Identify Active Namespace List");
    silence(NVME_VERSION(1, 4), NVME_CNS_NAMESPACE, 3, "Identify Namespace");
    silence(NVME_VERSION(1, 0), NVME_CNS_NAMESPACE, 2, "Identify Namespace");
}

#define namespaces_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        namespaces_test(all_that_fit),
        namespaces_test(more_than_are_looked_at),
        namespaces_test(they_are_kept_in_order),
        namespaces_test(long_names),
        namespaces_test(each_is_asked_for),
        namespaces_test(versions),
        namespaces_test(no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
