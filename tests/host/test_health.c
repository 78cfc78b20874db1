// SPDX-License-Identifier: BSD-2-Clause
// The disks' state before and after an app's work: what SMART tells, and what becomes of it.
#include "apps/health.h"
#include "drivers/nvme/admin.h"
#include "drivers/nvme/disk.h"
#include "drivers/nvme/health.h"
#include "drivers/nvme/prp.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static struct {
    struct pci_dev pci;
    struct nvme_ctrl ctrl;
    struct nvme_ns ns;
    struct nvme_smart_log log;
    _Alignas(8) uint8_t page[NVME_PAGE];
    struct nvme_sqe sent;
    unsigned commands;
    bool fails;
    struct nvme_admin_command *waiting;
    bool answers;
    uint32_t status;
    struct disks disks;
    unsigned warnings;
    char told[512];
} world;

// ---- the driver's surroundings ----

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt;
}

bool nvme_admin(struct nvme_ctrl *c, struct nvme_sqe *sqe, const char *what, uint32_t *result,
                struct problem *p)
{
    world.commands++;
    world.sent = *sqe;
    if (world.fails)
        return problem_set(p, "nvme-admin-failed", "%s failed", what);
    memcpy(c->page, &world.log, sizeof(world.log));
    return true;
}

bool nvme_admin_send(struct nvme_ctrl *c, struct nvme_sqe *sqe, struct nvme_admin_command *command)
{
    world.commands++;
    world.sent = *sqe;
    if (world.fails)
        return false;
    assert_null(world.waiting);
    world.waiting = command;
    return true;
}

// Answers what was sent, if `answers`.
void nvme_admin_poll(struct nvme_ctrl *c)
{
    struct nvme_admin_command *command = world.waiting;
    if (!command || !world.answers)
        return;
    memcpy((void *)(uintptr_t)world.sent.prp1, &world.log, sizeof(world.log)); // NOLINT
    world.waiting = NULL;
    command->status = world.status;
    command->done(command);
}

void warn(const char *what, const char *fmt, ...)
{
    va_list args;
    world.warnings++;
    va_start(args, fmt);
    int used = snprintf(world.told, sizeof(world.told), "%s: ", what);
    format_text_v(world.told + used, sizeof(world.told) - (size_t)used, fmt, args);
    va_end(args);
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

// ---- the driver ----

static int begin(void **state)
{
    fake_start(1, 2, 512, 64);
    memset(&world, 0, sizeof(world));
    world.pci.node = FAKE_NODE(0);
    world.ctrl = (struct nvme_ctrl){
        .dev = &world.pci, .running = true, .page = world.page, .version = NVME_VERSION(1, 4)
    };
    world.ns.ctrl = &world.ctrl;
    world.ns.dev = (struct block_dev){ .driver = &world.ns,
                                       .name = "nvme0n1",
                                       .health = nvme_health,
                                       .sample_health = nvme_sample_health };
    world.answers = true;
    world.log = (struct nvme_smart_log){
        .temperature = 310,
        .avail_spare = 100,
        .percent_used = 3,
        .data_units_read = { 1000 },
        .data_units_written = { 50 },
        .media_errors = { 7 },
        .num_err_log_entries = { 12 },
        .warning_temp_time = 5,
        .critical_comp_time = 2,
    };
    world.disks.list[0] = &world.ns.dev;
    world.disks.count = 1;
    return 0;
}

static void smart_as_health(void **state)
{
    struct block_health h;
    world.log.critical_warning = 0x4;
    assert_true(nvme_health(&world.ns.dev, &h));
    assert_int_equal(world.sent.cdw10, 0x7f8002);
    assert_int_equal(h.kelvin, 310);
    assert_int_equal(h.warnings, 4);
    assert_int_equal(h.spare_percent, 100);
    assert_int_equal(h.used_percent, 3);
    assert_int_equal(h.bytes_read, 512000000);
    assert_int_equal(h.bytes_written, 25600000);
    assert_int_equal(h.media_errors, 7);
    assert_int_equal(h.logged_errors, 12);
    assert_int_equal(h.hot_minutes, 7);
}

static void no_answer_is_warned_of(void **state)
{
    struct block_health h;
    world.fails = true;
    assert_false(nvme_health(&world.ns.dev, &h));
    assert_int_equal(world.warnings, 1);
    expect_line(world.told, "nvme-admin-failed: Get Log Page (SMART) failed");
}

static void nobody_asks_what_is_gone(void **state)
{
    struct block_health h;
    atomic_store(&world.ctrl.gone, true);
    assert_false(nvme_health(&world.ns.dev, &h));
    atomic_store(&world.ctrl.gone, false);
    world.ctrl.running = false;
    assert_false(nvme_health(&world.ns.dev, &h));
    assert_int_equal(world.commands, 0);
    assert_int_equal(world.warnings, 0);
}

// ---- before and after ----

static void what_has_changed(void **state)
{
    struct health *h = health_begin(&world.disks);
    world.log.temperature = 325;
    world.log.data_units_read[0] += 2000;
    world.log.num_err_log_entries[0] += 2;
    world.log.warning_temp_time += 1;
    health_report(h);
    expect_line(fake.console, "disk     before  most  after  used  spare     read  written  "
                              "media errors  errors logged\n"
                              "nvme0n1    37 C  52 C   52 C    3%   100%  1.02 GB   0.00 B  "
                              "           0              2\n"
                              "\n");
    assert_string_equal(
        fake.json,
        "{\"type\":\"health\",\"filename\":\"nvme0n1\",\"kelvin_before\":310,"
        "\"kelvin_most\":325,\"kelvin_after\":325,\"critical_warning\":0,\"percent_used\":3,"
        "\"avail_spare\":100,\"bytes_read\":1024000000,\"bytes_written\":0,"
        "\"media_errors\":0,\"num_err_log_entries\":2,\"hot_minutes\":1}\n");
    assert_int_equal(world.warnings, 0);
}

static void errors_of_the_media_are_warned_of(void **state)
{
    struct health *h = health_begin(&world.disks);
    world.log.media_errors[0] += 1;
    health_report(h);
    assert_int_equal(world.warnings, 1);
    expect_line(world.told, "disk-media: nvme0n1: 1 more error of its media");
}

static void a_disk_warns_of_itself(void **state)
{
    struct health *h = health_begin(&world.disks);
    world.log.critical_warning = 0x10;
    health_report(h);
    assert_int_equal(world.warnings, 1);
    expect_line(world.told, "disk-health: nvme0n1: ");
    expect_line(world.told, "warning 0x10)");
}

// Of another kind, and one that fails in between.
static void disks_that_do_not_tell(void **state)
{
    struct health *h;
    world.disks.list[1] = world.disks.list[0];
    world.disks.list[0] = &fake.disks[0].dev;
    world.disks.count = 2;
    h = health_begin(&world.disks);
    health_sample(h);
    health_report(h);
    assert_null(strstr(fake.json, "\"filename\":\"\"")); // the first has no health
    expect_line(fake.console, "\nnvme0n1    37 C");

    fake.console[0] = fake.json[0] = 0;
    h = health_begin(&world.disks);
    world.fails = true;
    health_report(h);
    assert_string_equal(fake.console, "");
    assert_string_equal(fake.json, "");
}

// ---- in between ----

static uint16_t most(void)
{
    struct block_health h;
    assert_true(nvme_health(&world.ns.dev, &h));
    return h.kelvin_most;
}

static void the_highest_temperature_stays(void **state)
{
    struct health *h = health_begin(&world.disks);
    assert_int_equal(most(), 310);
    world.log.temperature = 350;
    health_sample(h); // is answered
    assert_int_equal(health_kelvin(h, 0), 310);
    health_sample(h); // by then
    assert_int_equal(health_kelvin(h, 0), 350);
    world.log.temperature = 340;
    health_sample(h);
    world.log.temperature = 320;
    assert_int_equal(most(), 350);
    health_report(h);
    expect_line(fake.json, "\"kelvin_before\":310,\"kelvin_most\":350,\"kelvin_after\":320,");
}

static void one_sample_at_a_time(void **state)
{
    struct health *h = health_begin(&world.disks);
    world.answers = false;
    world.commands = 0;
    health_sample(h);
    health_sample(h);
    assert_int_equal(world.commands, 1);
    world.waiting = NULL; // a reset forgets it
    world.ctrl.sampling = false;
    health_sample(h);
    assert_int_equal(world.commands, 2);
}

static void samples_that_fail_count_for_nothing(void **state)
{
    struct health *h = health_begin(&world.disks);
    world.log.temperature = 400;
    world.status = 0x2;
    health_sample(h);
    health_sample(h);
    world.log.temperature = 311;
    assert_int_equal(most(), 311);

    world.waiting = NULL;
    world.ctrl.sampling = false;
    world.fails = true; // no slot is free
    health_sample(h);
    assert_false(world.ctrl.sampling);
}

static void nobody_samples_what_is_down(void **state)
{
    struct health *h = health_begin(&world.disks);
    world.commands = 0;
    world.ctrl.resetting = true;
    health_sample(h);
    world.ctrl.resetting = false;
    world.ctrl.running = false;
    health_sample(h);
    world.ctrl.running = true;
    atomic_store(&world.ctrl.gone, true);
    health_sample(h);
    assert_int_equal(world.commands, 0);
}

static void nothing_without_a_begin(void **state)
{
    health_report(NULL);
    assert_string_equal(fake.console, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(smart_as_health, begin, fake_stop),
        cmocka_unit_test_setup_teardown(no_answer_is_warned_of, begin, fake_stop),
        cmocka_unit_test_setup_teardown(nobody_asks_what_is_gone, begin, fake_stop),
        cmocka_unit_test_setup_teardown(what_has_changed, begin, fake_stop),
        cmocka_unit_test_setup_teardown(errors_of_the_media_are_warned_of, begin, fake_stop),
        cmocka_unit_test_setup_teardown(a_disk_warns_of_itself, begin, fake_stop),
        cmocka_unit_test_setup_teardown(disks_that_do_not_tell, begin, fake_stop),
        cmocka_unit_test_setup_teardown(the_highest_temperature_stays, begin, fake_stop),
        cmocka_unit_test_setup_teardown(one_sample_at_a_time, begin, fake_stop),
        cmocka_unit_test_setup_teardown(samples_that_fail_count_for_nothing, begin, fake_stop),
        cmocka_unit_test_setup_teardown(nobody_samples_what_is_down, begin, fake_stop),
        cmocka_unit_test_setup_teardown(nothing_without_a_begin, begin, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
