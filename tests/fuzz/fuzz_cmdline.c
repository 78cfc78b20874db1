// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the command line: any text is either refused with a message or gives values in range.
#include <stdlib.h>

#include "kernel/base/cmdline.h"
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct option options[] = {
    { .name = "n", .kind = OPTION_NUMBER, .min = 3, .max = 70000 },
    { .name = "bs", .kind = OPTION_SIZE, .fallback = "4k", .max = 1ull << 40 },
    { .name = "runtime", .kind = OPTION_TIME, .min = 1 },
    { .name = "irq", .kind = OPTION_CHOICE, .fallback = "auto", .choices = "auto|posted|poll" },
    { .name = "filename", .kind = OPTION_TEXT },
    { .name = NULL },
};
static const struct option *const tables[] = { options };

// The last of several is the one that wins.
static void check_several(const struct cmdline *c)
{
    const struct cmdline_value *v = cmdline_get(c, "filename");
    const char *at = NULL, *last = NULL;
    size_t length = 0;
    while ((at = cmdline_next(c, "filename", at, &length)))
        last = at;
    if (last != v->text || (last && length != v->length))
        abort();
}

static void check(const char *text, const struct cmdline *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct cmdline_value *v = &c->values[i];
        const struct option *o = v->option;
        if (v->given && (v->text < text || v->text + v->length > text + strlen(text)))
            abort();
        if (v->given && o->kind != OPTION_CHOICE && o->kind != OPTION_TEXT &&
            (v->number < o->min || (o->max && v->number > o->max)))
            abort();
        if (o->kind == OPTION_CHOICE && v->number > 2)
            abort();
    }
    check_several(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cmdline c;
    struct problem p = { 0 };
    char *text = malloc(size + 1); // exactly as long as it is, so that each byte too far is seen
    memcpy(text, data, size);
    text[size] = 0;
    if (cmdline_parse(text, tables, 1, size && data[0] & 1, &c, &p))
        check(text, &c);
    else if (!p.what || !p.message[0] || strnlen(p.message, sizeof(p.message)) == sizeof(p.message))
        abort();
    free(text);
    return 0;
}
