// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the check of what domains send as JSON: what passes is one object, which stays one with the kernel's
// member put in, and no part of it passes, nor does more than it.
#include <string.h>

#include "lib/json_check.h"
#include "tests/fuzz/input.h"

#define MEMBER ",\"domain\":\"web\""
#define NO_KEY "\n" // no text has it
#define DEPTH_MOST 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// In memory of exactly its size.
static bool passes(const char *text, size_t bytes, const char *key, size_t *behind_type)
{
    char *exact = malloc(bytes ? bytes : 1);
    const char *type = NULL;
    size_t length = 0;
    memcpy(exact, text, bytes);
    bool good = json_check(exact, bytes, key, &type, &length);
    if (good) {
        require(length && type > exact && type + length < exact + bytes);
        require(type[-1] == '"' && type[length] == '"');
        *behind_type = (size_t)(type - exact) + length + 1;
    }
    free(exact);
    return good;
}

// Written unlike the check itself: brackets outside of strings match, and the last byte closes the first one.
static void is_one_object(const char *text, size_t bytes)
{
    char open[DEPTH_MOST];
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        require(c >= 0x20 && c <= 0x7e);
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '[')) {
            require(depth < DEPTH_MOST);
            open[depth++] = c == '{' ? '}' : ']';
        } else if (!quoted && (c == '}' || c == ']')) {
            require(depth && open[--depth] == c);
            require(depth || i == bytes - 1);
        }
    }
    require(!quoted && !depth);
}

static void member_fits_in(const char *text, size_t bytes, size_t at)
{
    size_t put = strlen(MEMBER), ignored;
    char *more = malloc(bytes + put);
    memcpy(more, text, at);
    memcpy(more + at, MEMBER, put);
    memcpy(more + at + put, text + at, bytes - at);
    require(passes(more, bytes + put, NO_KEY, &ignored));
    require(!passes(more, bytes + put, "domain", &ignored));
    free(more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t at, ignored;
    if (!passes(text, size, "domain", &at))
        return 0;
    is_one_object(text, size);
    member_fits_in(text, size, at);
    for (size_t less = 0; less < size; less++)
        require(!passes(text, less, "domain", &ignored));
    char *more = malloc(size + 1);
    memcpy(more, text, size);
    for (unsigned c = 0; c < 256; c++) {
        more[size] = (char)c;
        require(!passes(more, size + 1, "domain", &ignored));
    }
    free(more);
    return 0;
}
