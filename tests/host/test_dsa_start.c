// SPDX-License-Identifier: BSD-2-Clause
// Accelerators on their way up and down, on a model of their registers.

#include <setjmp.h>
#include <stdarg.h>

#include <string.h>

#include "tests/host/dsa_model.h"

#include <cmocka.h>

static int begin(void **state)
{
    dsa_machine(IRQ_ADAPTIVE, 2);
    return 0;
}

static int finish(void **state)
{
    dsa_end_machine();
    return 0;
}

static unsigned devices(void)
{
    unsigned count = 0;
    for (const struct copy_dev *dev = copy_first(); dev; dev = dev->next)
        count++;
    return count;
}

static void comes_up(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_boot("");
    if (told.warnings)
        fail_msg("%s", told.warning);
    assert_int_equal(devices(), 1);
    const struct copy_dev *dev = copy_first();
    assert_string_equal(dev->name, "dsa0");
    assert_int_equal(dev->queues, 2); // one for each CPU
    assert_int_equal(dev->depth, 64);
    assert_int_equal(dev->ops, BIT32(COPY_OPS) - 1);
    assert_int_equal(dev->most, 1u << 31);
    assert_true(dsa_model_is_master(m));
    assert_int_equal(dsa_model_get(m, 0x90, 4), 1);
    assert_int_equal(dsa_model_get(m, 0x88, 4), 3);
    assert_int_equal(dsa_model_get(m, 0x600, 8), 3);  // the group's WQs,
    assert_int_equal(dsa_model_get(m, 0x620, 8), 15); // its engines,
    assert_int_equal(dsa_model_get(m, 0x628, 8), 96u << 20);
    for (unsigned wq = 0; wq < 2; wq++) {
        assert_int_equal(dsa_model_get(m, 0x800 + 32 * wq, 4), 64);
        assert_int_equal(dsa_model_get(m, 0x808 + 32 * wq, 4), 0x11);
        assert_int_equal(dsa_model_get(m, 0x80c + 32 * wq, 4), 31 | 10 << 5);
        assert_int_equal(dsa_model_get(m, 0x818 + 32 * wq, 4) >> 30, 1);
    }
    assert_string_equal(told.info, "dsa0 0000:00:04.0: Intel DSA (Sapphire Rapids) 1.0: 2 work "
                                   "queues of 64 entries, 4 engines, by MOVDIR64B");
    assert_non_null(strstr(told.json, "\"type\":\"dsa\",\"name\":\"dsa0\",\"pci\":\"0000:00:04.0\","
                                      "\"version\":256,\"queues\":2,\"depth\":64,\"engines\":4"));
}

static void goes_down(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_boot("");
    dsa_shutdown();
    assert_int_equal(devices(), 0);
    assert_int_equal(m->commands[7], 2);
    assert_int_equal(m->commands[2], 1);
    assert_int_equal(m->commands[4], 0); // nothing had to be aborted
    assert_int_equal(dsa_model_get(m, 0x90, 4), 0);
    assert_false(dsa_model_is_master(m));
    assert_null(irq_first());
    assert_int_equal(told.warnings, 0);
}

static void one_queue(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_boot("dsa.queues=1");
    assert_int_equal(copy_first()->queues, 1);
    assert_int_equal(copy_first()->depth, 128);
    assert_int_equal(dsa_model_get(m, 0x600, 8), 1);
    assert_int_equal(dsa_model_get(m, 0x820, 4), 0);
}

static void two_devices(void **state)
{
    dsa_model_new();
    dsa_model_new();
    dsa_boot("");
    assert_int_equal(devices(), 2);
    assert_string_equal(copy_first()->next->name, "dsa1");
}

// Left running by firmware: a reset comes before anything is written to its tables.
static void left_running(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_model_set(m, 0x90, 1, 4);
    dsa_model_set(m, 0x818, 1u << 30, 4);
    dsa_boot("");
    assert_int_equal(told.warnings, 0);
    assert_int_equal(devices(), 1);
}

static void asks_handles(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_model_ask_handles(m);
    dsa_boot("");
    assert_int_equal(m->commands[13], 2);
    assert_int_equal(m->handles[0], 0);
    assert_int_equal(m->handles[1], 0x4001);
    assert_int_equal(m->handles[2], 0x4002);
}

// ---- refused, each by one sentence; and nothing of it stays on ----

static void refused(const struct dsa_model *m, const char *what, const char *words)
{
    dsa_boot("");
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.warning_what, what);
    if (!strstr(told.warning, words))
        fail_msg("%s", told.warning);
    assert_int_equal(devices(), 0);
    assert_false(dsa_model_is_master(m));
    assert_null(irq_first());
}

static void without_movdir64b(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_set_movdir64b(false);
    refused(m, "dsa-movdir64b", "MOVDIR64B (CPUID 7, ECX bit 28)");
}

// The other half of the announcement is another device's.
static void half_announced(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_set_movdir64b(false);
    dsa_model_config(m, 0x2c, 0x1af4, 2);
    refused(m, "dsa-movdir64b", "MOVDIR64B");
}

static void by_stores(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_set_movdir64b(false);
    dsa_model_config(m, 0x2c, 0x4f421af4, 4);
    dsa_boot("");
    assert_int_equal(told.warnings, 0);
    assert_non_null(strstr(told.info, "by stores of 8 bytes"));
    assert_non_null(strstr(told.json, "\"movdir64b\":false"));
}

static void bad_capability(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_model_set(m, 0x38, 0, 8);
    refused(m, "dsa-engines", "dsa0 (0000:00:04.0): Intel DSA: 0 engines");
}

static void reset_hangs(void **state)
{
    struct dsa_model *m = dsa_model_new();
    m->stuck = 5;
    refused(m, "dsa-command", "command \"reset device\" has no end");
}

static void reset_in_vain(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_model_set(m, 0x90, 1, 4);
    m->refuse = 5; // with no error
    refused(m, "dsa-reset", "after a reset its state is 1");
}

static void not_enabled(void **state)
{
    struct dsa_model *m = dsa_model_new();
    m->refuse = 1;
    m->refusal = 0x18;
    refused(m, "dsa-command",
            "command \"enable device\" (operand 0x0) failed: a group's read buffers or its "
            "bandwidth limit are wrong "
            "(CMDSTATUS 0x00000018)");
}

static void queue_not_enabled(void **state)
{
    struct dsa_model *m = dsa_model_new();
    m->refuse = 6;
    m->refusal = 0x22;
    refused(m, "dsa-command", "command \"enable WQ\" (operand 0x0) failed: the work queue has no");
}

static void queue_enabled_in_vain(void **state)
{
    struct dsa_model *m = dsa_model_new();
    m->refuse = 6;
    refused(m, "dsa-queue", "WQ 0 isn't enabled");
}

static void no_handle(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_model_ask_handles(m);
    m->refuse = 13;
    m->refusal = 0x42;
    refused(m, "dsa-command", "no more interrupt handles");
}

// It doesn't end the others' way up.
static void one_is_bad(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_model_set(m, 0x00, UINT32_MAX, 4);
    dsa_model_new();
    dsa_boot("");
    assert_int_equal(told.warnings, 1);
    assert_int_equal(devices(), 1);
    assert_string_equal(copy_first()->name, "dsa1");
}

// A device that doesn't come to an end loses its bus mastering all the same.
static void ends_badly(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_boot("");
    m->stuck = 7;
    dsa_shutdown();
    assert_false(dsa_model_is_master(m));
    assert_null(irq_first());
}

static void is_aborted(void **state)
{
    struct dsa_model *m = dsa_model_new();
    dsa_boot("");
    m->refuse = 7;
    m->refusal = 3;
    dsa_shutdown();
    assert_int_equal(m->commands[4], 1);
    assert_false(dsa_model_is_master(m));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_up),          TEST(goes_down),         TEST(one_queue),
        TEST(two_devices),       TEST(left_running),      TEST(asks_handles),
        TEST(without_movdir64b), TEST(half_announced),    TEST(by_stores),
        TEST(bad_capability),    TEST(reset_hangs),       TEST(reset_in_vain),
        TEST(not_enabled),       TEST(queue_not_enabled), TEST(queue_enabled_in_vain),
        TEST(no_handle),         TEST(one_is_bad),        TEST(ends_badly),
        TEST(is_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
