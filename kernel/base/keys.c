// SPDX-License-Identifier: BSD-2-Clause
// Scan code sets 1 and 2 as the IBM PS/2 Technical Reference lists them (Keyboards, 101/102-key).

#include "kernel/base/keys.h"

#include "lib/string.h"

#define RELEASED_SET1 0x80 // or-ed to a key's code
#define RELEASED_SET2 0xf0 // before it
#define EXTENDED 0xe0
#define PAUSE 0xe1 // before two keys, which aren't these

struct key {
    uint8_t set1, set2;
    char plain, shifted;
};

static const struct key plain_keys[] = {
    { 0x01, 0x76, 0x1b, 0x1b },
    { 0x29, 0x0e, '`', '~' },
    { 0x02, 0x16, '1', '!' },
    { 0x03, 0x1e, '2', '@' },
    { 0x04, 0x26, '3', '#' },
    { 0x05, 0x25, '4', '$' },
    { 0x06, 0x2e, '5', '%' },
    { 0x07, 0x36, '6', '^' },
    { 0x08, 0x3d, '7', '&' },
    { 0x09, 0x3e, '8', '*' },
    { 0x0a, 0x46, '9', '(' },
    { 0x0b, 0x45, '0', ')' },
    { 0x0c, 0x4e, '-', '_' },
    { 0x0d, 0x55, '=', '+' },
    { 0x0e, 0x66, 0x7f, 0x7f },
    { 0x0f, 0x0d, '\t', '\t' },
    { 0x10, 0x15, 'q', 'Q' },
    { 0x11, 0x1d, 'w', 'W' },
    { 0x12, 0x24, 'e', 'E' },
    { 0x13, 0x2d, 'r', 'R' },
    { 0x14, 0x2c, 't', 'T' },
    { 0x15, 0x35, 'y', 'Y' },
    { 0x16, 0x3c, 'u', 'U' },
    { 0x17, 0x43, 'i', 'I' },
    { 0x18, 0x44, 'o', 'O' },
    { 0x19, 0x4d, 'p', 'P' },
    { 0x1a, 0x54, '[', '{' },
    { 0x1b, 0x5b, ']', '}' },
    { 0x1c, 0x5a, '\r', '\r' },
    { 0x1e, 0x1c, 'a', 'A' },
    { 0x1f, 0x1b, 's', 'S' },
    { 0x20, 0x23, 'd', 'D' },
    { 0x21, 0x2b, 'f', 'F' },
    { 0x22, 0x34, 'g', 'G' },
    { 0x23, 0x33, 'h', 'H' },
    { 0x24, 0x3b, 'j', 'J' },
    { 0x25, 0x42, 'k', 'K' },
    { 0x26, 0x4b, 'l', 'L' },
    { 0x27, 0x4c, ';', ':' },
    { 0x28, 0x52, '\'', '"' },
    { 0x2b, 0x5d, '\\', '|' },
    { 0x2c, 0x1a, 'z', 'Z' },
    { 0x2d, 0x22, 'x', 'X' },
    { 0x2e, 0x21, 'c', 'C' },
    { 0x2f, 0x2a, 'v', 'V' },
    { 0x30, 0x32, 'b', 'B' },
    { 0x31, 0x31, 'n', 'N' },
    { 0x32, 0x3a, 'm', 'M' },
    { 0x33, 0x41, ',', '<' },
    { 0x34, 0x49, '.', '>' },
    { 0x35, 0x4a, '/', '?' },
    { 0x39, 0x29, ' ', ' ' },
    { 0x56, 0x61, '<', '>' },
    // The number pad, as if Num Lock were on.
    { 0x47, 0x6c, '7', '7' },
    { 0x48, 0x75, '8', '8' },
    { 0x49, 0x7d, '9', '9' },
    { 0x4a, 0x7b, '-', '-' },
    { 0x4b, 0x6b, '4', '4' },
    { 0x4c, 0x73, '5', '5' },
    { 0x4d, 0x74, '6', '6' },
    { 0x4e, 0x79, '+', '+' },
    { 0x4f, 0x69, '1', '1' },
    { 0x50, 0x72, '2', '2' },
    { 0x51, 0x7a, '3', '3' },
    { 0x52, 0x70, '0', '0' },
    { 0x53, 0x71, '.', '.' },
    { 0x37, 0x7c, '*', '*' },
};

// Behind E0h.
static const struct extended_key {
    uint8_t set1, set2;
    const char *bytes;
} extended_keys[] = {
    { 0x48, 0x75, "\033[A" },  { 0x50, 0x72, "\033[B" },  { 0x4d, 0x74, "\033[C" },
    { 0x4b, 0x6b, "\033[D" },  { 0x47, 0x6c, "\033[H" },  { 0x4f, 0x69, "\033[F" },
    { 0x52, 0x70, "\033[2~" }, { 0x53, 0x71, "\033[3~" }, { 0x49, 0x7d, "\033[5~" },
    { 0x51, 0x7a, "\033[6~" }, { 0x1c, 0x5a, "\r" },      { 0x35, 0x4a, "/" },
};

enum modifier { LEFT_SHIFT, RIGHT_SHIFT, CONTROL, CAPS, MODIFIERS };
static const uint8_t modifiers[MODIFIERS][2] = {
    [LEFT_SHIFT] = { 0x2a, 0x12 },
    [RIGHT_SHIFT] = { 0x36, 0x59 },
    [CONTROL] = { 0x1d, 0x14 },
    [CAPS] = { 0x3a, 0x58 },
};

// Keyboards send shifts of their own around extended keys; these aren't anybody's fingers.
static bool take_modifier(struct keys *k, uint8_t code, bool pressed)
{
    enum modifier m = 0;
    while (m < MODIFIERS && modifiers[m][k->is_set2] != code)
        m++;
    if (m == CONTROL)
        *(k->extended ? &k->right_control : &k->left_control) = pressed;
    else if (m == CAPS && !k->extended)
        k->caps ^= pressed;
    else if (m < CONTROL && !k->extended)
        *(m == LEFT_SHIFT ? &k->left_shift : &k->right_shift) = pressed;
    return m < MODIFIERS;
}

static size_t take_extended(const struct keys *k, uint8_t code, char *to)
{
    for (size_t i = 0; i < ARRAY_SIZE(extended_keys); i++) {
        const struct extended_key *key = &extended_keys[i];
        if ((k->is_set2 ? key->set2 : key->set1) != code)
            continue;
        size_t count = strlen(key->bytes);
        memcpy(to, key->bytes, count);
        return count;
    }
    return 0;
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static size_t take_plain(const struct keys *k, uint8_t code, char *to)
{
    for (size_t i = 0; i < ARRAY_SIZE(plain_keys); i++) {
        const struct key *key = &plain_keys[i];
        if ((k->is_set2 ? key->set2 : key->set1) != code)
            continue;
        bool shifted = (k->left_shift || k->right_shift) ^ (k->caps && is_letter(key->plain));
        *to = shifted ? key->shifted : key->plain;
        if ((k->left_control || k->right_control) && is_letter(key->plain))
            *to = key->plain & 0x1f;
        return 1;
    }
    return 0;
}

static size_t take_key(struct keys *k, uint8_t code, bool released, char *to)
{
    if (k->passed_over) {
        k->passed_over--;
        return 0;
    }
    if (take_modifier(k, code, !released) || released)
        return 0;
    return k->extended ? take_extended(k, code, to) : take_plain(k, code, to);
}

size_t keys_take(struct keys *k, uint8_t code, char to[KEYS_BYTES_MAX])
{
    if (code == EXTENDED) {
        k->extended = true;
        return 0;
    }
    if (code == PAUSE) {
        k->passed_over = 2;
        return 0;
    }
    if (k->is_set2 && code == RELEASED_SET2) {
        k->released = true;
        return 0;
    }
    bool released = k->is_set2 ? k->released : code & RELEASED_SET1;
    if (!k->is_set2)
        code &= (uint8_t)~RELEASED_SET1;
    size_t count = take_key(k, code, released, to);
    k->extended = k->released = false;
    return count;
}
