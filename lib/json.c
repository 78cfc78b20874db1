// SPDX-License-Identifier: BSD-2-Clause
// The JSON writer (RFC 8259). What comes out is valid UTF-8 whatever the strings hold.
#include "lib/json.h"

#include "lib/format.h"
#include "lib/string.h"

static void put(struct json *j, const char *text, size_t length)
{
    if (j->cut || length >= j->bytes - j->used) { // one byte stays for the closing zero
        j->cut = true;
        return;
    }
    memcpy(j->buffer + j->used, text, length);
    j->used += length;
}

static void put_text(struct json *j, const char *text)
{
    put(j, text, strlen(text));
}

// Bytes of the well-formed UTF-8 sequence at s (RFC 3629), 0 if there is none.
static size_t utf8_length(const uint8_t *s)
{
    uint8_t low = 0x80, high = 0xbf; // bounds of the second byte
    size_t length = s[0] < 0x80   ? 1
                    : s[0] < 0xc2 ? 0
                    : s[0] < 0xe0 ? 2
                    : s[0] < 0xf0 ? 3
                    : s[0] < 0xf5 ? 4
                                  : 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
        if (s[i] < low || s[i] > high)
            return 0;
    return length;
}

static void put_string(struct json *j, const char *text)
{
    put_text(j, "\"");
    while (*text) {
        uint8_t c = (uint8_t)*text;
        size_t length = utf8_length((const uint8_t *)text);
        char escape[8];
        if (c == '"' || c == '\\') {
            put_text(j, "\\");
            put(j, text, 1);
        } else if (c < 0x20 || c == 0x7f) {
            format_text(escape, sizeof(escape), "\\u%04x", c);
            put_text(j, escape);
        } else if (length) {
            put(j, text, length);
        } else {
            put_text(j, "\\ufffd");
        }
        text += length ? length : 1;
    }
    put_text(j, "\"");
}

static void put_key(struct json *j, const char *key)
{
    if (j->comma)
        put_text(j, ",");
    j->comma = true;
    if (!key)
        return;
    put_string(j, key);
    put_text(j, ":");
}

void json_begin(struct json *j, char *buffer, size_t bytes, const char *type)
{
    *j = (struct json){ .buffer = buffer, .bytes = bytes, .cut = bytes == 0 };
    put_text(j, "{");
    json_text(j, "type", type);
}

void json_text(struct json *j, const char *key, const char *value)
{
    put_key(j, key);
    put_string(j, value);
}

void json_format(struct json *j, const char *key, const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    format_text_v(text, sizeof(text), fmt, args);
    va_end(args);
    json_text(j, key, text);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
    char text[24];
    format_text(text, sizeof(text), "%lu", value);
    put_key(j, key);
    put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
    put_key(j, key);
    put_text(j, value ? "true" : "false");
}

void json_milli(struct json *j, const char *key, uint64_t thousandths)
{
    char text[32];
    format_text(text, sizeof(text), "%lu.%03lu", thousandths / 1000, thousandths % 1000);
    put_key(j, key);
    put_text(j, text);
}

static void open(struct json *j, const char *key, const char *bracket)
{
    put_key(j, key);
    put_text(j, bracket);
    j->comma = false;
}

static void close(struct json *j, const char *bracket)
{
    put_text(j, bracket);
    j->comma = true;
}

void json_open(struct json *j, const char *key)
{
    open(j, key, "{");
}

void json_open_array(struct json *j, const char *key)
{
    open(j, key, "[");
}

void json_close(struct json *j)
{
    close(j, "}");
}

void json_close_array(struct json *j)
{
    close(j, "]");
}

const char *json_end(struct json *j)
{
    put_text(j, "}");
    if (j->cut)
        return NULL;
    j->buffer[j->used] = 0;
    return j->buffer;
}
