// SPDX-License-Identifier: BSD-2-Clause
// Writes one JSON object into a buffer, without allocation. Keys are literals of ours; string values
// are escaped.
#pragma once

#include "lib/types.h"

struct json {
    char *buffer;
    size_t bytes; // capacity
    size_t used;  // length so far, without the closing zero
    bool cut;     // something didn't fit: json_end() returns NULL
    bool comma;   // the next member needs a comma first
};

// Starts `{"type":type`. The buffer must outlive the writer.
void json_begin(struct json *j, char *buffer, size_t bytes, const char *type);

void json_text(struct json *j, const char *key, const char *value);
// A string of up to 63 characters, by printf's rules.
void json_format(struct json *j, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
// value/1000 with three decimals: JSON numbers such as 12.345 without floating point.
void json_milli(struct json *j, const char *key, uint64_t thousandths);
void json_open(struct json *j, const char *key);       // nested object; key NULL inside an array
void json_open_array(struct json *j, const char *key); // nested array; elements have key NULL
void json_close(struct json *j);
void json_close_array(struct json *j);

// Closes the object. Returns the text, or NULL where it did not fit.
const char *json_end(struct json *j);
