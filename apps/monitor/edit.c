// SPDX-License-Identifier: BSD-2-Clause
// The line editor. What the terminal shows is kept, and only what differs is written.

#include "apps/monitor/edit.h"

#include "lib/string.h"

#define CTRL(letter) ((letter) & 0x1f)
#define ESCAPE 0x1b
#define DELETE 0x7f

// ---- the terminal ----

static size_t width(const struct edit *e)
{
    return EDIT_COLUMNS - strlen(e->prompt);
}

static void put(struct edit *e, const char *bytes, size_t count)
{
    if (count)
        e->write(e->arg, bytes, count);
}

// Forward by writing what is there already: that works on any terminal.
static void go_to(struct edit *e, size_t column)
{
    for (; e->cursor > column; e->cursor--)
        put(e, "\b", 1);
    put(e, &e->shown[e->cursor], column - e->cursor);
    e->cursor = column;
}

static void place_window(struct edit *e)
{
    if (e->at < e->from)
        e->from = e->at;
    if (e->at - e->from >= width(e))
        e->from = e->at - width(e) + 1;
    if (e->length < width(e))
        e->from = 0;
}

static void blank(struct edit *e, size_t from)
{
    go_to(e, from);
    memset(&e->shown[from], ' ', e->shown_length - from);
    go_to(e, e->shown_length);
}

static void show(struct edit *e)
{
    place_window(e);
    const char *wanted = &e->text[e->from];
    size_t count = MIN(e->length - e->from, width(e)), same = 0;
    while (same < count && same < e->shown_length && e->shown[same] == wanted[same])
        same++;
    if (same < count)
        go_to(e, same);
    memcpy(&e->shown[same], &wanted[same], count - same);
    if (same < count)
        go_to(e, count);
    if (count < e->shown_length)
        blank(e, count);
    e->shown_length = count;
    go_to(e, e->at - e->from);
}

void edit_redraw(struct edit *e)
{
    e->shown_length = e->cursor = 0;
    put(e, e->prompt, strlen(e->prompt));
    show(e);
}

// ---- the text ----

static void clear(struct edit *e)
{
    e->text[0] = 0;
    e->length = e->at = e->from = 0;
    e->too_long = false;
}

static void set_text(struct edit *e, const char *text)
{
    clear(e);
    e->length = e->at = strlen(text);
    memcpy(e->text, text, e->length + 1);
}

void edit_begin(struct edit *e)
{
    clear(e);
    e->back = 0;
    edit_redraw(e);
}

void edit_insert(struct edit *e, const char *text, size_t count)
{
    size_t room = EDIT_BYTES - 1 - e->length;
    e->too_long |= count > room;
    count = MIN(count, room);
    memmove(&e->text[e->at + count], &e->text[e->at], e->length - e->at + 1);
    memcpy(&e->text[e->at], text, count);
    e->length += count;
    e->at += count;
    show(e);
}

static void cut(struct edit *e, size_t from, size_t to)
{
    memmove(&e->text[from], &e->text[to], e->length - to + 1);
    e->length -= to - from;
    e->at = from;
    show(e);
}

static size_t word_before(const struct edit *e)
{
    size_t at = e->at;
    while (at && e->text[at - 1] == ' ')
        at--;
    while (at && e->text[at - 1] != ' ')
        at--;
    return at;
}

static void move_to(struct edit *e, size_t at)
{
    e->at = MIN(at, e->length);
    show(e);
}

// ---- history: a ring, whose newest line is one back ----

static char *line_back(struct edit *e, size_t back)
{
    return e->history[(e->lines - back) % EDIT_HISTORY];
}

static void remember(struct edit *e)
{
    if (!e->length || e->too_long || (e->lines && !strcmp(line_back(e, 1), e->text)))
        return;
    memcpy(e->history[e->lines++ % EDIT_HISTORY], e->text, e->length + 1);
}

static void go_back(struct edit *e, size_t back)
{
    if (back > MIN(e->lines, (size_t)EDIT_HISTORY))
        return;
    if (!e->back)
        memcpy(e->draft, e->text, e->length + 1);
    e->back = back;
    set_text(e, back ? line_back(e, back) : e->draft);
    show(e);
}

static void go_forth(struct edit *e)
{
    if (e->back)
        go_back(e, e->back - 1);
}

// ---- keys ----

static enum edit_event end_line(struct edit *e)
{
    e->at = e->length;
    show(e);
    put(e, "\n", 1);
    remember(e);
    return EDIT_LINE;
}

static enum edit_event stop(struct edit *e)
{
    e->at = e->length;
    show(e);
    if (e->cursor + 2 < width(e))
        put(e, "^C", 2);
    put(e, "\n", 1);
    clear(e);
    return EDIT_STOP;
}

static void delete_here(struct edit *e)
{
    if (e->at < e->length)
        cut(e, e->at, e->at + 1);
}

static enum edit_event control(struct edit *e, uint8_t key)
{
    switch (key) {
    case '\r':
    case '\n':
        return end_line(e);
    case '\t':
        return EDIT_COMPLETE;
    case CTRL('c'):
        return stop(e);
    case '\b':
    case DELETE:
        if (e->at)
            cut(e, e->at - 1, e->at);
        break;
    case CTRL('a'):
        move_to(e, 0);
        break;
    case CTRL('b'):
        move_to(e, e->at - (e->at > 0));
        break;
    case CTRL('d'):
        delete_here(e);
        break;
    case CTRL('e'):
        move_to(e, e->length);
        break;
    case CTRL('f'):
        move_to(e, e->at + 1);
        break;
    case CTRL('k'):
        cut(e, e->at, e->length);
        break;
    case CTRL('l'):
        put(e, "\n", 1);
        edit_redraw(e);
        break;
    case CTRL('n'):
        go_forth(e);
        break;
    case CTRL('p'):
        go_back(e, e->back + 1);
        break;
    case CTRL('u'):
        cut(e, 0, e->at);
        e->too_long &= e->length > 0;
        break;
    case CTRL('w'):
        cut(e, word_before(e), e->at);
        break;
    default:
        break;
    }
    return EDIT_NOTHING;
}

// ---- sequences: ESC [ or ESC O, a number perhaps, and a letter or ~ ----

// The control key that does the same; 0: none.
static uint8_t key_of(const char *sequence, size_t length)
{
    static const struct {
        const char *sequence;
        uint8_t key;
    } keys[] = {
        { "A", CTRL('p') },  { "B", CTRL('n') },  { "C", CTRL('f') },  { "D", CTRL('b') },
        { "H", CTRL('a') },  { "F", CTRL('e') },  { "1~", CTRL('a') }, { "7~", CTRL('a') },
        { "4~", CTRL('e') }, { "8~", CTRL('e') }, { "3~", CTRL('d') },
    };
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strlen(keys[i].sequence) == length && !memcmp(keys[i].sequence, sequence, length))
            return keys[i].key;
    return 0;
}

static bool begins_sequence(const struct edit *e, uint8_t byte)
{
    return e->escape_length == 1 && (byte == '[' || byte == 'O');
}

static bool ends_sequence(uint8_t byte)
{
    return byte >= '@' && byte <= '~';
}

// False: the byte is no part of a sequence, and what began one is forgotten.
static bool take_escape(struct edit *e, uint8_t byte)
{
    if (byte == ESCAPE) {
        e->escape[0] = ESCAPE;
        e->escape_length = 1;
        return true;
    }
    if (!e->escape_length)
        return false;
    bool within = e->escape_length > 1 ? byte >= ' ' && byte <= '~' : begins_sequence(e, byte);
    if (!within || e->escape_length == EDIT_ESCAPE_MAX) {
        e->escape_length = 0;
        return false;
    }
    bool ends = e->escape_length > 1 && ends_sequence(byte);
    e->escape[e->escape_length++] = (char)byte;
    if (!ends)
        return true;
    uint8_t key = key_of(&e->escape[2], e->escape_length - 2);
    e->escape_length = 0;
    if (key)
        (void)control(e, key);
    return true;
}

enum edit_event edit_feed(struct edit *e, uint8_t byte)
{
    bool second = byte == '\n' && e->after_cr; // of a CR LF
    e->after_cr = byte == '\r';
    if (second || take_escape(e, byte))
        return EDIT_NOTHING;
    if (byte < ' ' || byte == DELETE)
        return control(e, byte);
    if (byte < DELETE)
        edit_insert(e, (const char *)&byte, 1);
    return EDIT_NOTHING;
}
