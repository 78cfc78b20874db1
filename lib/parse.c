// SPDX-License-Identifier: BSD-2-Clause
// Numbers, sizes, times and names from text.
#include "lib/parse.h"

#include "lib/string.h"

struct unit {
    const char *suffix;
    uint64_t factor;
};

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; // lower case
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

// The digits at the start of the text; returns how many characters they take, 0 if there are none
// or the value doesn't fit.
static size_t leading_number(const char *text, size_t length, uint64_t *value)
{
    bool hex = length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
    size_t start = hex ? 2 : 0, at = start;
    uint64_t base = hex ? 16 : 10;
    *value = 0;
    for (; at < length && digit_value(text[at]) < (int)base; at++)
        if (__builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, (uint64_t)digit_value(text[at]), value))
            return 0;
    return at == start ? 0 : at;
}

static bool suffix_is(const char *text, size_t length, const char *suffix)
{
    for (; length && *suffix; text++, length--, suffix++)
        if ((*text | 0x20) != *suffix)
            return false;
    return !length && !*suffix;
}

static bool parse_units(const char *text, size_t length, const struct unit *units, size_t count,
                        uint64_t *value)
{
    size_t used = leading_number(text, length, value);
    if (!used)
        return false;
    for (size_t i = 0; i < count; i++)
        if (suffix_is(text + used, length - used, units[i].suffix))
            return !__builtin_mul_overflow(*value, units[i].factor, value);
    return false;
}

bool parse_number(const char *text, size_t length, uint64_t *value)
{
    return length && leading_number(text, length, value) == length;
}

bool parse_size(const char *text, size_t length, uint64_t *bytes)
{
    static const struct unit units[] = {
        { "", 1 }, { "k", KIB }, { "m", MIB }, { "g", GIB }, { "t", GIB * 1024 },
    };
    return parse_units(text, length, units, ARRAY_SIZE(units), bytes);
}

bool parse_time(const char *text, size_t length, uint64_t *us)
{
    static const struct unit units[] = {
        { "", 1000000 },  { "us", 1 },           { "ms", 1000 },
        { "s", 1000000 }, { "m", 60 * 1000000 }, { "h", 3600ull * 1000000 },
    };
    return parse_units(text, length, units, ARRAY_SIZE(units), us);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool parse_name(const char *text, size_t length, char *name, size_t room)
{
    if (!length || length >= room)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_name_char(text[i]))
            return false;
    memcpy(name, text, length);
    name[length] = 0;
    return true;
}
