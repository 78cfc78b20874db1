// SPDX-License-Identifier: BSD-2-Clause
// Builds ACPI tables byte by byte, apart from the structures that the parsers use, and hands them
// to a parser in memory of exactly their size, so that the sanitizer sees a read past the end.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "lib/types.h"

struct blob {
    uint8_t bytes[256 * 1024];
    size_t length;
};

static inline void blob_put(struct blob *b, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        b->bytes[b->length++] = (uint8_t)(value >> (8 * i));
}

static inline void blob_set(struct blob *b, size_t at, uint64_t value, size_t bytes)
{
    size_t length = b->length;
    b->length = at;
    blob_put(b, value, bytes);
    b->length = length;
}

static inline void blob_pad(struct blob *b, size_t length)
{
    while (b->length < length)
        b->bytes[b->length++] = 0;
}

static inline void blob_text(struct blob *b, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        b->bytes[b->length++] = (uint8_t)text[i];
}

static inline void blob_header(struct blob *b, const char *signature, uint8_t revision)
{
    b->length = 0;
    blob_text(b, signature, 4);
    blob_put(b, 0, 4); // length
    blob_put(b, revision, 1);
    blob_put(b, 0, 1); // checksum
    blob_text(b, "ONEBELTESTDATA", 14);
    blob_put(b, 1, 4);
    blob_text(b, "TEST", 4);
    blob_put(b, 1, 4);
}

static inline void blob_sum(struct blob *b, size_t at, size_t bytes)
{
    uint8_t total = 0;
    b->bytes[at] = 0;
    for (size_t i = 0; i < bytes; i++)
        total = (uint8_t)(total + b->bytes[i]);
    b->bytes[at] = (uint8_t)-total;
}

// Length field and checksum, right for as long as the table is now.
static inline void blob_finish(struct blob *b)
{
    blob_set(b, 4, b->length, 4);
    blob_sum(b, 9, b->length);
}

// The first `length` bytes, on the heap; to be freed.
static inline void *blob_copy(const struct blob *b, size_t length)
{
    void *copy = malloc(length ? length : 1);
    memcpy(copy, b->bytes, length);
    return copy;
}

// Hands a table to a parser in memory of exactly its size.
#define COPY_PARSE(parse, b, out, p)                                                               \
    __extension__({                                                                                \
        void *copy_ = blob_copy((b), (b)->length);                                                 \
        bool ok_ = parse(copy_, (b)->length, (out), (p));                                          \
        free(copy_);                                                                               \
        ok_;                                                                                       \
    })
