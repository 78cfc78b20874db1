// SPDX-License-Identifier: BSD-2-Clause
#include "drivers/nvme/cli/sheet.h"

#include "lib/decimal.h"
#include "lib/format.h"
#include "lib/string.h"

#define LINE_BYTES 320
#define VALUE_BYTES 257 // the longest text is SUBNQN's
#define RAW_COLUMNS 16
#define RAW_MOST 4096

void sheet_line(const struct sheet *s, const char *fmt, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    format_text_v(text, sizeof(text), fmt, args);
    va_end(args);
    s->line(s->arg, text);
}

const char *sheet_hex(uint64_t n, char to[SHEET_HEX_BYTES])
{
    format_text(to, SHEET_HEX_BYTES, n ? "0x%llx" : "0", (unsigned long long)n);
    return to;
}

const char *sheet_text(const char *text, size_t length, char *to, size_t bytes)
{
    size_t used = 0;
    length = strnlen(text, length);
    while (length && text[length - 1] == ' ')
        length--;
    for (; used < length && used + 1 < bytes; used++)
        to[used] = text[used] >= ' ' && text[used] <= '~' ? text[used] : '.';
    to[used] = 0;
    return to;
}

static const char *bytes_text(const uint8_t *data, size_t bytes, char *to, size_t room)
{
    for (size_t i = 0; i < bytes; i++)
        format_text(to + 2 * i, room - 2 * i, "%02x", data[i]);
    return to;
}

static const char *uuid_text(const uint8_t *d, char *to, size_t room)
{
    format_text(to, room, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12],
                d[13], d[14], d[15]);
    return to;
}

// Texts: those that aren't numbers, in any form.
static const char *as_text(const struct sheet_field *f, const uint8_t *data, char *to)
{
    switch (f->form) {
    case SHEET_TEXT:
        return sheet_text((const char *)data, f->bytes, to, VALUE_BYTES);
    case SHEET_ID:
        return bytes_text(data, f->bytes, to, VALUE_BYTES);
    case SHEET_UUID:
        return uuid_text(data, to, VALUE_BYTES);
    default:
        return NULL;
    }
}

static const char *number_text(enum sheet_form form, uint64_t n, char *to)
{
    switch (form) {
    case SHEET_HEX:
        return sheet_hex(n, to);
    case SHEET_OUI:
        format_text(to, VALUE_BYTES, "%06llx", (unsigned long long)n);
        return to;
    default:
        format_text(to, VALUE_BYTES, form == SHEET_PERCENT ? "%llu%%" : "%llu",
                    (unsigned long long)n);
        return to;
    }
}

static void add_field(const struct sheet *s, const struct sheet_field *f, int width,
                      const uint8_t *data)
{
    char value[VALUE_BYTES];
    const char *key = f->key ? f->key : f->name;
    const char *text = as_text(f, data, value);
    uint64_t words[2] = { 0 };

    if (!text && f->bytes <= sizeof(words))
        memcpy(words, data, f->bytes);
    if (!text && f->bytes > sizeof(words[0]))
        text = decimal_text(words, 1, value); // more digits than a JSON number may have
    if (text)
        json_text(s->json, key, text);
    else
        json_u64(s->json, key, words[0]);
    sheet_line(s, "%-*s: %s", width, f->name, text ? text : number_text(f->form, words[0], value));
}

void sheet_fields(const struct sheet *s, const struct sheet_field *fields, size_t count, int width,
                  const void *data)
{
    for (size_t i = 0; i < count; i++)
        add_field(s, &fields[i], width, (const uint8_t *)data + fields[i].offset);
}

void sheet_raw(const struct sheet *s, const void *data, size_t bytes)
{
    static char hex[2 * RAW_MOST + 1];
    bytes = MIN(bytes, (size_t)RAW_MOST);
    json_text(s->json, "raw", bytes_text(data, bytes, hex, sizeof(hex)));
    for (size_t at = 0; at < bytes; at += RAW_COLUMNS)
        sheet_line(s, "%04zx: %.*s", at, 2 * (int)MIN(bytes - at, (size_t)RAW_COLUMNS),
                   hex + 2 * at);
}
