// SPDX-License-Identifier: BSD-2-Clause
// Bytes on their way to something slow: what is put in goes in whole, or not at all. One puts and one takes
// at a time. Who is stopped in the middle of either leaves a ring that the next one can go on with.
#pragma once

#include "lib/types.h"

struct line_ring {
    char *bytes;
    uint32_t size;       // a power of two
    uint32_t head, tail; // bytes ever put and taken, modulo 2^32
};

static inline uint32_t line_ring_used(const struct line_ring *r)
{
    return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) -
           __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
}

// Puts the bytes if `spare` bytes of room are left after that. With `crlf`, a '\n' becomes "\r\n".
bool line_ring_put(struct line_ring *r, const char *bytes, size_t count, bool crlf, uint32_t spare);

// Takes the oldest byte; there must be one.
char line_ring_take(struct line_ring *r);
