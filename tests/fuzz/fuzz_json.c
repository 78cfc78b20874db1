// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the JSON writer: whatever a string holds, what comes out is one line of well-formed JSON
// text in valid UTF-8, and a buffer that is too small is never overrun.
#include <stdlib.h>

#include "lib/json.h"
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The end of the string literal that starts at s, by RFC 8259, section 7.
static const char *skip_string(const char *s)
{
    if (*s++ != '"')
        abort();
    while (*s != '"') {
        if ((uint8_t)*s < 0x20)
            abort();
        if (*s++ != '\\')
            continue;
        char escaped = *s++;
        if (escaped == 'u' && strspn(s, "0123456789abcdefABCDEF") >= 4)
            s += 4;
        else if (escaped != '"' && escaped != '\\')
            abort();
    }
    return s + 1;
}

// The code point that starts at s; moves s past it. Written unlike the writer's own check.
static uint32_t next_point(const uint8_t **s)
{
    uint32_t first = *(*s)++;
    unsigned more = first < 0x80       ? 0
                    : first >> 5 == 6  ? 1
                    : first >> 4 == 14 ? 2
                    : first >> 3 == 30 ? 3
                                       : 9;
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    if (more == 9)
        abort();
    uint32_t point = more ? first & (0x3fu >> more) : first;
    for (unsigned i = 0; i < more; i++) {
        if (**s >> 6 != 2)
            abort();
        point = point << 6 | (*(*s)++ & 0x3f);
    }
    if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        abort();
    return point;
}

static void check(const char *text)
{
    static const char start[] = "{\"type\":", middle[] = ",\"n\":7,\"text\":";
    if (strncmp(text, start, strlen(start)))
        abort();
    const char *at = skip_string(text + strlen(start));
    if (strncmp(at, middle, strlen(middle)))
        abort();
    at = skip_string(at + strlen(middle));
    if (strcmp(at, "}"))
        abort();
    for (const uint8_t *s = (const uint8_t *)text; *s;)
        next_point(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    size_t bytes = size * 12 + 64;
    char *value = malloc(size), *buffer = malloc(bytes);
    struct json j;
    memcpy(value, data + 1, size - 1);
    value[size - 1] = 0;
    for (unsigned cut = 0; cut < 2; cut++) {
        json_begin(&j, buffer, cut ? data[0] % bytes : bytes, value);
        json_u64(&j, "n", 7);
        json_text(&j, "text", value);
        const char *text = json_end(&j);
        if (!text && !cut)
            abort();
        if (text)
            check(text);
    }
    free(value);
    free(buffer);
    return 0;
}
