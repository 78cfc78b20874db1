// SPDX-License-Identifier: BSD-2-Clause
// A ring of bytes, counted from the first one ever put.

#include "lib/line_ring.h"

static uint64_t bytes_of(const char *bytes, size_t count, bool crlf)
{
    uint64_t total = count;
    for (size_t i = 0; i < count && crlf; i++)
        total += bytes[i] == '\n';
    return total;
}

static char *at(const struct line_ring *r, uint32_t position)
{
    return &r->bytes[position & (r->size - 1)];
}

// The head moves last: until then nothing of it is there.
bool line_ring_put(struct line_ring *r, const char *bytes, size_t count, bool crlf, uint32_t spare)
{
    uint32_t head = r->head;
    if (line_ring_used(r) + bytes_of(bytes, count, crlf) + spare > r->size)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (crlf && bytes[i] == '\n')
            *at(r, head++) = '\r';
        *at(r, head++) = bytes[i];
    }
    __atomic_store_n(&r->head, head, __ATOMIC_RELEASE);
    return true;
}

char line_ring_take(struct line_ring *r)
{
    char byte = *at(r, r->tail);
    __atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
    return byte;
}
