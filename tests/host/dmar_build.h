// SPDX-License-Identifier: BSD-2-Clause
// Builds DMAR tables (VT-d 8.1 to 8.9) byte by byte.
#pragma once

#include "acpi_build.h"

static inline void dmar_begin(struct blob *b, uint8_t flags)
{
    blob_header(b, "DMAR", 1);
    blob_put(b, 45, 1); // 46 address bits
    blob_put(b, flags, 1);
    blob_pad(b, 48);
}

// Any structure: type, room for the length, and as many zero bytes as make it `bytes` long.
static inline size_t dmar_structure(struct blob *b, uint16_t type, size_t bytes)
{
    size_t at = b->length;
    blob_put(b, type, 2);
    blob_put(b, bytes, 2);
    blob_pad(b, at + bytes);
    return at;
}

static inline size_t dmar_drhd(struct blob *b, bool all, uint16_t segment, uint64_t base)
{
    size_t at = dmar_structure(b, 0, 16);
    blob_set(b, at + 4, all, 1);
    blob_set(b, at + 6, segment, 2);
    blob_set(b, at + 8, base, 8);
    return at;
}

// Adds a scope to the structure at `at`, which must be the last one. path: hops pairs.
static inline void dmar_scope(struct blob *b, size_t at, uint8_t type, uint8_t bus,
                              const uint8_t *path, size_t hops)
{
    blob_put(b, type, 1);
    blob_put(b, 6 + 2 * hops, 1);
    blob_put(b, 0, 3);
    blob_put(b, bus, 1);
    blob_text(b, (const char *)path, 2 * hops);
    blob_set(b, at + 2, b->length - at, 2);
}

static inline size_t dmar_rmrr(struct blob *b, uint16_t segment, uint64_t base, uint64_t limit)
{
    size_t at = dmar_structure(b, 1, 24);
    blob_set(b, at + 6, segment, 2);
    blob_set(b, at + 8, base, 8);
    blob_set(b, at + 16, limit, 8);
    return at;
}

static inline void dmar_rhsa(struct blob *b, uint64_t base, uint32_t domain)
{
    size_t at = dmar_structure(b, 3, 20);
    blob_set(b, at + 8, base, 8);
    blob_set(b, at + 16, domain, 4);
}

#define DMAR_PATH(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }) / 2
