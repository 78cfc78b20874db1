// SPDX-License-Identifier: BSD-2-Clause
// A JSON checker (RFC 8259) for texts that aren't trusted: by descent, to a bounded depth.

#include "lib/json_check.h"

#include "lib/string.h"

#define DEPTH_MAX 16u
#define OPENING "{\"type\":\""

struct cursor {
    const char *at, *end;
    const char *key; // that the object's own members may not have
};

static char peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : 0;
}

static bool take(struct cursor *c, char wanted)
{
    if (peek(c) != wanted)
        return false;
    c->at++;
    return true;
}

static void skip_blanks(struct cursor *c)
{
    while (take(c, ' '))
        ;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool skip_digits(struct cursor *c)
{
    const char *first = c->at;
    while (is_digit(peek(c)))
        c->at++;
    return c->at > first;
}

static bool skip_number(struct cursor *c)
{
    (void)take(c, '-');
    if (!take(c, '0') && !skip_digits(c))
        return false;
    if (take(c, '.') && !skip_digits(c))
        return false;
    if (!take(c, 'e') && !take(c, 'E'))
        return true;
    (void)(take(c, '+') || take(c, '-'));
    return skip_digits(c);
}

// Behind the backslash.
static bool skip_escape(struct cursor *c)
{
    char kind = peek(c);
    if (!kind || !strchr("\"\\/bfnrtu", kind))
        return false;
    c->at++;
    for (unsigned i = 0; kind == 'u' && i < 4; i++, c->at++)
        if (!is_hex(peek(c)))
            return false;
    return true;
}

static bool skip_string(struct cursor *c)
{
    if (!take(c, '"'))
        return false;
    while (!take(c, '"')) {
        char next = peek(c);
        if (next < 0x20 || next > 0x7e)
            return false;
        c->at++;
        if (next == '\\' && !skip_escape(c))
            return false;
    }
    return true;
}

static bool skip_word(struct cursor *c)
{
    static const char *const words[] = { "true", "false", "null" };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(c->end - c->at) >= length && memcmp(c->at, words[i], length) == 0) {
            c->at += length;
            return true;
        }
    }
    return false;
}

static bool is_key(const char *from, const char *to, const char *key)
{
    return (size_t)(to - from) == strlen(key) && memcmp(from, key, strlen(key)) == 0;
}

// Another spelling of the same name needs a backslash, which no key of ours has.
static bool skip_key(struct cursor *c, unsigned depth)
{
    const char *first = c->at + 1;
    if (!skip_string(c))
        return false;
    const char *last = c->at - 1;
    if (depth == 1 && (is_key(first, last, "type") || is_key(first, last, c->key)))
        return false;
    for (const char *at = first; depth == 1 && at < last; at++)
        if (*at == '\\')
            return false;
    skip_blanks(c);
    return take(c, ':');
}

static bool skip_value(struct cursor *c, unsigned depth);

// The rest of an object or an array, from before a member or element, and its closing bracket.
static bool skip_members(struct cursor *c, unsigned depth, char closing)
{
    do {
        skip_blanks(c);
        if (closing == '}' && !skip_key(c, depth))
            return false;
        if (!skip_value(c, depth))
            return false;
        skip_blanks(c);
    } while (take(c, ','));
    return take(c, closing);
}

// Behind the opening bracket.
static bool skip_nested(struct cursor *c, unsigned depth, char closing)
{
    skip_blanks(c);
    return take(c, closing) || (depth < DEPTH_MAX && skip_members(c, depth + 1, closing));
}

static bool skip_value(struct cursor *c, unsigned depth)
{
    skip_blanks(c);
    char first = peek(c);
    if (first == '"')
        return skip_string(c);
    if (first == '-' || is_digit(first))
        return skip_number(c);
    if (take(c, '{'))
        return skip_nested(c, depth, '}');
    if (take(c, '['))
        return skip_nested(c, depth, ']');
    return skip_word(c);
}

static bool skip_type(struct cursor *c)
{
    const char *first = c->at;
    while (is_digit(peek(c)) || (peek(c) >= 'a' && peek(c) <= 'z') || peek(c) == '_')
        c->at++;
    return c->at > first && peek(c) == '"';
}

bool json_check(const char *text, size_t bytes, const char *key, const char **type,
                size_t *type_length)
{
    struct cursor c = { text, text + bytes, key };
    const size_t opening = sizeof(OPENING) - 1;
    if (bytes < opening || memcmp(text, OPENING, opening) != 0)
        return false;
    c.at += opening;
    *type = c.at;
    if (!skip_type(&c))
        return false;
    *type_length = (size_t)(c.at - *type);
    c.at++;
    skip_blanks(&c);
    bool whole = take(&c, '}') || (take(&c, ',') && skip_members(&c, 1, '}'));
    return whole && c.at == c.end;
}
