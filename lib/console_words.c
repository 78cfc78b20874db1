// SPDX-License-Identifier: BSD-2-Clause
// The words console= and json=, and what holds without them.

#include "lib/console_words.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

#define PHYS_END BIT64(52) // no x86 physical address reaches this
#define BAUD_LEAST 300u
#define BAUD_MOST 4000000u
#define QUOTE_MAX 64

const uint16_t console_com_ports[CONSOLE_COMS] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };

struct piece {
    const char *text;
    size_t length;
};

struct console_place console_com(unsigned index, uint32_t baud)
{
    return (struct console_place){ .kind = CONSOLE_IO,
                                   .width = 1,
                                   .stride = 1,
                                   .baud = baud,
                                   .clock = CONSOLE_CLOCK_PC,
                                   .address = console_com_ports[index] };
}

bool console_same(const struct console_place *a, const struct console_place *b)
{
    return a->kind == b->kind && a->address == b->address && a->bar == b->bar;
}

static int com_of(const struct console_place *place)
{
    for (int i = 0; i < CONSOLE_COMS; i++)
        if (place->kind == CONSOLE_IO && place->address == console_com_ports[i])
            return i;
    return -1;
}

const char *console_name(const struct console_place *place, char to[CONSOLE_NAME_BYTES])
{
    unsigned long long at = place->address;
    if (place->kind == CONSOLE_SCREEN)
        format_text(to, CONSOLE_NAME_BYTES, "screen");
    else if (com_of(place) >= 0)
        format_text(to, CONSOLE_NAME_BYTES, "com%d", com_of(place) + 1);
    else if (place->kind == CONSOLE_IO)
        format_text(to, CONSOLE_NAME_BYTES, "io:0x%llx", at);
    else if (place->kind == CONSOLE_MMIO)
        format_text(to, CONSOLE_NAME_BYTES, "mmio:0x%llx:%u", at, place->stride);
    else
        format_text(to, CONSOLE_NAME_BYTES, "pci:%04llx:%02llx:%02llx.%llx:%u", at >> 16 & 0xffff,
                    at >> 8 & 0xff, at >> 3 & 31, at & 7, place->bar);
    return to;
}

// ---- one place ----

static bool is(struct piece w, const char *text)
{
    return w.length == strlen(text) && memcmp(w.text, text, w.length) == 0;
}

static bool takes(struct piece *w, const char *prefix)
{
    size_t length = strlen(prefix);
    if (w->length < length || memcmp(w->text, prefix, length))
        return false;
    w->text += length;
    w->length -= length;
    return true;
}

// The part before the separator, which is passed over; without one, all.
static struct piece cut(struct piece *w, char separator)
{
    const char *end = memchr(w->text, separator, w->length);
    struct piece first = { w->text, end ? (size_t)(end - w->text) : w->length };
    size_t gone = first.length + (end != NULL);
    w->text += gone;
    w->length -= gone;
    return first;
}

static bool read_com(struct piece w, char first, struct console_place *out)
{
    if (w.length != 1 || w.text[0] < first || w.text[0] >= first + CONSOLE_COMS)
        return false;
    *out = console_com((unsigned)(w.text[0] - first), CONSOLE_BAUD_UNNAMED);
    return true;
}

bool console_may_be_port(uint64_t port)
{
    uint64_t last = port + 7;
    return port >= 0x100 && port <= UINT16_MAX - 7 && (last < 0xcf8 || port > 0xcff);
}

static bool read_io(struct piece w, struct console_place *out)
{
    uint64_t port;
    if (!parse_number(w.text, w.length, &port) || !console_may_be_port(port))
        return false;
    *out = console_com(0, CONSOLE_BAUD_UNNAMED);
    out->address = port;
    return true;
}

static bool read_mmio(struct piece w, struct console_place *out)
{
    uint64_t address, width = 1;
    struct piece first = cut(&w, ':');
    bool has_width = first.text + first.length < w.text;
    if (!parse_number(first.text, first.length, &address) ||
        (has_width && !parse_number(w.text, w.length, &width)))
        return false;
    if ((width != 1 && width != 2 && width != 4) || address == 0 || address % width ||
        address >= PHYS_END - 4096)
        return false;
    *out = (struct console_place){ .kind = CONSOLE_MMIO,
                                   .width = (uint8_t)width,
                                   .stride = (uint8_t)width,
                                   .baud = CONSOLE_BAUD_UNNAMED,
                                   .address = address };
    return true;
}

static bool read_hex(struct piece w, uint64_t most, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < w.length; i++) {
        char c = w.text[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit > 15 || (*value = *value << 4 | digit) > most)
            return false;
    }
    return w.length > 0;
}

static bool read_pci(struct piece w, struct console_place *out)
{
    uint64_t segment, bus, device, function, bar = 0;
    struct piece s = cut(&w, ':'), b = cut(&w, ':'), d = cut(&w, '.'), f = cut(&w, ':');
    if (!read_hex(s, 0xffff, &segment) || !read_hex(b, 0xff, &bus) || !read_hex(d, 31, &device) ||
        !read_hex(f, 7, &function) || (w.length && !read_hex(w, 5, &bar)))
        return false;
    *out = (struct console_place){ .kind = CONSOLE_PCI,
                                   .width = 1,
                                   .stride = 1,
                                   .bar = (uint8_t)bar,
                                   .baud = CONSOLE_BAUD_UNNAMED,
                                   .address = segment << 16 | bus << 8 | device << 3 | function };
    return true;
}

static bool read_place(struct piece w, struct console_place *out)
{
    if (is(w, "screen")) {
        *out = (struct console_place){ .kind = CONSOLE_SCREEN };
        return true;
    }
    if (takes(&w, "com"))
        return read_com(w, '1', out);
    if (takes(&w, "ttyS"))
        return read_com(w, '0', out);
    if (takes(&w, "io:"))
        return read_io(w, out);
    if (takes(&w, "mmio:"))
        return read_mmio(w, out);
    return takes(&w, "pci:") && read_pci(w, out);
}

// ---- a whole word ----

static bool is_speed(struct piece w)
{
    return w.length && w.text[0] >= '0' && w.text[0] <= '9';
}

// As in Linux, "n8" may follow: there is nothing else here; and a clock that isn't known is the PC's.
static bool read_speed(struct piece w, struct console_places *out)
{
    uint64_t baud;
    struct console_place *place = out->count ? &out->at[out->count - 1] : NULL;
    if (w.length > 2 && memcmp(w.text + w.length - 2, "n8", 2) == 0)
        w.length -= 2;
    if (!place || place->baud != CONSOLE_BAUD_UNNAMED || // a screen's is 0
        !parse_number(w.text, w.length, &baud) ||
        (baud != CONSOLE_BAUD_KEPT && (baud < BAUD_LEAST || baud > BAUD_MOST)))
        return false;
    place->baud = (uint32_t)baud;
    if (!place->clock)
        place->clock = CONSOLE_CLOCK_PC;
    return true;
}

static bool add_place(struct piece w, struct console_places *out)
{
    struct console_place place;
    if (out->count == CONSOLE_PLACES || !read_place(w, &place))
        return false;
    for (uint32_t i = 0; i < out->count; i++)
        if (console_same(&out->at[i], &place))
            return false;
    out->at[out->count++] = place;
    return true;
}

static bool read_value(struct piece w, struct console_places *out)
{
    *out = (struct console_places){ .named = true };
    if (is(w, "none"))
        return true;
    const char *end = w.text + w.length;
    if (!w.length || end[-1] == ',')
        return false;
    while (w.length) {
        struct piece item = cut(&w, ',');
        if (!(is_speed(item) ? read_speed(item, out) : add_place(item, out)))
            return false;
    }
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool next_word(const char **at, struct piece *w)
{
    while (is_space(**at))
        ++*at;
    w->text = *at;
    while (**at && !is_space(**at))
        ++*at;
    w->length = (size_t)(*at - w->text);
    return w->length > 0;
}

// The value of the last one of the name; text NULL: there is none.
static struct piece find_word(const char *cmdline, const char *name)
{
    struct piece w, value, last = { NULL, 0 };
    while (next_word(&cmdline, &w)) {
        value = w;
        if (takes(&value, name))
            last = value;
    }
    return last;
}

static bool read_word(struct piece w, const char *name, struct console_places *out,
                      struct problem *p)
{
    *out = (struct console_places){ 0 };
    if (!w.text || read_value(w, out))
        return true;
    *out = (struct console_places){ 0 };
    return problem_set(p, "cmdline-value",
                       "command line: \"%s%.*s\" is no list of consoles: com1 to com4, io:PORT, "
                       "mmio:ADDRESS:WIDTH, pci:SSSS:BB:DD.F:BAR, each with ,BAUD or without; "
                       "screen; or none",
                       name, (int)MIN(w.length, (size_t)QUOTE_MAX), w.text);
}

bool console_read_words(const char *cmdline, struct console_choice *c, struct problem *p)
{
    struct piece json = find_word(cmdline, "json=");
    bool text = read_word(find_word(cmdline, "console="), "console=", &c->text, p);
    c->json_follows = json.text && is(json, "console");
    if (c->json_follows)
        json.text = NULL;
    return read_word(json, "json=", &c->json, p) && text;
}

// ---- what is left open ----

static bool has(const struct console_places *places, const struct console_place *place)
{
    for (uint32_t i = 0; i < places->count; i++)
        if (console_same(&places->at[i], place))
            return true;
    return false;
}

static bool spcr_serves(const struct console_choice *c, unsigned coms)
{
    int com = com_of(&c->spcr);
    return c->has_spcr && (com < 0 || coms >> com & 1);
}

static void settle_text(struct console_choice *c, unsigned coms)
{
    unsigned first = coms ? (unsigned)__builtin_ctz(coms) : 0;
    c->text.at[0] = spcr_serves(c, coms) ? c->spcr : console_com(first, CONSOLE_BAUD_UNNAMED);
    c->text.at[1] = (struct console_place){ .kind = CONSOLE_SCREEN };
    c->text.count = 2;
}

static void share_text(struct console_choice *c, uint32_t most)
{
    for (uint32_t i = 0; i < c->text.count && c->json.count < most; i++)
        if (c->text.at[i].kind != CONSOLE_SCREEN)
            c->json.at[c->json.count++] = c->text.at[i];
}

static void settle_json(struct console_choice *c, unsigned coms)
{
    static const uint8_t order[CONSOLE_COMS] = { 1, 0, 2, 3 };
    for (unsigned i = 0; i < CONSOLE_COMS && !c->json.count && !c->json_follows; i++) {
        struct console_place place = console_com(order[i], CONSOLE_BAUD_UNNAMED);
        if (coms >> order[i] & 1 && !has(&c->text, &place))
            c->json.at[c->json.count++] = place;
    }
    if (!c->json.count)
        share_text(c, c->json_follows ? CONSOLE_PLACES : 1);
}

// What firmware talks on, it has set up: its speed is kept, as is that of a UART whose clock isn't known.
static void settle_speeds(const struct console_choice *c, struct console_places *places)
{
    for (uint32_t i = 0; i < places->count; i++) {
        struct console_place *place = &places->at[i];
        if (c->has_spcr && console_same(place, &c->spcr)) {
            place->clock = c->spcr.clock ? c->spcr.clock : place->clock;
            if (place->baud == CONSOLE_BAUD_UNNAMED)
                place->baud = c->spcr.baud;
        }
        if (place->baud == CONSOLE_BAUD_UNNAMED)
            place->baud = place->clock ? CONSOLE_BAUD_USUAL : CONSOLE_BAUD_KEPT;
    }
}

void console_settle(struct console_choice *c, unsigned coms)
{
    coms &= BIT32(CONSOLE_COMS) - 1;
    if (!c->text.named)
        settle_text(c, coms);
    if (!c->json.named)
        settle_json(c, coms);
    settle_speeds(c, &c->text);
    settle_speeds(c, &c->json);
}
