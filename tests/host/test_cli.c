// SPDX-License-Identifier: BSD-2-Clause
// app=nvme: which commands reach which controller, and what becomes of the answers. That the pages
// are read as nvme-cli reads them is tests/nvme-cli's to show.
#include "drivers/nvme/admin.h"
#include "drivers/nvme/disk.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/prp.h"
#include "lib/mmio.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define CTRLS 3
#define SENT_MOST 64

static struct {
    struct nvme_ctrl ctrls[CTRLS];
    bool zeros; // in all registers
    _Alignas(8) uint8_t pages[CTRLS][NVME_PAGE];
    struct nvme_sqe sent[SENT_MOST];
    const struct nvme_ctrl *to[SENT_MOST];
    size_t count;
    uint32_t nsids[4]; // the active ones
    uint8_t elpe;
    int fail_opcode; // -1: none
    uint32_t value;  // dword 0 of completions
} world;

// ---- the driver ----

struct nvme_ctrl *nvme_first(void)
{
    return world.ctrls;
}

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    uint64_t offset = (uint64_t)((uintptr_t)reg - (uintptr_t)world.ctrls[0].regs);
    if (world.zeros)
        return 0;
    return bytes == 8 ? 0x1122334400000000 + offset : 0x55660000 + offset;
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    fail_msg("app=nvme has no register to write to");
}

static void identify(const struct nvme_ctrl *c, const struct nvme_sqe *sqe)
{
    struct nvme_identify_controller *ctrl = c->page;
    struct nvme_identify_namespace *ns = c->page;

    switch (field_get(NVME_IDENTIFY_CNS, sqe->cdw10)) {
    case NVME_CNS_CONTROLLER:
        ctrl->elpe = world.elpe;
        break;
    case NVME_CNS_ACTIVE_LIST:
        memcpy(c->page, world.nsids, sizeof(world.nsids));
        break;
    case NVME_CNS_NAMESPACE:
        ns->nsze = 1000 * field_get(NVME_SQE_NSID, sqe->head);
        ns->nuse = 10;
        ns->lbaf[0] = (uint32_t)(field_put(NVME_LBAF_LBADS, 12) | field_put(NVME_LBAF_MS, 8));
        break;
    default:
        fail_msg("no such Identify: CDW10 is 0x%x", sqe->cdw10);
    }
}

bool nvme_admin(struct nvme_ctrl *c, struct nvme_sqe *sqe, const char *what, uint32_t *result,
                struct problem *p)
{
    unsigned opcode = (unsigned)field_get(NVME_SQE_OPC, sqe->head);
    assert_true(world.count < SENT_MOST);
    world.to[world.count] = c;
    world.sent[world.count++] = *sqe;
    assert_true(c->running);
    if ((int)opcode == world.fail_opcode)
        return problem_set(p, "nvme-admin-failed", "%s: %s failed", c->label, what);
    if (opcode == NVME_ADMIN_IDENTIFY)
        identify(c, sqe);
    if (result)
        *result = world.value;
    return true;
}

bool nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, const char *what,
                   struct problem *p)
{
    struct nvme_sqe sqe = { .head = NVME_ADMIN_IDENTIFY | field_put(NVME_SQE_NSID, nsid),
                            .cdw10 = cns };
    memset(c->page, 0, NVME_PAGE);
    return nvme_admin(c, &sqe, what, NULL, p);
}

// ---- the test's side ----

static int begin(void **state)
{
    fake_start(1, 0, 512, 1);
    memset(&world, 0, sizeof(world));
    world.fail_opcode = -1;
    world.nsids[0] = 1;
    for (unsigned i = 0; i < CTRLS; i++) {
        struct nvme_ctrl *c = &world.ctrls[i];
        snprintf(c->name, sizeof(c->name), "nvme%u", i ? 9 + i : 1); // nvme1, nvme10, nvme11
        snprintf(c->label, sizeof(c->label), "%s (0000:00:%02x.0)", c->name, i);
        snprintf(c->id.serial, sizeof(c->id.serial), "SN %u", i);
        snprintf(c->id.model, sizeof(c->id.model), "Model");
        snprintf(c->id.firmware, sizeof(c->id.firmware), "1.0");
        c->version = NVME_VERSION(1, 4);
        c->running = true;
        c->regs = (volatile void *)world.pages[i];
        c->page = world.pages[i];
        c->next = i + 1 < CTRLS ? &world.ctrls[i + 1] : NULL;
    }
    return 0;
}

static unsigned opcode(size_t i)
{
    return (unsigned)field_get(NVME_SQE_OPC, world.sent[i].head);
}

static uint32_t nsid(size_t i)
{
    return (uint32_t)field_get(NVME_SQE_NSID, world.sent[i].head);
}

// Refused with this error, and nothing was asked of any controller.
static void refuses(const char *words, const char *what)
{
    begin(NULL);
    fake_run(&app_nvme, words);
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, what);
    assert_int_equal(world.count, 0);
    assert_string_equal(fake.json, "");
}

static void words_that_mean_nothing(void **state)
{
    refuses("cmd=format", "nvme-cli-cmd");
    refuses("cmd=list:", "nvme-cli-cmd");
    refuses("cmd=lis", "nvme-cli-cmd");
    refuses("cmd=list::id-ctrl", "nvme-cli-cmd");
    refuses("filename=nvme2", "nvme-cli-filename");
    refuses("filename=nvme1:", "nvme-cli-filename");
    refuses("filename=nvme1n", "nvme-cli-filename");
    refuses("filename=nvme1n0", "nvme-cli-filename");
    refuses("filename=nvme1n4294967295", "nvme-cli-filename");
    refuses("filename=nvme1x1", "nvme-cli-filename");
    refuses("filename=nvme", "nvme-cli-filename");
}

static void controllers_in_order(void **state)
{
    fake_run(&app_nvme, "cmd=id-ctrl:smart-log");
    assert_int_equal(world.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_ptr_equal(world.to[i], &world.ctrls[i % 3]);
        assert_int_equal(opcode(i), i < 3 ? NVME_ADMIN_IDENTIFY : NVME_ADMIN_GET_LOG_PAGE);
    }
    assert_int_equal(fake.errors, 0);
    expect_line(fake.json, "{\"type\":\"id-ctrl\",\"device\":\"nvme10\",\"vid\":0,");
    expect_line(fake.console, "Smart Log for NVME device:nvme11 namespace-id:ffffffff\n");
}

static void names_that_begin_alike(void **state)
{
    fake_run(&app_nvme, "cmd=id-ns filename=nvme11:nvme1n7:nvme10n2");
    assert_ptr_equal(world.to[0], &world.ctrls[2]); // the list, and its one namespace
    assert_ptr_equal(world.to[1], &world.ctrls[2]);
    assert_ptr_equal(world.to[2], &world.ctrls[0]);
    assert_ptr_equal(world.to[3], &world.ctrls[1]);
    assert_int_equal(world.count, 4);
    assert_int_equal(nsid(1), 1);
    assert_int_equal(nsid(2), 7);
    assert_int_equal(nsid(3), 2);
}

static void each_active_namespace(void **state)
{
    memcpy(world.nsids, (uint32_t[]){ 3, 4, 200 }, sizeof(uint32_t[3]));
    fake_run(&app_nvme, "cmd=id-ns filename=nvme1");
    assert_int_equal(world.count, 4);
    assert_int_equal(world.sent[0].cdw10, NVME_CNS_ACTIVE_LIST);
    assert_int_equal(nsid(1), 3);
    assert_int_equal(nsid(2), 4);
    assert_int_equal(nsid(3), 200);
    expect_line(fake.console, "NVME Identify Namespace 200:\nnsze    : 0x30d40\n");
    expect_line(fake.json, "\"device\":\"nvme1\",\"nsid\":200,\"nsze\":200000,");
}

static void the_word_nsid(void **state)
{
    fake_run(&app_nvme, "cmd=id-ns filename=nvme1:nvme10n3 nsid=5");
    assert_int_equal(world.count, 2);
    assert_int_equal(nsid(0), 5);
    assert_int_equal(nsid(1), 3);
}

// There is no list before 1.1.
static void old_controllers(void **state)
{
    struct nvme_ns second = { .dev.nsid = 2 }, first = { .dev.nsid = 1, .next = &second };
    world.ctrls[0].version = NVME_VERSION(1, 0);
    world.ctrls[0].namespaces = &first;
    fake_run(&app_nvme, "cmd=list filename=nvme1");
    assert_int_equal(world.count, 2);
    assert_int_equal(nsid(0), 1);
    assert_int_equal(nsid(1), 2);
}

static void lists(void **state)
{
    world.nsids[1] = 12;
    fake_run(&app_nvme, "filename=nvme1");
    expect_line(fake.console, "Node                  SN                   Model ");
    expect_line(fake.console, "\nnvme1n12              SN 0                 Model      ");
    expect_line(fake.console, " 12         40.96 kB /  49.15 MB        4 KiB +  8 B   1.0 ");
    expect_line(fake.json,
                "{\"type\":\"list\",\"device\":\"nvme1\",\"NameSpace\":12,\"Firmware\":\"1.0\","
                "\"ModelNumber\":\"Model\",\"SerialNumber\":\"SN 0\",\"UsedBytes\":40960,"
                "\"MaximumLBA\":12000,\"PhysicalSize\":49152000,\"SectorSize\":4096}\n");
}

static void a_controller_that_is_down(void **state)
{
    world.ctrls[0].running = false;
    atomic_store(&world.ctrls[2].gone, true);
    fake_run(&app_nvme, "cmd=id-ctrl");
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, "nvme-cli-down");
    assert_int_equal(world.count, 1);
    expect_line(fake.json, "\"device\":\"nvme10\"");
}

// It is passed over, unless it is asked for.
static void a_controller_that_is_gone(void **state)
{
    atomic_store(&world.ctrls[2].gone, true);
    fake_run(&app_nvme, "cmd=id-ctrl");
    assert_int_equal(fake.errors, 0);
    assert_int_equal(world.count, 2);
    fake_run(&app_nvme, "cmd=id-ctrl filename=nvme11");
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_what, "nvme-cli-down");
}

// ---- logs ----

static void log_pages(void **state)
{
    world.elpe = 3;
    fake_run(&app_nvme, "cmd=smart-log:fw-log:self-test-log:error-log filename=nvme1");
    assert_int_equal(world.count, 5);
    static const uint32_t cdw10[] = { 0x7f8002, 0x7f8003, 0x8c8006, 0x01, 0x3f8001 };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(world.sent[i].cdw10, cdw10[i]);
        if (i != 3) {
            assert_int_equal(nsid(i), 0xffffffff);
            assert_int_equal(world.sent[i].prp1, world.pages[0]);
        }
    }
    expect_line(fake.console, "4 of 4 entries hold no error\n");
}

static void old_controllers_keep_no_event(void **state)
{
    world.ctrls[0].version = NVME_VERSION(1, 2);
    fake_run(&app_nvme, "cmd=smart-log filename=nvme1");
    assert_int_equal(world.sent[0].cdw10, 0x7f0002);
}

static void no_more_errors_than_a_page_has(void **state)
{
    world.elpe = 255;
    fake_run(&app_nvme, "cmd=error-log filename=nvme1 raw=1");
    assert_int_equal(world.sent[1].cdw10, 0x3ff8001);
    expect_line(fake.console, "64 of 64 entries hold no error\n");
    expect_line(fake.console, "\n0ff0: 00000000000000000000000000000000\n");
}

static void failures_are_told(void **state)
{
    world.fail_opcode = NVME_ADMIN_GET_LOG_PAGE;
    fake_run(&app_nvme, "cmd=smart-log:id-ctrl filename=nvme1");
    assert_int_equal(fake.errors, 1);
    assert_string_equal(fake.error_message, "nvme1 (0000:00:00.0): Get Log Page (SMART) failed");
    assert_null(strstr(fake.json, "smart-log"));
    expect_line(fake.json, "id-ctrl"); // the next one is tried
}

// ---- features ----

static void one_feature(void **state)
{
    world.value = 0x157;
    fake_run(&app_nvme, "cmd=get-feature fid=4 sel=saved filename=nvme1n1");
    assert_int_equal(world.count, 1);
    assert_int_equal(opcode(0), NVME_ADMIN_GET_FEATURES);
    assert_int_equal(world.sent[0].cdw10, 0x204);
    assert_int_equal(nsid(0), 1);
    expect_line(fake.console, "get-feature:0x04 (Temperature Threshold), Saved value:0x00000157\n");
    expect_line(fake.json,
                "\"fid\":4,\"feature\":\"Temperature Threshold\",\"sel\":2,\"value\":343}");
}

static void every_feature(void **state)
{
    fake_run(&app_nvme, "cmd=get-feature filename=nvme1");
    assert_int_equal(world.count, 18);
    for (size_t i = 1; i < world.count; i++)
        assert_true(world.sent[i].cdw10 > world.sent[i - 1].cdw10);
    expect_line(fake.console, "get-feature:0x16 (Host Behavior), Current value:0x00000000\n");
}

static void features_that_are_not_there(void **state)
{
    world.fail_opcode = NVME_ADMIN_GET_FEATURES;
    fake_run(&app_nvme, "cmd=get-feature filename=nvme1");
    assert_int_equal(world.count, 18);
    assert_int_equal(fake.errors, 0); // each controller lacks some
    fake_run(&app_nvme, "cmd=get-feature fid=4 filename=nvme1");
    assert_int_equal(fake.errors, 1);
}

static void no_answer_ends_it(void **state)
{
    world.fail_opcode = NVME_ADMIN_GET_FEATURES;
    world.ctrls[0].command.lost = true;
    fake_run(&app_nvme, "cmd=get-feature filename=nvme1");
    assert_int_equal(world.count, 1);
    assert_int_equal(fake.errors, 1);
}

static void a_features_bytes(void **state)
{
    fake_run(&app_nvme, "cmd=get-feature fid=0xe filename=nvme1 raw=1");
    expect_line(fake.json, ",\"raw\":\"0000000000000000\"}");
    fake.json[0] = 0;
    fake_run(&app_nvme, "cmd=get-feature fid=0xe sel=supported filename=nvme1 raw=1");
    expect_line(fake.json, "\"sel\":3,\"value\":0}");
}

// ---- registers ----

static void registers(void **state)
{
    fake_run(&app_nvme, "cmd=show-regs filename=nvme1");
    assert_int_equal(world.count, 0);
    expect_line(fake.console, "cap     : 1122334400000000\n    Controller Ready With Media");
    expect_line(fake.console, " : 16384 bytes\n    Memory Page Size Minimum (MPSMIN)");
    expect_line(fake.console, "\nversion : 55660008\n    NVMe specification: 21862.0\n");
    expect_line(fake.console, "\n    CRIMT: 10931 secs\n    CRWMT: 52 secs\n");
    expect_line(fake.console, "\nasq     : 1122334400000028\n");
    expect_line(fake.console, "(ASQB): 0x1122334400000000\n");
    expect_line(fake.console, "(OFST)");
    expect_line(fake.console, "(PMRTO)");
    assert_null(strstr(fake.console, "intm")); // not to be touched with MSI-X on
}

static void registers_of_memories_that_are_not_there(void **state)
{
    world.zeros = true;
    fake_run(&app_nvme, "cmd=show-regs filename=nvme1");
    expect_line(fake.console, "\ncmbloc  : 0\ncmbsz   : 0\nbpinfo  : 0\n");
    expect_line(fake.console,
                "\npmrcap  : 0\npmrctl  : 0\npmrsts  : 0\npmrebs  : 0\npmrswtp : 0\n");
    expect_line(fake.console, "\n    Maximum Queue Entries Supported (MQES)               : 1\n");
}

// ---- what changes a disk ----

static void changes_are_refused(void **state)
{
    refuses("cmd=set-feature fid=6 value=0 filename=nvme1", "nvme-cli-refused");
    expect_line(fake.error_message, "allow-write=SN%200");
    refuses("cmd=device-self-test filename=nvme10", "nvme-cli-refused");
    expect_line(fake.error_message, "allow-write=SN%201");
    refuses("cmd=set-feature value=1 filename=nvme1", "nvme-cli-words");
    refuses("cmd=set-feature fid=6 filename=nvme1", "nvme-cli-words");
    refuses("cmd=set-feature fid=0xc value=1 filename=nvme1", "nvme-cli-words");
}

static struct nvme_ns writable = { .dev.writable = true };

static void features_of_named_disks_are_set(void **state)
{
    world.ctrls[0].namespaces = &writable;
    fake_run(&app_nvme, "cmd=set-feature fid=4 value=0x150 save=1 filename=nvme1n1");
    assert_int_equal(world.count, 1);
    assert_int_equal(opcode(0), NVME_ADMIN_SET_FEATURES);
    assert_int_equal(world.sent[0].cdw10, 0x80000004);
    assert_int_equal(world.sent[0].cdw11, 0x150);
    assert_int_equal(nsid(0), 1);
    expect_line(fake.console,
                "set-feature:0x04 (Temperature Threshold), value:0x00000150, save:1\n");
    expect_line(fake.json, "\"value\":336,\"save\":true}");
}

static void self_test(const char *words, uint32_t cdw10, uint32_t of, const char *said)
{
    begin(NULL);
    world.ctrls[0].namespaces = &writable;
    fake_run(&app_nvme, words);
    assert_int_equal(world.count, 1);
    assert_int_equal(opcode(0), NVME_ADMIN_SELF_TEST);
    assert_int_equal(world.sent[0].cdw10, cdw10);
    assert_int_equal(nsid(0), of);
    expect_line(fake.console, said);
}

static void named_disks_test_themselves(void **state)
{
    self_test("cmd=device-self-test filename=nvme1", 1, 0xffffffff,
              "Short Device self-test started");
    self_test("cmd=device-self-test stc=extended filename=nvme1n2", 2, 2,
              "Extended Device self-test started");
    self_test("cmd=device-self-test stc=abort nsid=3 filename=nvme1", 0xf, 3,
              "Aborting device self-test operation");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(words_that_mean_nothing, begin, fake_stop),
        cmocka_unit_test_setup_teardown(controllers_in_order, begin, fake_stop),
        cmocka_unit_test_setup_teardown(names_that_begin_alike, begin, fake_stop),
        cmocka_unit_test_setup_teardown(each_active_namespace, begin, fake_stop),
        cmocka_unit_test_setup_teardown(the_word_nsid, begin, fake_stop),
        cmocka_unit_test_setup_teardown(old_controllers, begin, fake_stop),
        cmocka_unit_test_setup_teardown(lists, begin, fake_stop),
        cmocka_unit_test_setup_teardown(a_controller_that_is_down, begin, fake_stop),
        cmocka_unit_test_setup_teardown(a_controller_that_is_gone, begin, fake_stop),
        cmocka_unit_test_setup_teardown(log_pages, begin, fake_stop),
        cmocka_unit_test_setup_teardown(old_controllers_keep_no_event, begin, fake_stop),
        cmocka_unit_test_setup_teardown(no_more_errors_than_a_page_has, begin, fake_stop),
        cmocka_unit_test_setup_teardown(failures_are_told, begin, fake_stop),
        cmocka_unit_test_setup_teardown(one_feature, begin, fake_stop),
        cmocka_unit_test_setup_teardown(every_feature, begin, fake_stop),
        cmocka_unit_test_setup_teardown(features_that_are_not_there, begin, fake_stop),
        cmocka_unit_test_setup_teardown(no_answer_ends_it, begin, fake_stop),
        cmocka_unit_test_setup_teardown(a_features_bytes, begin, fake_stop),
        cmocka_unit_test_setup_teardown(registers, begin, fake_stop),
        cmocka_unit_test_setup_teardown(registers_of_memories_that_are_not_there, begin, fake_stop),
        cmocka_unit_test_setup_teardown(changes_are_refused, begin, fake_stop),
        cmocka_unit_test_setup_teardown(features_of_named_disks_are_set, begin, fake_stop),
        cmocka_unit_test_setup_teardown(named_disks_test_themselves, begin, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
