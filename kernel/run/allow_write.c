// SPDX-License-Identifier: BSD-2-Clause
// The list of serials that may be written to.
#include "kernel/run/allow_write.h"

#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

// One character, plain or as %xx.
static bool next_character(const char **at, const char *end, char *c)
{
    uint64_t value;
    char hex[4] = { '0', 'x' };
    if (**at != '%') {
        *c = *(*at)++;
        return is_printable(*c);
    }
    if (end - *at < 3)
        return false;
    memcpy(hex + 2, *at + 1, 2);
    *at += 3;
    if (!parse_number(hex, sizeof(hex), &value))
        return false;
    *c = (char)value;
    return is_printable(*c);
}

// Serials are known without the blanks around them (NVMe Base 2.0, figure 275: padded with them).
static bool is_trimmed(const char *serial, size_t length)
{
    return length && serial[0] != ' ' && serial[length - 1] != ' ';
}

bool allow_write_next(const char **at, const char *end, char serial[ALLOW_WRITE_SERIAL])
{
    size_t length = 0;
    while (*at < end && **at != ':') {
        if (length == ALLOW_WRITE_SERIAL - 1 || !next_character(at, end, &serial[length]))
            return false;
        length++;
    }
    serial[length] = 0;
    *at += *at < end; // the colon
    return is_trimmed(serial, length);
}

bool allow_write_check(const char *text, size_t length, struct problem *p)
{
    char serial[ALLOW_WRITE_SERIAL];
    if (!text)
        return true;
    const char *at = text, *end = text + length, *item;
    do {
        item = at;
        if (!allow_write_next(&at, end, serial))
            return problem_set(p, "allow-write",
                               "allow-write=: \"%.*s\" doesn't begin with a serial number of 1 to "
                               "20 characters; write SERIAL:SERIAL, %%20 for a blank in one",
                               (int)MIN(end - item, 48), item);
    } while (at < end);
    if (text[length - 1] == ':')
        return problem_set(p, "allow-write",
                           "allow-write= ends with a colon: no serial number follows it");
    return true;
}

bool allow_write_has(const char *text, size_t length, const char *serial)
{
    char allowed[ALLOW_WRITE_SERIAL];
    const char *at = text;
    while (text && at < text + length && allow_write_next(&at, text + length, allowed))
        if (strcmp(allowed, serial) == 0)
            return true;
    return false;
}

const char *allow_write_word(const char *serial, char to[ALLOW_WRITE_WORD])
{
    size_t used = 0;
    for (; *serial && used + 4 <= ALLOW_WRITE_WORD; serial++) {
        bool plain = *serial > ' ' && *serial <= '~' && *serial != ':' && *serial != '%';
        used += (size_t)format_text(to + used, ALLOW_WRITE_WORD - used, plain ? "%c" : "%%%02x",
                                    (uint8_t)*serial);
    }
    to[used] = 0;
    return to;
}
