// SPDX-License-Identifier: BSD-2-Clause
// Folding the command line's sources into one line.

#include "boot/load_options.h"

#include "boot/device_path.h"
#include "lib/bits.h"
#include "lib/string.h"

void options_begin(struct options *o, char *to, size_t capacity)
{
    *o = (struct options){ .text = to, .capacity = capacity };
    to[0] = 0;
}

void options_continue(struct options *o, char *to, size_t capacity, size_t dropped)
{
    size_t used = strlen(to);
    *o = (struct options){
        .text = to, .capacity = capacity, .used = used, .dropped = dropped, .space = used > 0
    };
}

static bool is_space(unsigned c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Once something was dropped everything is: half a line with its end in place would be obeyed.
static void put(struct options *o, char c)
{
    size_t needs = o->space ? 2 : 1;
    if (o->dropped || o->used + needs >= o->capacity) {
        o->dropped += needs;
        o->space = false;
        return;
    }
    if (o->space)
        o->text[o->used++] = ' ';
    o->space = false;
    o->text[o->used++] = c;
    o->text[o->used] = 0;
}

static void add(struct options *o, unsigned c)
{
    if (is_space(c))
        o->space = o->used > 0;
    else
        put(o, c > ' ' && c < 0x7f ? (char)c : '?');
}

static void end_source(struct options *o)
{
    o->space = o->used > 0;
}

// One line without its break. A continuation byte belongs to the '?' before it.
static void add_line(struct options *o, const uint8_t *line, size_t bytes)
{
    size_t i = 0;
    while (i < bytes && is_space(line[i]))
        i++;
    if (i < bytes && line[i] == '#')
        return;
    for (; i < bytes; i++) {
        bool continues = i && line[i - 1] >= 0x80 && (line[i] & 0xc0) == 0x80;
        if (!continues)
            add(o, line[i]);
    }
}

bool options_add_file(struct options *o, const void *file, size_t bytes, struct problem *p)
{
    const uint8_t *at = file;
    if (bytes >= 2 && ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff)))
        return problem_set(
            p, "cmdline-encoding",
            "\\EFI\\onebell\\cmdline.txt is in UTF-16 (it starts with %02x %02x): save it "
            "as UTF-8 or plain ASCII",
            at[0], at[1]);
    if (bytes >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf)
        at += 3, bytes -= 3;
    while (bytes) {
        size_t length = 0;
        while (length < bytes && at[length] != '\n' && at[length] != '\r')
            length++;
        add_line(o, at, length);
        end_source(o);
        length += length < bytes; // the line break
        at += length;
        bytes -= length;
    }
    return true;
}

void options_add_words(struct options *o, const char *words)
{
    while (*words)
        add(o, (uint8_t)*words++);
}

static unsigned unit_at(const uint8_t *text, size_t i)
{
    return text[2 * i] | (unsigned)text[2 * i + 1] << 8;
}

// Characters before the closing zero or the end; SIZE_MAX if this isn't text: control characters,
// surrogates (UCS-2 has none), noncharacters, or more characters outside ASCII than in it. The last
// rule finds binary data, and 8-bit text, that would by chance pass for characters.
static size_t text_length(const uint8_t *text, size_t units)
{
    size_t ascii = 0, i = 0;
    for (; i < units; i++) {
        unsigned c = unit_at(text, i);
        if (c == 0)
            break;
        if ((c < ' ' && !is_space(c)) || c == 0x7f || (c >= 0xd800 && c < 0xe000) || c >= 0xfffe)
            return SIZE_MAX;
        ascii += c < 0x80;
    }
    return ascii >= i - ascii ? i : SIZE_MAX;
}

static bool ends_with_efi(const uint8_t *text, size_t end)
{
    static const char suffix[] = ".efi";
    if (end < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        unsigned c = unit_at(text, end - 4 + i);
        if (c != (unsigned)suffix[i] && c + 'a' - 'A' != (unsigned)suffix[i])
            return false;
    }
    return true;
}

// How many characters at the start are the image's own name: 0 if it isn't there. The shell leaves
// quotation marks around a name with spaces.
static size_t own_name_length(const uint8_t *text, size_t units)
{
    size_t start = 0, end;
    while (start < units && is_space(unit_at(text, start)))
        start++;
    bool quoted = start < units && unit_at(text, start) == '"';
    for (end = start + quoted; end < units; end++) {
        unsigned c = unit_at(text, end);
        if (quoted ? c == '"' : is_space(c))
            break;
        if (c == '=')
            return 0;
    }
    return ends_with_efi(text, end) ? MIN(end + quoted, units) : 0;
}

// EFI_LOAD_OPTION (UEFI 2.10, 3.1.3): attributes, the path list's length, a description that a zero ends,
// the path list, and the optional data, which alone should be the image's.
#define LOAD_OPTION_ATTRIBUTES (BIT32(0) | BIT32(1) | BIT32(3) | BITS32(12, 8)) // all there are
#define LOAD_OPTION_HEAD_BYTES 6

// Bytes in front of the optional data; 0: this isn't a whole one.
static size_t load_option_bytes(const uint8_t *bytes, size_t count)
{
    if (count < LOAD_OPTION_HEAD_BYTES)
        return 0;
    uint32_t attributes = unit_at(bytes, 0) | unit_at(bytes, 1) << 16;
    size_t path_bytes = unit_at(bytes, 2), at = LOAD_OPTION_HEAD_BYTES;
    while (count - at >= 2 && (bytes[at] || bytes[at + 1]))
        at += 2;
    at += 2; // the zero
    if (attributes & ~LOAD_OPTION_ATTRIBUTES || at > count || path_bytes > count - at ||
        !device_path_is_list(bytes + at, path_bytes))
        return 0;
    return at + path_bytes;
}

bool options_add_load_options(struct options *o, const void *load_options, size_t bytes)
{
    size_t head = load_option_bytes(load_options, bytes);
    const uint8_t *text = (const uint8_t *)load_options + head;
    bytes -= head;
    size_t units = bytes % 2 ? SIZE_MAX : text_length(text, bytes / 2);
    if (units == SIZE_MAX)
        return false;
    for (size_t i = own_name_length(text, units); i < units; i++)
        add(o, unit_at(text, i));
    end_source(o);
    return true;
}
