// SPDX-License-Identifier: BSD-2-Clause
// The power-off values \_S5_ from AML (ACPI 6.5, 7.4.2 and 20.2), by recognising the bytes of its
// definition: Name (_S5_, Package () {a, b, ...}). An interpreter would be a room of its own.

#include "kernel/acpi/acpi.h"
#include "kernel/acpi/acpi_regs.h"
#include "lib/string.h"

// Bytes still to be read; an empty cursor stays empty.
struct cursor {
    const uint8_t *at, *end;
};

static size_t left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static bool take_byte(struct cursor *c, uint8_t *value)
{
    if (left(c) == 0)
        return false;
    *value = *c->at++;
    return true;
}

static bool take_little_endian(struct cursor *c, size_t bytes, uint64_t *value)
{
    if (left(c) < bytes)
        return false;
    *value = 0;
    for (size_t i = 0; i < bytes; i++)
        *value |= (uint64_t)*c->at++ << (8 * i);
    return true;
}

// PkgLength counts its own bytes; leaves the cursor at what follows it, ending where it says.
static bool enter_package(struct cursor *c)
{
    const uint8_t *start = c->at;
    uint8_t lead;
    uint64_t more, length;
    if (!take_byte(c, &lead))
        return false;
    size_t more_bytes = field_get(AML_PKG_LENGTH_MORE, lead);
    if (!take_little_endian(c, more_bytes, &more))
        return false;
    length = more_bytes ? more << 4 | field_get(AML_PKG_LENGTH_NIBBLE, lead)
                        : field_get(AML_PKG_LENGTH_SHORT, lead);
    if (length < 1 + more_bytes || length > (size_t)(c->end - start))
        return false;
    c->end = start + length;
    return true;
}

static bool take_integer(struct cursor *c, uint64_t *value)
{
    uint8_t op;
    if (!take_byte(c, &op))
        return false;
    switch (op) {
    case AML_ZERO_OP:
    case AML_ONE_OP:
        *value = op == AML_ONE_OP;
        return true;
    case AML_BYTE_PREFIX:
        return take_little_endian(c, 1, value);
    case AML_WORD_PREFIX:
        return take_little_endian(c, 2, value);
    case AML_DWORD_PREFIX:
        return take_little_endian(c, 4, value);
    case AML_QWORD_PREFIX:
        return take_little_endian(c, 8, value);
    default:
        return false;
    }
}

// What follows the name: PackageOp PkgLength NumElements integers. Old firmware has a single
// integer with both values in it, a in its low byte.
static bool take_sleep_package(struct cursor c, uint8_t *a, uint8_t *b)
{
    uint8_t op, elements;
    uint64_t first, second;
    if (!take_byte(&c, &op) || op != AML_PACKAGE_OP || !enter_package(&c) ||
        !take_byte(&c, &elements) || elements == 0 || !take_integer(&c, &first))
        return false;
    if (elements == 1) {
        second = first >> 8;
        first &= UINT8_MAX;
    } else if (!take_integer(&c, &second)) {
        return false;
    }
    if (first > ACPI_SLP_TYP_MAX || second > ACPI_SLP_TYP_MAX)
        return false;
    *a = (uint8_t)first;
    *b = (uint8_t)second;
    return true;
}

// A definition, not a mention: NameOp before the name, perhaps with the root's backslash between.
static bool is_defined(const uint8_t *name, const uint8_t *start)
{
    if (name - start >= 1 && name[-1] == AML_NAME_OP)
        return true;
    return name - start >= 2 && name[-1] == AML_ROOT_CHAR && name[-2] == AML_NAME_OP;
}

bool acpi_s5_find(const void *dsdt, size_t length, uint8_t *slp_typ_a, uint8_t *slp_typ_b)
{
    static const char name[4] = { '_', 'S', '5', '_' };
    if (length < sizeof(struct acpi_header))
        return false;
    const uint8_t *start = (const uint8_t *)dsdt + sizeof(struct acpi_header);
    const uint8_t *end = (const uint8_t *)dsdt + length;
    for (const uint8_t *at = start; (size_t)(end - at) >= sizeof(name); at++) {
        struct cursor after = { at + sizeof(name), end };
        if (!memcmp(at, name, sizeof(name)) && is_defined(at, start) &&
            take_sleep_package(after, slp_typ_a, slp_typ_b))
            return true;
    }
    return false;
}
