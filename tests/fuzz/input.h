// SPDX-License-Identifier: BSD-2-Clause
// The fuzzer's bytes, taken as values.
#pragma once

#include <stdlib.h>

#include "lib/types.h"

struct input {
    const uint8_t *at, *end;
};

// Zeros once there are no more.
static inline uint64_t take(struct input *in, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && in->at < in->end; i++)
        value |= (uint64_t)*in->at++ << (8 * i);
    return value;
}

static inline void require(bool condition)
{
    if (!condition)
        abort();
}
