// SPDX-License-Identifier: BSD-2-Clause
// Which disks come of the controllers: their namespaces, those that are passed over, what is said of
// each, and why there is none.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq/irq.h"
#include "tests/host/nvme_fixture.h"

// ---- no disk, and why ----

// In the first world: the driver keeps the controllers of all.
static void no_controller(void **state)
{
    assert_int_equal(nvme_init(), 0);
    nvme_print();
    assert_string_equal(world_last_info(),
                        "NVMe: no PCI function is an NVMe controller (class 01, 08, 02)");
    assert_int_equal(world_warnings(), 0);
}

static void intel_raid(struct model *m, unsigned device)
{
    m->pci.vendor = 0x8086;
    m->pci.device = (uint16_t)device;
    m->pci.class_code = 0x010400;
}

// It has RAID's class, too, but what it hides is found, or its driver has told why not.
static void vmd_is_no_raid(void **state)
{
    struct model *vmd = model_new();
    intel_raid(vmd, 0x201d);
    vmd->pci.is_host = true;
    nvme_init();
    assert_int_equal(world_warnings(), 0);
}

static void not_intels(void **state)
{
    struct model *other = model_new();
    intel_raid(other, 0x201d);
    other->pci.vendor = 0x1000;
    nvme_init();
    assert_int_equal(world_warnings(), 0);
}

static void no_namespace(void **state)
{
    struct model *m = model_new();
    char expected[128];
    m->namespaces[0].nsid = 0;
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    nvme_print();
    snprintf(expected, sizeof(expected), "(%s): it has no namespace that can be read", m->pci.name);
    assert_non_null(strstr(world_last_info(), expected));
}

// ---- namespaces ----

static void many_namespaces(void **state)
{
    struct model *m = model_new();
    m->id.nn = 5000;
    m->alike = 2500; // three pages of the list
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_non_null(world_disk(m, 1024));
    assert_non_null(world_disk(m, 1025));
    assert_non_null(world_disk(m, 2500));
    assert_null(world_disk(m, 2501));
}

static void sparse_namespaces(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 7, 12, 100);
    model_add_namespace(m, 250, 9, 100);
    nvme_init();
    assert_int_equal(namespaces_of(m), 3);
    assert_int_equal(m->namespaces_asked, 3); // by the list, not by trying all
    assert_non_null(strstr(world_disk(m, 250)->name, "n250"));
}

static void namespaces_by_counting(void **state)
{
    struct model *m = model_new();
    m->vs = NVME_VERSION(1, 0);
    m->fail_opcode = NVME_ADMIN_IDENTIFY; // it doesn't know the list
    m->fail_cns = NVME_CNS_ACTIVE_LIST;
    m->fail_status = NVME_STATUS(2, 1);
    model_add_namespace(m, 3, 9, 100);
    starts(m);
    assert_int_equal(namespaces_of(m), 2);
}

static void list_is_refused(void **state)
{
    struct model *m = model_new();
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_ACTIVE_LIST;
    model_add_namespace(m, 3, 9, 100);
    starts(m);
    assert_int_equal(namespaces_of(m), 2);
}

static void bad_namespace_is_passed_over(struct model *m, struct model_namespace *ns,
                                         const char *text)
{
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_null(world_disk(m, ns->nsid));
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), text));
    assert_non_null(strstr(world_last_warning(), "n2: "));
}

static void with_metadata(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = model_add_namespace(m, 2, 9, 100);
    ns->data.lbaf[0] |= 8;
    ns->data.flbas = NVME_FLBAS_EXTENDED;
    bad_namespace_is_passed_over(m, ns, "8 bytes of metadata");
}

static void with_mad_blocks(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = model_add_namespace(m, 2, 40, 100);
    bad_namespace_is_passed_over(m, ns, "blocks of 2^40 bytes");
}

static void that_cannot_be_identified(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = model_add_namespace(m, 2, 9, 100);
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_NAMESPACE;
    m->fail_nsid = 2;
    bad_namespace_is_passed_over(m, ns, "invalid field in command");
}

// It says that all went well, and wrote nothing: what the page held before is another's.
static void silent_namespace(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 2, 9, 100);
    m->silent_nsid = 2;
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_null(world_disk(m, 2));
    assert_int_equal(world_errors(NULL), 0);
}

static void empty_namespace(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 2, 9, 0);
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_null(world_disk(m, 2));
    assert_int_equal(world_warnings(), 0);
}

static void transfer_limits(void **state)
{
    static const struct {
        uint8_t mdts;
        uint64_t bytes;
    } cases[] = { { 0, MIB }, { 1, 8 * KIB }, { 5, 128 * KIB }, { 200, MIB } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        world_begin(2);
        struct model *m = model_new();
        m->id.mdts = cases[i].mdts;
        starts(m);
        assert_int_equal(world_disk(m, 1)->max_transfer, cases[i].bytes);
        world_end();
    }
}

// ---- what tools see ----

static void json_and_names(void **state)
{
    struct model *m = model_new();
    char expected[512];
    m->grants = 1;
    starts(m);
    const struct nvme_ctrl *c = world_ctrl(m);
    nvme_print();
    snprintf(expected, sizeof(expected),
             "{\"type\":\"nvme\",\"filename\":\"%sn1\",\"pci\":\"%s\",\"model\":\"Model Disk\","
             "\"serial\":\"S123\",\"firmware\":\"1.0\",\"nsid\":1,\"size\":536870912,"
             "\"block_size\":512,\"max_transfer\":524288,\"queues\":1,\"urgent_queues\":0,\"queue_"
             "depth\":255,"
             "\"vectors\":1,\"node\":100,\"cmb_queues\":0,\"atomic_write\":512,"
             "\"atomic_write_power_fail\":512,\"write_cache\":false}",
             c->name, m->pci.name);
    assert_string_equal(world_json(), expected);
    snprintf(expected, sizeof(expected), "%sq1", c->name);
    assert_string_equal(m->irqs[0]->name, expected);
    assert_ptr_equal(block_find(world_disk(m, 1)->name, strlen(world_disk(m, 1)->name)),
                     world_disk(m, 1));
    assert_null(block_find("nvme", 4));
}

#define disks_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        disks_test(no_controller),
        disks_test(vmd_is_no_raid),
        disks_test(not_intels),
        disks_test(no_namespace),
        disks_test(many_namespaces),
        disks_test(sparse_namespaces),
        disks_test(namespaces_by_counting),
        disks_test(list_is_refused),
        disks_test(with_metadata),
        disks_test(with_mad_blocks),
        disks_test(that_cannot_be_identified),
        disks_test(silent_namespace),
        disks_test(empty_namespace),
        disks_test(transfer_limits),
        disks_test(json_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
