// SPDX-License-Identifier: BSD-2-Clause
// Polled, with its interrupts off. Whether codes are translated is left as firmware chose.

#include "kernel/x86/ps2.h"

#include "kernel/base/input.h"
#include "kernel/base/keys.h"
#include "kernel/x86/time.h"

#define PS2_DATA 0x60
#define PS2_STATUS 0x64        // read; written, it is the command
#define PS2_STATUS_OUTPUT 0x01 // there is a byte to read
#define PS2_STATUS_INPUT 0x02  // the last byte written isn't taken yet
#define PS2_STATUS_MOUSE 0x20  // that byte is the second port's
#define PS2_READ_CONFIG 0x20
#define PS2_WRITE_CONFIG 0x60
#define PS2_CONFIG_INTERRUPTS 0x03 // of both ports
#define PS2_CONFIG_KEYBOARD_OFF 0x10
#define PS2_CONFIG_TRANSLATE 0x40

#define KEYBOARD_SCAN 0xf4 // to the keyboard, in case that firmware turned it off

#define ANSWER_NS (50 * NS_PER_MS)
#define STALE_MAX 64 // bytes that may lie there; more are no keyboard's
#define MOUSE_MAX 16 // passed over in one look

static struct keys keys;
static struct {
    char bytes[KEYS_BYTES_MAX];
    size_t count, next;
} queue;

// Nobody is there: the bus reads as ones.
static bool is_absent(void)
{
    return in8(PS2_STATUS) == 0xff;
}

static bool drain(void)
{
    for (unsigned i = 0; i < STALE_MAX; i++) {
        if (!(in8(PS2_STATUS) & PS2_STATUS_OUTPUT))
            return true;
        (void)in8(PS2_DATA);
    }
    return false;
}

static bool send(uint16_t port, uint8_t byte)
{
    if (!poll_until(!(in8(PS2_STATUS) & PS2_STATUS_INPUT), ANSWER_NS))
        return false;
    out8(port, byte);
    return true;
}

// A key that is pressed meanwhile would be taken for the answer, and would turn off the keyboard at
// worst; so it is asked twice.
static bool read_config(uint8_t *config)
{
    if (!send(PS2_STATUS, PS2_READ_CONFIG) ||
        !poll_until(in8(PS2_STATUS) & PS2_STATUS_OUTPUT, ANSWER_NS))
        return false;
    *config = in8(PS2_DATA);
    return true;
}

static bool set_up(void)
{
    uint8_t config, again;
    if (is_absent() || !drain() || !read_config(&config) || !read_config(&again) || config != again)
        return false;
    config &= (uint8_t)~(PS2_CONFIG_INTERRUPTS | PS2_CONFIG_KEYBOARD_OFF);
    keys.is_set2 = !(config & PS2_CONFIG_TRANSLATE);
    // The keyboard's answer is no key, so it is passed over like any code that is none.
    return send(PS2_STATUS, PS2_WRITE_CONFIG) && send(PS2_DATA, config) &&
           send(PS2_DATA, KEYBOARD_SCAN);
}

static bool read_code(uint8_t *code)
{
    for (unsigned i = 0; i < MOUSE_MAX; i++) {
        uint8_t status = in8(PS2_STATUS);
        if (status == 0xff || !(status & PS2_STATUS_OUTPUT))
            return false;
        *code = in8(PS2_DATA);
        if (!(status & PS2_STATUS_MOUSE))
            return true;
    }
    return false;
}

static int poll(void)
{
    uint8_t code;
    while (queue.next == queue.count) {
        if (!read_code(&code))
            return -1;
        queue.count = keys_take(&keys, code, queue.bytes);
        queue.next = 0;
    }
    return (uint8_t)queue.bytes[queue.next++];
}

void ps2_init(void)
{
    static struct input_source source = { .poll = poll };
    if (set_up())
        input_add(&source);
}
