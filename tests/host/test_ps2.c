// SPDX-License-Identifier: BSD-2-Clause
// The PS/2 controller, on a model of its registers: found, set up, read; and left alone where it isn't one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/base/input.h"
#include "kernel/x86/ps2.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define OUTPUT 0x01
#define INPUT 0x02
#define MOUSE 0x20

// What waits to be read, and what the controller was told.
static struct {
    bool absent, deaf, busy, endless;
    uint8_t config;
    struct {
        uint8_t byte, flags;
    } out[64];
    size_t first, count;
    uint8_t command; // whose data byte is due
    uint8_t to_keyboard;
    uint64_t now;
    unsigned reads;
} chip;

static void put_out(uint8_t byte, uint8_t flags)
{
    assert_true(chip.count < 64);
    chip.out[chip.count].byte = byte;
    chip.out[chip.count++].flags = flags;
}

static struct input_source *keyboard; // NULL: none was found

void input_add(struct input_source *source)
{
    keyboard = source;
}

uint64_t time_ns(void)
{
    return chip.now += 1000;
}

uint8_t in8(uint16_t port)
{
    chip.reads++;
    if (chip.absent)
        return 0xff;
    bool full = chip.first < chip.count;
    if (port == 0x64)
        return (uint8_t)((full || chip.endless ? OUTPUT : 0) | (chip.busy ? INPUT : 0) |
                         (full ? chip.out[chip.first].flags : 0));
    assert_int_equal(port, 0x60);
    return full ? chip.out[chip.first++].byte : 0;
}

void out8(uint16_t port, uint8_t value)
{
    assert_false(chip.busy);
    if (port == 0x64 && value == 0x20 && !chip.deaf)
        put_out(chip.config, 0);
    else if (port == 0x64)
        chip.command = value;
    else if (chip.command == 0x60) {
        chip.config = value;
        chip.command = 0;
    } else {
        chip.to_keyboard = value;
        put_out(0xfa, 0);
    }
}

static void start(void)
{
    memset(&chip, 0, sizeof(chip));
    keyboard = NULL;
    chip.config = 0x47; // translated, interrupts of both ports
}

static void test_it_is_found_and_set_up(void **state)
{
    start();
    chip.config |= 0x10; // the keyboard's clock is off
    put_out(0x1e, 0);    // was pressed before: not for us
    ps2_init();
    assert_int_equal(chip.config, 0x44);
    assert_int_equal(chip.to_keyboard, 0xf4);
    assert_int_equal(keyboard->poll(), -1);
    put_out(0x23, 0);
    put_out(0x55, MOUSE);
    put_out(0xa3, 0);
    put_out(0xe0, 0);
    put_out(0x48, 0);
    assert_int_equal(keyboard->poll(), 'h');
    assert_int_equal(keyboard->poll(), 033);
    assert_int_equal(keyboard->poll(), '[');
    assert_int_equal(keyboard->poll(), 'A');
    assert_int_equal(keyboard->poll(), -1);
    chip.absent = true; // pulled out
    assert_int_equal(keyboard->poll(), -1);
}

static void test_codes_that_nobody_translates(void **state)
{
    start();
    chip.config = 0x03;
    ps2_init();
    assert_int_equal(chip.config, 0);
    put_out(0x33, 0);
    put_out(0xf0, 0);
    put_out(0x33, 0);
    assert_int_equal(keyboard->poll(), 'h');
    assert_int_equal(keyboard->poll(), -1);
}

// A mouse that talks all the time holds nobody up.
static void test_a_mouse_that_never_stops(void **state)
{
    start();
    ps2_init();
    for (unsigned i = 0; i < 40; i++)
        put_out(0x08, MOUSE);
    chip.reads = 0;
    assert_int_equal(keyboard->poll(), -1);
    assert_true(chip.reads <= 2 * 32);
}

// Each within a tenth of a second or two, and none is taken for one.
static void test_what_is_no_controller(void **state)
{
    const struct {
        bool absent, deaf, busy, endless;
    } all[] = { { .absent = true }, { .deaf = true }, { .busy = true }, { .endless = true } };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        start();
        chip.absent = all[i].absent;
        chip.deaf = all[i].deaf;
        chip.busy = all[i].busy;
        chip.endless = all[i].endless;
        ps2_init();
        assert_true(chip.now <= 200 * NS_PER_MS);
        assert_int_equal(chip.config, 0x47); // as it was
        assert_int_equal(chip.to_keyboard, 0);
        assert_null(keyboard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_controller),
        cmocka_unit_test(test_it_is_found_and_set_up),
        cmocka_unit_test(test_codes_that_nobody_translates),
        cmocka_unit_test(test_a_mouse_that_never_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
