// SPDX-License-Identifier: BSD-2-Clause
// Breaches of the programming rules: told, counted, and turned into the exit status.
#include "tools/qemu/strict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/qemu/entry_cache.h"
#include "tools/qemu/qemu_abi.h"

#define TOLD_EACH 3 // of each rule, so many breaches are told, all are counted

// What Onebell's image gives isa-debug-exit when all went well, as QEMU's exit status.
#define GUEST_OK 33

static const struct {
    const char *id, *specification, *section, *text;
} rules[RULES_END] = {
#define RULE(constant, id, section, text) { id, "VT-d", section, text },
    STRICT_RULES(RULE)
#undef RULE
#define RULE(constant, id, section, text) { id, "DSA", section, text },
        DSA_STRICT_RULES(RULE)
#undef RULE
};

static struct {
    bool on;
    uint64_t breaches;
    uint64_t counts[RULES_END];
} strict;

static void change_status(int status, void *data)
{
    if (!strict.breaches || (status != EXIT_SUCCESS && status != GUEST_OK))
        return;
    fflush(NULL);
    _exit(STRICT_EXIT);
}

void strict_init(void)
{
    strict.on = true;
    entry_cache_init();
    on_exit(change_status, NULL);
}

bool strict_on(void)
{
    return strict.on;
}

void strict_breach(enum strict_rule rule, const char *format, ...)
{
    if (!strict.on)
        return;
    strict.breaches++;
    if (++strict.counts[rule] > TOLD_EACH)
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, MODEL_NAME ": breach of %s %s, %s (%s): ", rules[rule].specification,
            rules[rule].section, rules[rule].id, rules[rule].text);
    vfprintf(stderr, format, args);
    fprintf(stderr, "%s\n",
            strict.counts[rule] == TOLD_EACH ? " (further ones are only counted)" : "");
    va_end(args);
}

void strict_print_table(void)
{
    if (!strict.on)
        return;
    fprintf(stderr, "  %-44s %14" PRIu64 "\n", "served by an entry that memory has changed",
            entry_cache_stale_uses());
    fprintf(stderr, "  %-44s %14" PRIu64 "\n", "breaches of the rules", strict.breaches);
    for (unsigned i = 0; i < RULES_END; i++)
        if (strict.counts[i])
            fprintf(stderr, "    %-42s %14" PRIu64 "\n", rules[i].id, strict.counts[i]);
}

void strict_print_json(FILE *out)
{
    if (!strict.on)
        return;
    fprintf(out, ",\"stale_uses\":%" PRIu64 ",\"breaches\":{", entry_cache_stale_uses());
    const char *separator = "";
    for (unsigned i = 0; i < RULES_END; i++) {
        if (!strict.counts[i])
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, separator, rules[i].id, strict.counts[i]);
        separator = ",";
    }
    fprintf(out, "}");
}
