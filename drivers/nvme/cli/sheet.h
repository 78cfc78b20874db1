// SPDX-License-Identifier: BSD-2-Clause
// A page of the controller's, decoded: lines for people, and the same as JSON members for tools.
// Names, columns and number formats are nvme-cli's. Pure.
#pragma once

#include "lib/json.h"
#include "lib/types.h"

struct sheet {
    void (*line)(void *arg, const char *text);
    void *arg;
    struct json *json;
};

enum sheet_form {
    SHEET_DEC,
    SHEET_HEX,     // 0x1f, but 0
    SHEET_PERCENT, // 12%
    SHEET_TEXT,    // padded with blanks, which are left out
    SHEET_ID,      // bytes in hex, as they stand
    SHEET_OUI,     // bytes in hex, the last one first; a number in JSON
    SHEET_UUID,
};

// A member of a hardware structure.
struct sheet_field {
    const char *name;
    const char *key; // of JSON; NULL: the name
    uint16_t offset, bytes;
    enum sheet_form form;
};
#define SHEET_FIELD(type, member, form)                                                            \
    { #member, NULL, offsetof(type, member), sizeof(((type *)0)->member), form }
#define SHEET_NAMED(type, member, name, key, form)                                                 \
    { name, key, offsetof(type, member), sizeof(((type *)0)->member), form }

// One line.
void sheet_line(const struct sheet *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

// "name : value" lines, names in a column of `width`, and their members.
void sheet_fields(const struct sheet *s, const struct sheet_field *fields, size_t count, int width,
                  const void *data);

// A number as nvme-cli's "%#x" has it. `to` holds SHEET_HEX_BYTES; returned.
#define SHEET_HEX_BYTES 19
const char *sheet_hex(uint64_t n, char to[SHEET_HEX_BYTES]);

// The text without what pads it, and with dots for what can't be printed; at most bytes - 1 of it.
const char *sheet_text(const char *text, size_t length, char *to, size_t bytes);

// Bytes as 16 to a line for people, and in one string for tools.
void sheet_raw(const struct sheet *s, const void *data, size_t bytes);
