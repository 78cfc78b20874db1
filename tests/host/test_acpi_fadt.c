// SPDX-License-Identifier: BSD-2-Clause
// The parser of the FADT: both places of each register, what can't be used of either, and a table
// that ends anywhere.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

enum {
    DSDT = 40,
    SMI_CMD = 48,
    ACPI_ENABLE = 52,
    PM1A_CNT = 64,
    PM1B_CNT = 68,
    PM_TMR = 76,
    PM_TMR_LEN = 91,
    BOOT_ARCH = 109,
    FLAGS = 112,
    RESET_REG = 116,
    RESET_VALUE = 128,
    X_DSDT = 140,
    X_PM1A_CNT = 172,
    X_PM1B_CNT = 184,
    X_PM_TMR = 208,
};

static void set_gas(struct blob *b, size_t at, unsigned space, uint64_t address)
{
    blob_set(b, at, space, 1);
    blob_set(b, at + 1, 32, 1);
    blob_set(b, at + 4, address, 8);
}

static void build_fadt(struct blob *b)
{
    blob_header(b, "FACP", 6);
    blob_pad(b, 276);
    blob_set(b, DSDT, 0x7000, 4);
    blob_set(b, SMI_CMD, 0xb2, 4);
    blob_set(b, ACPI_ENABLE, 0xa0, 1);
    blob_set(b, PM1A_CNT, 0x604, 4);
    blob_set(b, PM_TMR, 0x608, 4);
    blob_set(b, PM_TMR_LEN, 4, 1);
    blob_set(b, FLAGS, 1u << 8 | 1u << 10, 4);
    set_gas(b, RESET_REG, 1, 0xcf9);
    blob_set(b, RESET_VALUE, 0x0f, 1);
    blob_finish(b);
}

static struct fadt parse_fadt(struct blob *b)
{
    struct fadt f;
    struct problem p;
    blob_finish(b);
    assert_true(COPY_PARSE(fadt_parse, b, &f, &p));
    return f;
}

static void test_fadt_ports(void **state)
{
    struct blob b;
    build_fadt(&b);
    struct fadt f = parse_fadt(&b);
    assert_int_equal(f.pm_timer, 0x608);
    assert_true(f.pm_timer_io);
    assert_true(f.pm_timer_32bit);
    assert_int_equal(f.reset, 0xcf9);
    assert_true(f.reset_io);
    assert_int_equal(f.reset_value, 0x0f);
    assert_int_equal(f.pm1a_control, 0x604);
    assert_int_equal(f.pm1b_control, 0);
    assert_int_equal(f.smi_command, 0xb2);
    assert_int_equal(f.acpi_enable, 0xa0);
    assert_int_equal(f.dsdt, 0x7000);
}

static void test_fadt_extended(void **state)
{
    struct blob b;
    build_fadt(&b);
    blob_set(&b, X_DSDT, 0x123456789, 8);
    set_gas(&b, X_PM1A_CNT, 1, 0x1804);
    set_gas(&b, X_PM1B_CNT, 1, 0x1904);
    set_gas(&b, X_PM_TMR, 0, 0xfe001008);
    set_gas(&b, RESET_REG, 0, 0xfe002000);
    struct fadt f = parse_fadt(&b);
    assert_int_equal(f.pm_timer, 0xfe001008);
    assert_false(f.pm_timer_io);
    assert_int_equal(f.pm1a_control, 0x1804);
    assert_int_equal(f.pm1b_control, 0x1904);
    assert_int_equal(f.dsdt, 0x123456789);
    assert_int_equal(f.reset, 0xfe002000);
    assert_false(f.reset_io);
}

// Fields that can't be used give way to the old ones, or to none.
static void test_fadt_unusable(void **state)
{
    struct blob b;
    build_fadt(&b);
    set_gas(&b, X_PM_TMR, 2, 0x1808);       // configuration space
    set_gas(&b, X_PM1A_CNT, 0, 0xfe000004); // memory, where a port is wanted
    set_gas(&b, X_PM1B_CNT, 1, 0x11904);    // no such port
    set_gas(&b, RESET_REG, 2, 0xcf9);
    struct fadt f = parse_fadt(&b);
    assert_int_equal(f.pm_timer, 0x608);
    assert_true(f.pm_timer_io);
    assert_int_equal(f.pm1a_control, 0x604);
    assert_int_equal(f.pm1b_control, 0);
    assert_int_equal(f.reset, 0);
    set_gas(&b, X_PM_TMR, 1, 0x11808);
    assert_int_equal(parse_fadt(&b).pm_timer, 0x608);
    set_gas(&b, X_PM_TMR, 0, 1ull << 52);
    blob_set(&b, PM_TMR, 0x10608, 4);
    blob_set(&b, PM1A_CNT, 0x10604, 4);
    blob_set(&b, SMI_CMD, 0x100b2, 4);
    f = parse_fadt(&b);
    assert_int_equal(f.pm_timer, 0);
    assert_int_equal(f.pm1a_control, 0);
    assert_int_equal(f.smi_command, 0);
}

// The last port there is, in either field, and where the extended one can't be used.
static void test_fadt_last_port(void **state)
{
    struct blob b;
    build_fadt(&b);
    blob_set(&b, PM1A_CNT, 0xffff, 4);
    blob_set(&b, SMI_CMD, 0xffff, 4);
    blob_set(&b, PM_TMR, 0xffff, 4);
    assert_int_equal(parse_fadt(&b).pm1a_control, 0xffff);
    assert_int_equal(parse_fadt(&b).smi_command, 0xffff);
    assert_int_equal(parse_fadt(&b).pm_timer, 0xffff);
    set_gas(&b, X_PM1A_CNT, 0, 0xfe000004);
    assert_int_equal(parse_fadt(&b).pm1a_control, 0xffff);
    set_gas(&b, X_PM1A_CNT, 1, 0xffff);
    set_gas(&b, X_PM1B_CNT, 1, 0x10000);
    set_gas(&b, X_PM_TMR, 0, (1ull << 52) - 4);
    blob_set(&b, PM1A_CNT, 0x604, 4);
    assert_int_equal(parse_fadt(&b).pm1a_control, 0xffff);
    assert_int_equal(parse_fadt(&b).pm1b_control, 0);
    assert_int_equal(parse_fadt(&b).pm_timer, (1ull << 52) - 4);
}

static void test_fadt_flags(void **state)
{
    struct blob b;
    build_fadt(&b);
    blob_set(&b, FLAGS, 0, 4);
    struct fadt f = parse_fadt(&b);
    assert_false(f.pm_timer_32bit);
    assert_int_equal(f.reset, 0);
    assert_int_equal(f.pm_timer, 0x608);
    blob_set(&b, PM_TMR_LEN, 0, 1);
    assert_int_equal(parse_fadt(&b).pm_timer, 0);
    build_fadt(&b);
    blob_set(&b, FLAGS, 1u << 20 | 1u << 10, 4); // hardware-reduced
    f = parse_fadt(&b);
    assert_int_equal(f.pm_timer, 0);
    assert_int_equal(f.pm1a_control, 0);
    assert_int_equal(f.smi_command, 0);
    assert_int_equal(f.reset, 0xcf9);
}

// Half of an address is no address.
static void test_fadt_lengths(void **state)
{
    struct blob whole;
    build_fadt(&whole);
    set_gas(&whole, X_PM_TMR, 1, 0x1808);
    blob_set(&whole, X_DSDT, 0x123456789, 8);
    for (size_t n = 36; n <= 276; n++) {
        struct blob b = whole;
        struct fadt f;
        struct problem p;
        b.length = n;
        blob_finish(&b);
        assert_int_equal(COPY_PARSE(fadt_parse, &b, &f, &p), n >= 116);
        assert_int_equal(f.pm_timer, n >= 244 ? 0x1808 : n >= 116 ? 0x608 : 0);
        assert_int_equal(f.dsdt, n >= 244 ? 0x123456789 : n >= 116 ? 0x7000 : 0);
        assert_int_equal(f.reset, n >= 132 ? 0xcf9 : 0);
        assert_int_equal(f.reset_value, n >= 132 ? 0x0f : 0);
    }
}

static void test_fadt_keyboard(void **state)
{
    struct blob b;
    build_fadt(&b);
    assert_false(parse_fadt(&b).may_have_8042);
    blob_set(&b, BOOT_ARCH, 1u << 1, 2);
    assert_true(parse_fadt(&b).may_have_8042);
    blob_set(&b, FLAGS, 1u << 20, 4); // hardware-reduced: the field means nothing
    assert_false(parse_fadt(&b).may_have_8042);
    build_fadt(&b);
    blob_set(&b, 8, 1, 1); // revision 1 doesn't have the field
    assert_true(parse_fadt(&b).may_have_8042);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fadt_ports),     cmocka_unit_test(test_fadt_extended),
        cmocka_unit_test(test_fadt_unusable),  cmocka_unit_test(test_fadt_flags),
        cmocka_unit_test(test_fadt_last_port), cmocka_unit_test(test_fadt_lengths),
        cmocka_unit_test(test_fadt_keyboard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
