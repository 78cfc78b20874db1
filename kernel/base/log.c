// SPDX-License-Identifier: BSD-2-Clause
// A ring of bytes, counted from the first one ever added.

#include "kernel/base/log.h"

static struct {
    char bytes[LOG_BYTES];
    uint64_t end; // bytes ever added
} kept;

static char byte_at(uint64_t at)
{
    return kept.bytes[at % LOG_BYTES];
}

void log_add(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        kept.bytes[kept.end++ % LOG_BYTES] = bytes[i];
}

// Of the oldest line kept, the beginning may be gone: it is passed over.
static uint64_t oldest_line(void)
{
    uint64_t at = kept.end - MIN(kept.end, (uint64_t)LOG_BYTES);
    if (!at)
        return 0;
    while (at < kept.end && byte_at(at) != '\n')
        at++;
    return at + (at < kept.end);
}

bool log_next_line(uint64_t *at, char *to, size_t bytes)
{
    uint64_t oldest = oldest_line();
    size_t length = 0;
    if (*at < oldest)
        *at = oldest;
    if (*at >= kept.end)
        return false;
    for (char c; *at < kept.end && (c = byte_at((*at)++)) != '\n';)
        if (length + 1 < bytes)
            to[length++] = c;
    to[length] = 0;
    return true;
}
