// SPDX-License-Identifier: BSD-2-Clause
// One UART by its registers, at a port and in memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "kernel/base/uart.h"
#include "tests/host/uart_model.h"

static struct uart uart;
static struct console_place place;

static struct uart_model *at_port(void)
{
    uarts_reset();
    place = console_com(1, 115200);
    uart = (struct uart){ .port = 0x2f8 };
    uarts[1].present = true;
    return &uarts[1];
}

static struct uart_model *in_memory(unsigned stride, unsigned width)
{
    uarts_reset();
    place = (struct console_place){ .kind = CONSOLE_MMIO, .baud = 115200, .clock = 48000000 };
    uart = (struct uart){ .base = uart_memory, .stride = (uint8_t)stride, .width = (uint8_t)width };
    uart_memory_stride = stride;
    uart_memory_width = width;
    uarts[UART_MEMORY].present = true;
    return &uarts[UART_MEMORY];
}

static void test_nobody(void **state)
{
    at_port()->present = false;
    assert_false(uart_is_there(&uart));
    in_memory(4, 4)->present = false;
    assert_false(uart_is_there(&uart));
}

static void test_found_by_either_way(void **state)
{
    struct uart_model *u = at_port();
    assert_true(uart_is_there(&uart));
    u->loops = false;
    assert_true(uart_is_there(&uart));
    u->scratch = false;
    assert_false(
        uart_is_there(&uart)); // registers that keep nothing, such as of a port that is off
    u->loops = true;
    u->mcr = 0x0b;
    assert_true(uart_is_there(&uart));
    assert_int_equal(u->mcr, 0x0b); // as it was
    assert_int_equal(u->sent_bytes, 0);
}

static void test_set_up(void **state)
{
    struct uart_model *u = at_port();
    u->ier = 0x0f;
    assert_true(uart_open(&uart, &place));
    assert_int_equal(u->dll | u->dlm << 8, 1);
    assert_int_equal(u->lcr, 0x03);
    assert_int_equal(u->ier, 0);
    assert_int_equal(u->fcr, 0x07);
    assert_int_equal(u->mcr, 0x03);
    assert_int_equal(uart.piece, 16);
    assert_in_range(uart.piece_us, 1380, 1400);
    u->fifo = false;
    assert_true(uart_open(&uart, &place));
    assert_int_equal(uart.piece, 1);
    assert_in_range(uart.piece_us, 80, 90);
}

static void test_speeds(void **state)
{
    static const struct {
        uint32_t clock, baud;
        uint16_t divisor;
    } rows[] = { { 1843200, 9600, 12 },      { 1843200, 300, 384 },   { 48000000, 115200, 26 },
                 { 1843200, 921600, 1 },     { 24000000, 921600, 2 }, { 48000000, 3000000, 1 },
                 { 4000000000u, 300, 65535 } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct uart_model *u = at_port();
        place.clock = rows[i].clock;
        place.baud = rows[i].baud;
        assert_true(uart_open(&uart, &place));
        assert_int_equal(u->dll | u->dlm << 8, rows[i].divisor);
    }
}

// As firmware left it, and the pace follows from that.
static void test_speed_is_kept(void **state)
{
    static const struct {
        uint32_t clock, baud;
    } rows[] = { { 1843200, CONSOLE_BAUD_KEPT }, { 0, 115200 }, { 0, CONSOLE_BAUD_KEPT } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct uart_model *u = at_port();
        u->dll = 12; // 9600 by the PC's clock
        place.clock = rows[i].clock;
        place.baud = rows[i].baud;
        assert_true(uart_open(&uart, &place));
        assert_int_equal(u->dll | u->dlm << 8, 12);
        assert_int_equal(u->lcr, 0x03);
        assert_in_range(uart.piece_us, 16600, 16700);
    }
}

static void test_firmwares_bytes_go_out_first(void **state)
{
    struct uart_model *u = at_port();
    u->in_fifo = 5;
    u->looks = u->looks_left = 1000;
    assert_true(uart_open(&uart, &place));
    assert_int_equal(u->in_fifo, 0);
    u->stuck = true;
    u->fcr = 0;
    assert_false(uart_open(&uart, &place));
    assert_int_equal(u->fcr, 0); // untouched
}

static void test_memory(void **state)
{
    static const struct {
        unsigned stride, width;
    } rows[] = { { 1, 1 }, { 2, 2 }, { 4, 4 }, { 4, 1 }, { 4, 2 } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct uart_model *u = in_memory(rows[i].stride, rows[i].width);
        u->typed = "q";
        assert_true(uart_is_there(&uart) && uart_open(&uart, &place));
        assert_int_equal(u->dll, 26);
        assert_int_equal(uart_room(&uart), 16);
        uart_put(&uart, 'x');
        assert_int_equal(u->sent[0], 'x');
        assert_int_equal(uart_get(&uart), 'q');
        assert_int_equal(uart_bad_accesses, 0);
    }
}

static void test_room(void **state)
{
    struct uart_model *u = at_port();
    assert_true(uart_open(&uart, &place));
    u->looks = 3;
    assert_int_equal(uart_room(&uart), 16);
    uart_put(&uart, 'x');
    assert_int_equal(uart_room(&uart), 0);
    assert_int_equal(uart_room(&uart), 0);
    assert_int_equal(uart_room(&uart), 16);
    u->present = false; // all bits of its status are set then, "ready" too
    assert_int_equal(uart_room(&uart), 0);
}

static void test_typed(void **state)
{
    struct uart_model *u = at_port();
    assert_int_equal(uart_get(&uart), -1);
    u->typed = "a\xff";
    assert_int_equal(uart_get(&uart), 'a');
    assert_int_equal(uart_get(&uart), 0xff);
    assert_int_equal(uart_get(&uart), -1);
    u->present = false;
    assert_int_equal(uart_get(&uart), -1);
}

// A break, and what was received at another speed, are taken off the FIFO and are nobody's.
static void test_errors_are_no_bytes(void **state)
{
    static const uint8_t errors[] = { 0x04, 0x08, 0x10, 0x1c };
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct uart_model *u = at_port();
        u->typed = "xy";
        u->errors = errors[i];
        assert_int_equal(uart_get(&uart), -1);
        assert_int_equal(uart_get(&uart), 'y');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody),        cmocka_unit_test(test_found_by_either_way),
        cmocka_unit_test(test_set_up),        cmocka_unit_test(test_speeds),
        cmocka_unit_test(test_speed_is_kept), cmocka_unit_test(test_firmwares_bytes_go_out_first),
        cmocka_unit_test(test_memory),        cmocka_unit_test(test_room),
        cmocka_unit_test(test_typed),         cmocka_unit_test(test_errors_are_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
