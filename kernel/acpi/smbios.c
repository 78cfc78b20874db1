// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/acpi/smbios.h"

#include "lib/string.h"

#define ENTRY_32_BYTES 0x1e // "_SM_"; it has 1Fh, of which some firmware says 1Eh (5.2.1, Length)
#define ENTRY_32_LENGTH 0x05
#define ENTRY_32_TABLE_BYTES 0x16 // 16
#define ENTRY_32_TABLE 0x18       // 32
#define ENTRY_64_BYTES 0x18       // "_SM3_"
#define ENTRY_64_LENGTH 0x06
#define ENTRY_64_TABLE_BYTES 0x0c // 32
#define ENTRY_64_TABLE 0x10       // 64

// Of each structure (6.1.2): type, length of its formatted part, handle; its strings follow, and are
// ended by an empty one.
#define HEADER_BYTES 4
#define TYPE_BIOS 0
#define TYPE_SYSTEM 1
#define TYPE_END 127

static uint64_t number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static bool adds_up(const uint8_t *at, size_t bytes)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return !sum;
}

// `least` bytes are what we read of it.
static bool is_entry(const uint8_t *e, size_t length, const char *anchor, size_t at, size_t least)
{
    size_t anchor_bytes = strlen(anchor);
    return length >= least && !memcmp(e, anchor, anchor_bytes) && e[at] >= least &&
           e[at] <= length && adds_up(e, e[at]);
}

bool smbios_entry(const void *entry, size_t length, uint64_t *table, size_t *bytes)
{
    const uint8_t *e = entry;
    if (is_entry(e, length, "_SM3_", ENTRY_64_LENGTH, ENTRY_64_BYTES)) {
        *table = number(e + ENTRY_64_TABLE, 8);
        *bytes = number(e + ENTRY_64_TABLE_BYTES, 4);
    } else if (is_entry(e, length, "_SM_", ENTRY_32_LENGTH, ENTRY_32_BYTES)) {
        *table = number(e + ENTRY_32_TABLE, 4);
        *bytes = number(e + ENTRY_32_TABLE_BYTES, 2);
    } else {
        return false;
    }
    return *table && *bytes;
}

// A structure, and where its strings end.
struct structure {
    const uint8_t *at, *strings, *end;
};

static bool find_end(struct structure *s, const uint8_t *end)
{
    if (end - s->at < HEADER_BYTES || s->at[1] < HEADER_BYTES || end - s->at < s->at[1])
        return false;
    s->strings = s->at + s->at[1];
    for (const uint8_t *at = s->strings; end - at >= 2; at++)
        if (!at[0] && !at[1]) {
            s->end = at + 2;
            return true;
        }
    return false;
}

// The string with the number that the structure has at `field`, from 1.
static void copy_text(char *to, const struct structure *s, size_t field)
{
    unsigned wanted = field < s->at[1] ? s->at[field] : 0;
    const uint8_t *at = s->strings;
    size_t used = 0;
    to[0] = 0;
    if (!wanted)
        return;
    for (unsigned i = 1; i < wanted && at < s->end && *at; i++) {
        while (*at)
            at++;
        at++;
    }
    for (; at < s->end && *at && used < SMBIOS_TEXT_BYTES - 1; at++)
        to[used++] = *at >= ' ' && *at <= '~' ? (char)*at : '?';
    while (used && to[used - 1] == ' ')
        used--;
    to[used] = 0;
}

static void read_structure(const struct structure *s, struct smbios *out)
{
    if (s->at[0] == TYPE_BIOS) { // 7.1
        copy_text(out->bios_vendor, s, 0x04);
        copy_text(out->bios_version, s, 0x05);
        copy_text(out->bios_date, s, 0x08);
    } else if (s->at[0] == TYPE_SYSTEM) { // 7.2
        copy_text(out->manufacturer, s, 0x04);
        copy_text(out->product, s, 0x05);
        copy_text(out->version, s, 0x06);
        copy_text(out->serial, s, 0x07);
    }
}

void smbios_parse(const void *table, size_t bytes, struct smbios *out)
{
    struct structure s = { .at = table };
    const uint8_t *end = s.at + bytes;
    memset(out, 0, sizeof(*out));
    for (; find_end(&s, end) && s.at[0] != TYPE_END; s.at = s.end)
        read_structure(&s, out);
}
