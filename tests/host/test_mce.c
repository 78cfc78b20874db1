// SPDX-License-Identifier: BSD-2-Clause
// Machine-check banks, modelled as registers: what is told, cleared, and left alone.

#include "kernel/base/report.h" // before cmocka, whose fail() is a macro

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/x86/mce.h"

#define BANKS 6
#define VALID (1ull << 63)
#define OVER (1ull << 62)
#define UC (1ull << 61)
#define MISCV (1ull << 59)
#define ADDRV (1ull << 58)
#define PCC (1ull << 57)
#define SIGNALLED (1ull << 56)
#define CAP_CTL (1ull << 8)
#define CAP_SER (1ull << 24)

static struct {
    uint64_t cap, status, ctl;
    uint64_t bank[BANKS][4]; // CTL, STATUS, ADDR, MISC
} m;

static unsigned warnings, objects;
static char what[64], warning[256], object[512];

unsigned cpu_index(void)
{
    return 3;
}

void warn(const char *id, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    snprintf(what, sizeof(what), "%s", id);
    vsnprintf(warning, sizeof(warning), fmt, args);
    va_end(args);
    warnings++;
}

void report_json(struct json *j)
{
    objects++;
    snprintf(object, sizeof(object), "%s", json_end(j));
}

uint64_t rdmsr(uint32_t msr)
{
    if (msr == 0x179)
        return m.cap;
    if (msr == 0x17a)
        return m.status;
    assert_in_range(msr, 0x400, 0x400 + 4 * BANKS - 1);
    const uint64_t *bank = m.bank[(msr - 0x400) / 4];
    unsigned which = msr % 4;
    assert_true(which != 2 || bank[1] & ADDRV); // else there may be no such register
    assert_true(which != 3 || bank[1] & MISCV);
    return bank[which];
}

void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == 0x17a) {
        m.status = value;
        return;
    }
    if (msr == 0x17b) {
        assert_true(m.cap & CAP_CTL);
        m.ctl = value;
        return;
    }
    assert_in_range(msr, 0x400, 0x400 + 4 * BANKS - 1);
    unsigned i = (msr - 0x400) / 4, which = msr % 4;
    assert_true(which < 2);
    assert_true(which != 1 || value == 0); // anything else is a general protection fault
    assert_true(which != 0 || m.bank[i][1] == 0);
    m.bank[i][which] = value;
}

static int begin(void **state)
{
    memset(&m, 0, sizeof(m));
    m.cap = BANKS;
    warnings = objects = 0;
    return 0;
}

static void log_error(unsigned bank, uint64_t status)
{
    m.bank[bank][1] = status;
    m.bank[bank][2] = 0x1234;
    m.bank[bank][3] = 0x86;
}

static void all_banks_are_enabled(void **state)
{
    m.cap |= CAP_CTL;
    m.status = 4; // MCIP: the next one would be the last
    mce_start_cpu();
    for (unsigned i = 0; i < BANKS; i++)
        assert_int_equal(m.bank[i][0], ~0ull);
    assert_int_equal(m.ctl, ~0ull);
    assert_int_equal(m.status, 0);
    assert_int_equal(warnings, 0);
}

static void what_was_left_is_told_and_cleared(void **state)
{
    log_error(2, VALID | UC | PCC | ADDRV | 0x135); // even what no poll would take
    log_error(4, 0x135);                            // not valid
    mce_start_cpu();
    assert_int_equal(warnings, 1);
    assert_string_equal(what, "machine-check-left");
    assert_non_null(strstr(warning, "CPU 3, machine-check bank 2: STATUS a600000000000135 "
                                    "ADDR 0000000000001234 MISC 0000000000000000"));
    assert_non_null(strstr(object, "\"type\":\"machine_check\",\"what\":\"machine-check-left\","
                                   "\"cpu\":3,\"bank\":2,"));
    for (unsigned i = 0; i < BANKS; i++)
        assert_int_equal(m.bank[i][1], 0);
}

static void corrected_ones_are_told_once(void **state)
{
    mce_poll();
    assert_int_equal(warnings, 0);
    log_error(5, VALID | OVER | MISCV | 0x9f);
    mce_poll();
    mce_poll();
    assert_int_equal(warnings, 1);
    assert_string_equal(what, "machine-check-corrected");
    assert_non_null(strstr(warning, "MISC 0000000000000086: corrected errors"));
    assert_int_equal(m.bank[5][1], 0);
    assert_int_equal(m.bank[5][0], 0); // nothing else is touched
}

// They are the exception's, which is on its way.
static void signalled_ones_are_left(void **state)
{
    static const struct {
        uint64_t status, cap;
        bool silent;
    } errors[] = {
        { VALID, 0, true },
        { VALID, CAP_SER, true },
        { VALID | UC, 0, false },
        { VALID | UC, CAP_SER, true },
        { VALID | UC | SIGNALLED, CAP_SER, false },
        { VALID | UC | PCC, CAP_SER, false },
        { VALID | UC | PCC | SIGNALLED, CAP_SER, false },
        { UC, CAP_SER, false },
        { 0, 0, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        begin(state);
        m.cap |= errors[i].cap;
        log_error(1, errors[i].status);
        mce_poll();
        assert_int_equal(objects, errors[i].silent);
        assert_int_equal(m.bank[1][1], errors[i].silent ? 0 : errors[i].status);
    }
}

static void reading_changes_nothing(void **state)
{
    struct mce_log log;
    m.status = 5;
    log_error(0, VALID | UC | ADDRV);
    log_error(3, VALID | MISCV);
    mce_read(&log);
    assert_int_equal(log.mcg_status, 5);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.banks[0].bank, 0);
    assert_int_equal(log.banks[0].addr, 0x1234);
    assert_int_equal(log.banks[0].misc, 0);
    assert_int_equal(log.banks[1].bank, 3);
    assert_int_equal(log.banks[1].misc, 0x86);
    assert_int_equal(m.bank[0][1], VALID | UC | ADDRV);
    assert_int_equal(warnings + objects, 0);
}

// Tools are told of each one; people have seen enough.
static void a_storm_does_not_fill_the_console(void **state)
{
    for (unsigned i = 0; i < 50; i++) {
        log_error(1, VALID | 0x9f);
        mce_poll();
    }
    assert_int_equal(objects, 50);
    assert_true(warnings <= 10);
    assert_int_equal(m.bank[1][1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_banks_are_enabled, begin),
        cmocka_unit_test_setup(what_was_left_is_told_and_cleared, begin),
        cmocka_unit_test_setup(corrected_ones_are_told_once, begin),
        cmocka_unit_test_setup(signalled_ones_are_left, begin),
        cmocka_unit_test_setup(reading_changes_nothing, begin),
        cmocka_unit_test_setup(a_storm_does_not_fill_the_console, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
