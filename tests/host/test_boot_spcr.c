// SPDX-License-Identifier: BSD-2-Clause
// Firmware's console by its SPCR table, of each revision.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/spcr.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

static struct console_place place;
static uint64_t value;

// COM2 at 115200, of 80 bytes.
static void build(struct blob *b, uint8_t revision)
{
    blob_header(b, "SPCR", revision);
    blob_pad(b, 80);
    blob_pad(b, 90); // revision 4: precise baud rate, name space string
    b->length = 80;
    blob_set(b, 40, 0x01, 1); // I/O space, 8 bits, byte access by default
    blob_set(b, 41, 0x08, 1);
    blob_set(b, 43, 0x00, 1);
    blob_set(b, 44, 0x2f8, 8);
    blob_set(b, 58, 7, 1);
    blob_set(b, 64, 0xffffffff, 4);
}

static enum handoff_spcr parse(const struct blob *b)
{
    void *copy = malloc(b->length);
    memcpy(copy, b->bytes, b->length);
    enum handoff_spcr fault = spcr_parse(copy, b->length, &place, &value);
    free(copy);
    return fault;
}

static void test_each_revision(void **state)
{
    for (uint8_t revision = 0; revision <= 5; revision++) {
        struct blob b;
        build(&b, revision);
        if (revision >= 4)
            b.length = 90;
        assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
        assert_int_equal(place.kind, CONSOLE_IO);
        assert_int_equal(place.address, 0x2f8);
        assert_int_equal(place.baud, 115200);
        assert_int_equal(place.clock, CONSOLE_CLOCK_PC);
        assert_int_equal(place.stride, 1);
        assert_int_equal(place.width, 1);
    }
}

static void test_speeds(void **state)
{
    static const struct {
        uint8_t code;
        uint32_t baud;
    } codes[] = { { 0, 0 }, { 1, 0 },     { 2, 0 },      { 3, 9600 }, { 4, 19200 },
                  { 5, 0 }, { 6, 57600 }, { 7, 115200 }, { 8, 0 },    { 255, 0 } };
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        struct blob b;
        build(&b, 2);
        blob_set(&b, 58, codes[i].code, 1);
        assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
        assert_int_equal(place.baud, codes[i].baud);
    }
}

// The newest field counts from revision 4 on, and where it is there.
static void test_precise_speed(void **state)
{
    struct blob b;
    build(&b, 4);
    blob_set(&b, 80, 921600, 4);
    b.length = 90;
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.baud, 921600);
    blob_set(&b, 80, 0, 4);
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.baud, 115200);
    blob_set(&b, 80, 921600, 4);
    b.length = 83; // cut off
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.baud, 115200);
    blob_set(&b, 8, 3, 1);
    b.length = 90;
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.baud, 115200);
}

static void test_clock(void **state)
{
    struct blob b;
    build(&b, 3);
    blob_set(&b, 76, 48000000, 4);
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.clock, 48000000);
    blob_set(&b, 76, 4799, 4); // of no UART
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.clock, CONSOLE_CLOCK_PC);
    blob_set(&b, 76, 48000000, 4);
    blob_set(&b, 8, 2, 1); // reserved then
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.clock, CONSOLE_CLOCK_PC);
    blob_set(&b, 40, 0, 1); // memory, of unknown clock
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.clock, 0);
}

static void test_memory(void **state)
{
    static const struct {
        uint8_t bits, access;
        uint8_t stride, width;
    } rows[] = {
        { 8, 0, 1, 1 },  { 8, 1, 1, 1 },     { 32, 0, 4, 4 }, { 32, 3, 4, 4 },
        { 32, 1, 4, 1 }, { 8, 3, 4, 4 },     { 16, 2, 2, 2 }, { 16, 0, 2, 2 },
        { 0, 0, 1, 1 },  { 32, 0x20, 4, 4 }, { 64, 4, 1, 1 }, { 32, 2, 4, 2 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct blob b;
        build(&b, 2);
        blob_set(&b, 36, 0x12, 1);
        blob_set(&b, 40, 0, 1);
        blob_set(&b, 41, rows[i].bits, 1);
        blob_set(&b, 43, rows[i].access, 1);
        blob_set(&b, 44, 0xfe034000, 8);
        assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
        assert_int_equal(place.kind, CONSOLE_MMIO);
        assert_int_equal(place.address, 0xfe034000);
        assert_int_equal(place.stride, rows[i].stride);
        assert_int_equal(place.width, rows[i].width);
    }
}

// Ports have one register a byte, whatever the address structure says.
static void test_ports_are_bytes(void **state)
{
    struct blob b;
    build(&b, 2);
    blob_set(&b, 41, 32, 1);
    blob_set(&b, 43, 3, 1);
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    assert_int_equal(place.stride, 1);
    assert_int_equal(place.width, 1);
}

static void expect_fault(size_t at, uint64_t what, size_t bytes, enum handoff_spcr fault,
                         uint64_t told)
{
    struct blob b;
    build(&b, 2);
    blob_set(&b, at, what, bytes);
    assert_int_equal(parse(&b), fault);
    assert_int_equal(value, told);
}

static void test_faults(void **state)
{
    expect_fault(44, 0, 8, HANDOFF_SPCR_OFF, 0);
    expect_fault(36, 3, 1, HANDOFF_SPCR_INTERFACE, 3);
    expect_fault(36, 0x13, 1, HANDOFF_SPCR_INTERFACE, 0x13);
    expect_fault(40, 2, 1, HANDOFF_SPCR_SPACE, 2);
    expect_fault(40, 0x7f, 1, HANDOFF_SPCR_SPACE, 0x7f);
    expect_fault(44, 0xfff9, 8, HANDOFF_SPCR_ADDRESS, 0xfff9);
    expect_fault(44, 0xcf8, 8, HANDOFF_SPCR_ADDRESS, 0xcf8);
    expect_fault(44, 0x60, 8, HANDOFF_SPCR_ADDRESS, 0x60);
    expect_fault(44, 0x1000000000002f8, 8, HANDOFF_SPCR_ADDRESS, 0x1000000000002f8);
    expect_fault(44, UINT64_MAX, 8, HANDOFF_SPCR_ADDRESS, UINT64_MAX);
    expect_fault(44, 0xfff8, 8, HANDOFF_SPCR_USABLE, 0xfff8);
}

// The subtype with parameters came with revision 2.
static void test_old_interfaces(void **state)
{
    struct blob b;
    build(&b, 1);
    blob_set(&b, 36, 1, 1);
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    blob_set(&b, 36, 0x12, 1);
    assert_int_equal(parse(&b), HANDOFF_SPCR_INTERFACE);
}

static void test_memory_addresses(void **state)
{
    struct blob b;
    build(&b, 2);
    blob_set(&b, 40, 0, 1);
    blob_set(&b, 41, 32, 1);
    blob_set(&b, 44, 0xfe034002, 8);
    assert_int_equal(parse(&b), HANDOFF_SPCR_ADDRESS); // no 32-bit register
    blob_set(&b, 44, (1ull << 52) - 32, 8);
    assert_int_equal(parse(&b), HANDOFF_SPCR_USABLE);
    blob_set(&b, 44, (1ull << 52) - 28, 8);
    assert_int_equal(parse(&b), HANDOFF_SPCR_ADDRESS);
}

static void test_cut(void **state)
{
    struct blob b;
    build(&b, 4);
    for (size_t n = 36; n < 80; n++) {
        b.length = n;
        assert_int_equal(parse(&b), HANDOFF_SPCR_SHORT);
        assert_int_equal(value, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_revision),    cmocka_unit_test(test_speeds),
        cmocka_unit_test(test_precise_speed),    cmocka_unit_test(test_clock),
        cmocka_unit_test(test_memory),           cmocka_unit_test(test_ports_are_bytes),
        cmocka_unit_test(test_faults),           cmocka_unit_test(test_old_interfaces),
        cmocka_unit_test(test_memory_addresses), cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
