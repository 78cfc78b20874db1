// SPDX-License-Identifier: BSD-2-Clause
// Commands log and trace: what was printed, and what the interrupt paths did.

#include "apps/monitor/monitor.h"
#include "kernel/base/cpus.h"
#include "kernel/base/log.h"
#include "kernel/base/report.h"
#include "kernel/cpu/trace.h"
#include "lib/parse.h"
#include "lib/string.h"

// ---- log: by what isn't kept in it ----

#define LINE_BYTES 1024
#define ALL_LINES UINT64_MAX

static bool has(const char *line, const char *word)
{
    size_t length = strlen(word);
    while (*line && strncmp(line, word, length))
        line++;
    return *line || !length;
}

static uint64_t count_lines(const char *word)
{
    static char line[LINE_BYTES];
    uint64_t count = 0;
    for (uint64_t at = 0; log_next_line(&at, line, sizeof(line));)
        count += has(line, word);
    return count;
}

static void print_log(uint64_t lines, const char *word)
{
    static char line[LINE_BYTES];
    uint64_t count = count_lines(word), skip = count > lines ? count - lines : 0;
    for (uint64_t at = 0; log_next_line(&at, line, sizeof(line));) {
        if (!has(line, word))
            continue;
        if (skip && skip--)
            continue;
        report_typed(line, strlen(line));
        report_typed("\n", 1);
    }
}

static bool log_command(const struct command_words *words, struct problem *p)
{
    uint64_t lines;
    const char *word = words->count > 1 ? words->word[1] : "";
    bool is_number = parse_number(word, strlen(word), &lines);
    if (!command_at_most(words, is_number ? 2 : 1, p))
        return false;
    if (is_number)
        word = words->count > 2 ? words->word[2] : "";
    print_log(is_number ? lines : ALL_LINES, word);
    return true;
}

COMMAND(command_log) = {
    .name = "log",
    .usage = "[LINES] [TEXT]",
    .help = "what was printed since boot; the last LINES, those with TEXT",
    .when = COMMAND_ALWAYS,
    .run = log_command,
};

// ---- trace ----

#define ENTRIES_DEFAULT 4096
#define COUNT_DEFAULT 20

static void trace_state(void)
{
    const struct trace_ring *ring = trace_rings.of[0];
    if (!ring)
        info("the trace is off, and has nothing; trace on turns it on");
    else
        info("the trace is %s, %lu entries for each CPU", trace_is_on() ? "on" : "off",
             ring->mask + 1);
}

static bool trace_on(const struct command_words *words, struct problem *p)
{
    uint64_t entries;
    if (!command_number(words, 2, "number of entries", TRACE_ENTRIES_MAX, ENTRIES_DEFAULT, &entries,
                        p))
        return false;
    trace_start((unsigned)MAX(entries, 1ull));
    trace_state();
    return true;
}

static bool trace_show(const struct command_words *words, struct problem *p)
{
    uint64_t cpu, count;
    if (!command_number(words, 1, "CPU", cpu_count() - 1, 0, &cpu, p) ||
        !command_number(words, 2, "number of entries", TRACE_ENTRIES_MAX, COUNT_DEFAULT, &count, p))
        return false;
    return trace_print((unsigned)cpu, (unsigned)count) ||
           problem_set(p, "monitor-word", "trace: CPU %llu has no entries: trace on first",
                       (unsigned long long)cpu);
}

static bool trace_command(const struct command_words *words, struct problem *p)
{
    const char *what = words->count > 1 ? words->word[1] : "";
    if (!command_at_most(words, 2, p))
        return false;
    if (!strcmp(what, "on"))
        return trace_on(words, p);
    if (!strcmp(what, "off"))
        trace_stop();
    else if (!strcmp(what, "dump"))
        trace_dump();
    else if (*what)
        return trace_show(words, p);
    trace_state();
    return true;
}

static const char *trace_candidate(const struct command_words *before, size_t i)
{
    static const char *const ways[] = { "dump", "off", "on" };
    return before->count == 1 && i < ARRAY_SIZE(ways) ? ways[i] : NULL;
}

COMMAND(command_trace) = {
    .name = "trace",
    .usage = "[CPU [COUNT]|on [N]|off|dump]",
    .help = "what the interrupt path of each CPU did",
    .more =
        "trace CPU [COUNT]  the newest entries of one\n"
        "trace on [N]       from now on, N entries for each CPU; a job turns it off at its end\n"
        "trace off          keeps what there is\n"
        "trace dump         sends all of it to the JSON port",
    .when = COMMAND_BESIDE,
    .run = trace_command,
    .candidate = trace_candidate,
};
