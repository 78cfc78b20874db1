// SPDX-License-Identifier: BSD-2-Clause
// The command line, read against tables of options.
#include "kernel/base/cmdline.h"

#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

// How much of a word a message quotes.
#define QUOTE_MAX 48

struct word {
    const char *text; // the whole word
    size_t length;
    const char *value; // behind the `=`; NULL: there is none
    size_t name_length, value_length;
};

static int quoted(const struct word *w)
{
    return (int)MIN(w->length, (size_t)QUOTE_MAX);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool next_word(const char **text, struct word *w)
{
    const char *at = *text;
    while (is_space(*at))
        at++;
    *w = (struct word){ .text = at };
    for (; *at && !is_space(*at); at++)
        if (*at == '=' && !w->value)
            w->value = at + 1;
    w->length = (size_t)(at - w->text);
    w->name_length = w->value ? (size_t)(w->value - 1 - w->text) : w->length;
    w->value_length = w->value ? (size_t)(at - w->value) : 0;
    *text = at;
    return w->length > 0;
}

static bool name_is(const char *text, size_t length, const char *name)
{
    return strnlen(name, length + 1) == length && memcmp(text, name, length) == 0;
}

static struct cmdline_value *find(struct cmdline *c, const char *name, size_t length)
{
    for (size_t i = 0; i < c->count; i++)
        if (name_is(name, length, c->values[i].option->name))
            return &c->values[i];
    return NULL;
}

static bool find_choice(const char *choices, const char *text, size_t length, uint64_t *index)
{
    for (*index = 0;; ++*index) {
        const char *end = strchr(choices, '|');
        size_t bytes = end ? (size_t)(end - choices) : strlen(choices);
        if (bytes == length && memcmp(choices, text, length) == 0)
            return true;
        if (!end)
            return false;
        choices = end + 1;
    }
}

static const char *kind_help(enum option_kind kind)
{
    switch (kind) {
    case OPTION_NUMBER:
        return "a number, such as 4 or 0x10";
    case OPTION_SIZE:
        return "a size, such as 512, 4k, 1m or 2g";
    case OPTION_TIME:
        return "a time, such as 5, 5s, 200ms, 50us, 1m or 1h";
    default:
        return "text";
    }
}

static bool parse_value(const struct option *o, const char *text, size_t length, uint64_t *number)
{
    *number = 0;
    switch (o->kind) {
    case OPTION_NUMBER:
        return parse_number(text, length, number);
    case OPTION_SIZE:
        return parse_size(text, length, number);
    case OPTION_TIME:
        return parse_time(text, length, number);
    case OPTION_CHOICE:
        return find_choice(o->choices, text, length, number);
    case OPTION_TEXT:
    case OPTION_FLAG:
        break;
    }
    return true;
}

static bool has_range(const struct option *o)
{
    return o->kind != OPTION_CHOICE && o->kind != OPTION_TEXT;
}

static bool check_range(const struct option *o, const struct word *w, uint64_t number,
                        struct problem *p)
{
    const char *unit = o->kind == OPTION_TIME ? " us" : o->kind == OPTION_SIZE ? " bytes" : "";
    if (!has_range(o))
        return true;
    if (number < o->min)
        return problem_set(p, "cmdline-range", "command line: \"%.*s\": %s is at least %llu%s",
                           quoted(w), w->text, o->name, (unsigned long long)o->min, unit);
    if (o->max && number > o->max)
        return problem_set(p, "cmdline-range", "command line: \"%.*s\": %s is at most %llu%s",
                           quoted(w), w->text, o->name, (unsigned long long)o->max, unit);
    return true;
}

static bool set_value(struct cmdline_value *v, const struct word *w, struct problem *p)
{
    const struct option *o = v->option;
    uint64_t number;
    if (!parse_value(o, w->value, w->value_length, &number)) {
        if (o->kind == OPTION_CHOICE)
            return problem_set(p, "cmdline-choice", "command line: \"%.*s\": %s is one of %s",
                               quoted(w), w->text, o->name, o->choices);
        return problem_set(p, "cmdline-value", "command line: \"%.*s\": %s is %s", quoted(w),
                           w->text, o->name, kind_help(o->kind));
    }
    if (!check_range(o, w, number, p))
        return false;
    v->text = w->value;
    v->length = w->value_length;
    v->number = number;
    return true;
}

// There may be too many to name: the app's come first, which stand last.
static bool unknown_word(const struct cmdline *c, const struct word *w, struct problem *p)
{
    char names[160];
    int used = 0;
    for (size_t i = c->count; i && (size_t)used < sizeof(names); i--)
        used += format_text(names + used, sizeof(names) - (size_t)used, " %s",
                            c->values[i - 1].option->name);
    return problem_set(p, "cmdline-unknown", "command line: unknown word \"%.*s\"; known:%s%s",
                       quoted(w), w->text, names, (size_t)used < sizeof(names) ? "" : "...");
}

static bool set_flag(struct cmdline_value *v, const struct word *w, struct problem *p)
{
    if (w->value)
        return problem_set(p, "cmdline-value", "command line: \"%.*s\": %s takes no value",
                           quoted(w), w->text, v->option->name);
    v->given = true;
    v->number = 1;
    return true;
}

static bool take_word(struct cmdline *c, const struct word *w, bool lenient, struct problem *p)
{
    struct cmdline_value *v = find(c, w->text, w->name_length);
    if (!v)
        return lenient || unknown_word(c, w, p);
    if (v->option->kind == OPTION_FLAG)
        return set_flag(v, w, p);
    if (!w->value)
        return problem_set(p, "cmdline-no-value",
                           "command line: \"%.*s\" has no value; write %s=...", quoted(w), w->text,
                           v->option->name);
    v->given = true;
    return set_value(v, w, p);
}

static bool add_option(struct cmdline *c, const struct option *o, struct problem *p)
{
    if (c->count == CMDLINE_OPTIONS_MAX)
        return problem_set(p, "cmdline-tables",
                           "more than %u options in the tables; raise CMDLINE_OPTIONS_MAX",
                           CMDLINE_OPTIONS_MAX);
    if (find(c, o->name, strlen(o->name)))
        return problem_set(p, "cmdline-tables", "two options in the tables are named %s", o->name);
    struct cmdline_value *v = &c->values[c->count++];
    *v = (struct cmdline_value){ .option = o };
    if (!o->fallback)
        return true;
    struct word fallback = {
        .text = o->fallback,
        .length = strlen(o->fallback),
        .value = o->fallback,
        .value_length = strlen(o->fallback),
    };
    return set_value(v, &fallback, p);
}

bool cmdline_parse(const char *text, const struct option *const *tables, size_t tables_count,
                   bool lenient, struct cmdline *out, struct problem *p)
{
    struct word w;
    out->line = text;
    out->count = 0;
    for (size_t i = 0; i < tables_count; i++)
        for (const struct option *o = tables[i]; o && o->name; o++)
            if (!add_option(out, o, p))
                return false;
    while (next_word(&text, &w))
        if (!take_word(out, &w, lenient, p))
            return false;
    return true;
}

const char *cmdline_next(const struct cmdline *c, const char *name, const char *after,
                         size_t *length)
{
    const char *at = c->line;
    struct word w;
    while (next_word(&at, &w)) {
        if (!w.value || (after && w.value <= after) || !name_is(w.text, w.name_length, name))
            continue;
        *length = w.value_length;
        return w.value;
    }
    return NULL;
}

const struct cmdline_value *cmdline_get(const struct cmdline *c, const char *name)
{
    static const struct option none = { .name = "" };
    static const struct cmdline_value absent = { .option = &none };
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->values[i].option->name, name) == 0)
            return &c->values[i];
    return &absent;
}

uint64_t cmdline_number(const struct cmdline *c, const char *name)
{
    return cmdline_get(c, name)->number;
}

bool cmdline_is(const struct cmdline *c, const char *name, const char *value)
{
    const struct cmdline_value *v = cmdline_get(c, name);
    return v->text && name_is(v->text, v->length, value);
}
