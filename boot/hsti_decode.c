// SPDX-License-Identifier: BSD-2-Clause
// ADAPTER_INFO_PLATFORM_SECURITY, as the Hardware Security Testability Specification lays it out.

#include "boot/hsti_decode.h"

#include "lib/bits.h"
#include "lib/string.h"

#define ROLE_AT 4
#define NAME_AT 8
#define NAME_CHARACTERS 256
#define SIZE_AT (NAME_AT + 2 * NAME_CHARACTERS)
#define FIELDS_AT (SIZE_AT + 4)
#define FIELDS 3 // required, implemented, verified

static uint32_t read32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// UCS-2; other than ASCII becomes '?'.
static void read_name(const uint8_t *at, char *to, size_t capacity)
{
    size_t i = 0;
    for (; i + 1 < capacity && (at[2 * i] || at[2 * i + 1]); i++)
        to[i] = at[2 * i + 1] || at[2 * i] < ' ' || at[2 * i] > '~' ? '?' : (char)at[2 * i];
    to[i] = 0;
}

bool hsti_decode(const void *block, size_t bytes, struct handoff_hsti *out)
{
    const uint8_t *at = block;
    if (bytes < FIELDS_AT)
        return false;
    uint32_t size = read32(at + SIZE_AT);
    if (size > (bytes - FIELDS_AT) / FIELDS)
        return false;
    *out = (struct handoff_hsti){ .role = read32(at + ROLE_AT), .bytes = size };
    size_t kept = MIN(size, HANDOFF_HSTI_BITS);
    memcpy(out->required, at + FIELDS_AT, kept);
    memcpy(out->verified, at + FIELDS_AT + 2 * (size_t)size, kept);
    static_assert(sizeof(out->name) <= NAME_CHARACTERS, "read_name() stays in the field");
    read_name(at + NAME_AT, out->name, sizeof(out->name));
    return true;
}
