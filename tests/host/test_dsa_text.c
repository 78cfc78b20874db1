// SPDX-License-Identifier: BSD-2-Clause
// Codes in words, and descriptors as the device reads them.

#include <setjmp.h>
#include <stdarg.h>

#include <string.h>

#include <cmocka.h>

#include "drivers/dsa/descriptor.h"
#include "drivers/dsa/text.h"

// ---- descriptors: each field at its place, as the specification counts bytes ----

static uint64_t at(const struct dsa_descriptor *d, unsigned byte, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, (const uint8_t *)d + byte, bytes);
    return value;
}

static const struct dsa_completion to = {
    .record = 0x1122334455667740, .handle = 0x1234, .interrupt = true, .cache = true
};

static void check(const struct dsa_descriptor *d, unsigned operation, unsigned flags)
{
    assert_int_equal(at(d, 0, 4), 0);
    assert_int_equal(at(d, 7, 1), operation);
    assert_int_equal(at(d, 4, 2), flags | 0x1c); // record valid, asked for, and an interrupt
    assert_int_equal(at(d, 6, 1), 0);
    assert_int_equal(at(d, 8, 8), 0x1122334455667740);
    assert_int_equal(at(d, 36, 2), 0x1234);
    assert_int_equal(at(d, 38, 2), 0);
    for (unsigned byte = 44; byte < 64; byte += 4)
        assert_int_equal(at(d, byte, 4), 0);
}

static void check_operands(const struct dsa_descriptor *d, uint64_t first, uint64_t second,
                           uint32_t bytes, uint32_t seed)
{
    assert_int_equal(at(d, 16, 8), first);
    assert_int_equal(at(d, 24, 8), second);
    assert_int_equal(at(d, 32, 4), bytes);
    assert_int_equal(at(d, 40, 4), seed);
}

static void builds(void **state)
{
    struct dsa_descriptor d;
    dsa_build_noop(&d, &to);
    check(&d, 0, 0);
    check_operands(&d, 0, 0, 0, 0);
    dsa_build_batch(&d, &to, 0x4040, 7);
    check(&d, 1, 0);
    check_operands(&d, 0x4040, 0, 7, 0);
    dsa_build_move(&d, &to, 0x10, 0x20, 0x30);
    check(&d, 3, 0x100);
    check_operands(&d, 0x20, 0x10, 0x30, 0);
    dsa_build_fill(&d, &to, 0x10, 0x0123456789abcdef, 0x30);
    check(&d, 4, 0x100);
    check_operands(&d, 0x0123456789abcdef, 0x10, 0x30, 0);
    dsa_build_compare(&d, &to, 0x10, 0x20, 0x30);
    check(&d, 5, 0);
    check_operands(&d, 0x10, 0x20, 0x30, 0);
    dsa_build_crc(&d, &to, 0x10, 0xdeadbeef, 0x30);
    check(&d, 16, 0);
    check_operands(&d, 0x10, 0, 0x30, 0xdeadbeef);
}

static void without_interrupt(void **state)
{
    struct dsa_completion quiet = to;
    struct dsa_descriptor d;
    quiet.interrupt = quiet.cache = false;
    dsa_build_fill(&d, &quiet, 0x10, 0, 0x30);
    assert_int_equal(at(&d, 4, 2), 0x0c);
    assert_int_equal(at(&d, 36, 2), 0);
}

// ---- words ----

static void names(void **state)
{
    assert_string_equal(dsa_operation_name(4), "fill");
    assert_string_equal(dsa_operation_name(0x10), "CRC");
    assert_string_equal(dsa_operation_name(0xff), "unknown operation");
    assert_string_equal(dsa_command_name(6), "enable WQ");
    assert_string_equal(dsa_command_name(31), "unknown command");
    assert_string_equal(dsa_command_error(0x22), "the work queue has no entries");
    assert_string_equal(dsa_command_error(0x13), "its page requests are set up wrongly");
    assert_string_equal(dsa_command_error(0xff), "an error that isn't known");
    assert_string_equal(dsa_status_text(0x13), "a transfer size out of range");
    assert_string_equal(dsa_status_text(0x3f), "an error that isn't known");
}

// Each code has words of its own, as people search by them.
static void words_differ(void **state)
{
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < a; b++) {
            const char *text = dsa_status_text(a);
            if (strcmp(text, "an error that isn't known") != 0)
                assert_string_not_equal(text, dsa_status_text(b));
        }
}

static void records(void **state)
{
    char text[DSA_TEXT_BYTES];
    struct dsa_descriptor d;
    struct dsa_record r = { .status = 0x83, .fault = 0xabc000 };
    dsa_build_fill(&d, &to, 0xabc000, 0, 4096);
    assert_string_equal(dsa_describe_record(&d, &r, false, text),
                        "a fill of 4096 bytes failed: a page fault: what it was to reach is not "
                        "granted to it (status 0x03, a write at 0xabc000)");
    r.status = 0x03;
    assert_non_null(strstr(dsa_describe_record(&d, &r, false, text), "a read at 0xabc000"));
    r.status = 0xa0; // of which bit 7 and the address mean nothing
    assert_string_equal(dsa_describe_record(&d, &r, false, text),
                        "a fill of 4096 bytes failed: a read of memory that isn't granted to it, "
                        "or its hardware failed (status 0x20)");
    r.status = 0x13;
    assert_string_equal(dsa_describe_record(&d, &r, false, text),
                        "a fill of 4096 bytes failed: a transfer size out of range (status 0x13)");
}

// Which operand it was, and whether its address is told, where GENCAP says so.
static void fault_infos(void **state)
{
    char text[DSA_TEXT_BYTES];
    struct dsa_descriptor d;
    struct dsa_record r = { .status = 0x83, .fault_info = 3 << 1, .fault = 0xabc000 };
    dsa_build_move(&d, &to, 0xabc000, 0x1000, 64);
    assert_non_null(strstr(dsa_describe_record(&d, &r, true, text),
                           "(status 0x03, a write of the destination at 0xabc000)"));
    assert_non_null(strstr(dsa_describe_record(&d, &r, false, text), ", a write at 0xabc000)"));
    r.fault_info |= 1;
    assert_non_null(strstr(dsa_describe_record(&d, &r, true, text),
                           "a write of the destination, whose address isn't told)"));
    r.status = 0x03;
    r.fault_info = 0xf0 | 7 << 1;
    assert_non_null(
        strstr(dsa_describe_record(&d, &r, true, text), "a read of memory at 0xabc000)"));
    r.status = 0x06;
    r.fault_info = 1 << 1;
    dsa_build_batch(&d, &to, 0x1000, 5);
    assert_string_equal(dsa_describe_record(&d, &r, true, text),
                        "a batch of 5 descriptors failed: a page fault as the batch was read "
                        "(status 0x06, a read of the source at 0xabc000)");
}

static void errors(void **state)
{
    char text[DSA_TEXT_BYTES];
    uint64_t words[4] = { 0x0000000400031a2d, 0, 0xabc000, 0 };
    assert_string_equal(dsa_describe_error(words, text),
                        "fill of WQ 3 was refused: a completion record that it can't reach "
                        "(SWERROR 0x1a, a write at 0xabc000)");
    words[0] = 0x53 << 8 | 3;
    assert_string_equal(
        dsa_describe_error(words, text),
        "a submission was refused: the work queue is full (SWERROR 0x53); there were "
        "more");
    words[0] = 0x0000000400032225;
    assert_null(strstr(dsa_describe_error(words, text), "0xabc000"));
    words[0] = 0x0000000300001b15;
    assert_string_equal(dsa_describe_error(words, text),
                        "move in a batch was refused: a completion record that isn't 32-byte "
                        "aligned (SWERROR 0x1b)");
}

static void halts(void **state)
{
    char text[DSA_TEXT_BYTES];
    assert_string_equal(dsa_describe_halt(0x3, text),
                        "it has halted (GENSTS 0x3), and would need a reset by software");
    assert_non_null(strstr(dsa_describe_halt(0x7, text), "a function level reset"));
    assert_non_null(strstr(dsa_describe_halt(0xb, text), "a warm reset"));
    assert_non_null(strstr(dsa_describe_halt(0xf, text), "a cold reset"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds),  cmocka_unit_test(without_interrupt),
        cmocka_unit_test(names),   cmocka_unit_test(words_differ),
        cmocka_unit_test(records), cmocka_unit_test(fault_infos),
        cmocka_unit_test(errors),  cmocka_unit_test(halts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
