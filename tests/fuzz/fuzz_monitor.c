// SPDX-License-Identifier: BSD-2-Clause
// Any bytes typed at the monitor's line editor: the terminal shows what is in the line, Tab included, and
// each line is cut into words.
#include <stddef.h>
#include <stdint.h>

#include "apps/monitor/complete.h"
#include "kernel/run/command.h"
#include "tests/host/monitor_terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *candidate(void *arg, size_t i)
{
    static const char *const words[] = { "irq", "irte", "job", "rw=", "rw=read", "" };
    return i < ARRAY_SIZE(words) ? words[i] : NULL;
}

static void complete_here(struct edit *e)
{
    size_t begin = complete_word(e->text, e->at);
    struct completion c = complete(&e->text[begin], e->at - begin, candidate, NULL);
    edit_insert(e, c.add, strlen(c.add));
}

static void take_line(struct edit *e)
{
    char line[EDIT_BYTES];
    struct command_words words;
    assert(strlen(e->text) == e->length);
    memcpy(line, e->text, e->length + 1);
    if (command_split(line, &words))
        for (unsigned i = 0; i < words.count; i++)
            assert(words.word[i][0] && !strchr(words.word[i], ' '));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct edit e;
    e = (struct edit){ .write = terminal_write, .prompt = "> " };
    terminal_clear();
    edit_begin(&e);
    for (size_t i = 0; i < size; i++) {
        enum edit_event event = edit_feed(&e, data[i]);
        if (event == EDIT_COMPLETE)
            complete_here(&e);
        if (event == EDIT_LINE)
            take_line(&e);
        if (event == EDIT_LINE || event == EDIT_STOP)
            edit_begin(&e);
        assert(terminal_shows(&e));
    }
    return 0;
}
