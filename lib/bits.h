// SPDX-License-Identifier: BSD-2-Clause
// Bit fields by mask: each hardware field is one constant, and every accessor is derived from it.
#pragma once

#include "lib/types.h"

#define BIT32(n) (1u << (n))
#define BIT64(n) (1ull << (n))
#define BITS64(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))
#define BITS32(high, low) ((uint32_t)BITS64(high, low))

// The value of the field, moved down to bit 0.
static inline uint64_t field_get(uint64_t mask, uint64_t word)
{
    return (word & mask) >> __builtin_ctzll(mask);
}

// The value, moved up to its field; bits that don't fit are cut off.
static inline uint64_t field_put(uint64_t mask, uint64_t value)
{
    return (value << __builtin_ctzll(mask)) & mask;
}

static inline bool field_fits(uint64_t mask, uint64_t value)
{
    return field_get(mask, field_put(mask, value)) == value;
}

#define field_set(word, mask, value)                                                               \
    (*(word) = (__typeof__(*(word)))((*(word) & ~(mask)) | field_put((mask), (value))))

// Calls for each set bit, lowest first: for_each_bit (n, word) { ... }
#define for_each_bit(n, word)                                                                      \
    for (uint64_t bits_##n = (word), n;                                                            \
         bits_##n && ((n = (uint64_t)__builtin_ctzll(bits_##n)), 1); bits_##n &= bits_##n - 1)
