// SPDX-License-Identifier: BSD-2-Clause
// Controllers that no domain may have, or not alone.

#include "tests/host/nvme_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/domain/words.h"
#include "kernel/pci/pci.h"

#include <cmocka.h>

static struct domain_device *function_of(struct model *m)
{
    nvme_init();
    nvme_give_add(world_ctrl(m));
    for (const struct nvme_ns *ns = world_ctrl(m)->namespaces; ns; ns = ns->next)
        ((struct nvme_ns *)ns)->dev.writable = true; // NOLINT
    return domain_function(m);
}

static bool check(struct domain_device *f, unsigned disks)
{
    struct domain_words words = { .disks_count = disks };
    for (unsigned i = 0; i < disks; i++)
        strcpy(words.disks[i], f->ops->disk(f, i));
    return f->ops->check(f, &words, &domain_problem);
}

static void refused(struct domain_device *f, unsigned disks, const char *what, const char *text)
{
    assert_false(check(f, disks));
    assert_string_equal(domain_problem.what, what);
    if (!strstr(domain_problem.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", domain_problem.message, text);
}

static void test_good(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    assert_true(check(f, 1));
    struct domain_registers r = f->ops->registers(f, 2);
    assert_int_equal(r.phys, m->pci.bars[0].base + 0x1000);
    assert_int_equal(r.bytes, 0x1000);
    assert_ptr_equal(domain_device_of(f->ops->disk(f, 0)), f);
    assert_null(domain_device_of("nvme99n1"));
}

static void test_not_to_be_written(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    world_disk(m, 1)->writable = false;
    refused(f, 1, "domain-write", "add allow-write=S123");
}

static void test_other_namespaces(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 2, 9, 1000);
    struct domain_device *f = function_of(m);
    refused(f, 1, "domain-namespaces", "n2 isn't in its disks=");
    assert_true(check(f, 2));
}

static void test_other_way(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    struct block_dev other = { .name = "other1", .same_as = world_disk(m, 1) };
    block_add(&other);
    refused(f, 1, "domain-ways", "the same disk as other1");
    block_remove(&other);
    assert_true(check(f, 1));
}

static void test_vmd(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    struct pci_dev host = { .name = "0000:5d:05.5" };
    struct pci_domain hidden = { .host = &host };
    m->pci.domain = &hidden;
    refused(f, 1, "domain-vmd", "behind the VMD at 0000:5d:05.5");
    m->pci.domain = NULL;
}

static void test_virtual_functions(void **state)
{
    struct model *m = model_new(), *vf = model_new();
    struct domain_device *f = function_of(m);
    vf->pci.physical = &m->pci;
    refused(f, 1, "domain-virtual", vf->pci.name);
}

static void test_table_in_the_page(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    m->table_bar = 0;
    m->table_offset = 0x1ff0;
    refused(f, 1, "domain-registers", "MSI-X table");
    m->table_offset = 0x2000;
    assert_true(check(f, 1));
}

static void test_table_leaves_no_room(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    m->table_bar = 0;
    m->table_offset = 0x1008;
    refused(f, 1, "domain-queues", "no room for one I/O queue");
}

static void test_no_whole_pages(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    m->pci.bars[0].base += 0x800;
    refused(f, 1, "domain-registers", "no whole pages");
    m->pci.bars[0].base -= 0x800;
}

// Doorbells that are pages apart: the admin queue's are not mapped.
static void test_far_apart(void **state)
{
    struct model *m = model_new();
    m->cap |= field_put(NVME_CAP_DSTRD, 10);
    m->pci.bars[0].bytes = 0x40000;
    struct domain_device *f = function_of(m);
    assert_true(check(f, 1));
    struct domain_registers r = f->ops->registers(f, 2);
    assert_int_equal(r.phys, m->pci.bars[0].base + 0x3000);
    assert_int_equal(r.bytes, 0x4000);
}

static void test_older_buffer(void **state)
{
    struct model *m = model_new();
    model_give_cmb(m, false, 0, 0x4000, 0, 1, 2);
    struct domain_device *f = function_of(m);
    refused(f, 1, "domain-registers", "controller memory buffer");
}

static void test_gone(void **state)
{
    struct model *m = model_new();
    struct domain_device *f = function_of(m);
    is_given_up(m);
    refused(f, 1, "domain-disk", "is gone");
}

static int begin(void **state)
{
    domain_world_begin(2);
    return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_good),
        test(test_not_to_be_written),
        test(test_other_namespaces),
        test(test_other_way),
        test(test_vmd),
        test(test_virtual_functions),
        test(test_table_in_the_page),
        test(test_table_leaves_no_room),
        test(test_no_whole_pages),
        test(test_far_apart),
        test(test_older_buffer),
        test(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
