// SPDX-License-Identifier: BSD-2-Clause
// A Feistel network over the next power of four; what falls outside of the count goes through it
// again until it doesn't, which keeps it one to one (cycle walking; Black and Rogaway, "Ciphers with
// Arbitrary Finite Domains", 2002).
#include "lib/permute.h"

#include "lib/bits.h"

void permute_init(struct permute *p, uint64_t count, uint64_t seed)
{
    *p = (struct permute){ .count = count, .half = 1 };
    while (p->half < 32 && count > BIT64(2 * p->half))
        p->half++;
    for (unsigned i = 0; i < PERMUTE_ROUNDS; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        p->keys[i] = seed ^ seed >> 31;
    }
}

static uint64_t scramble(const struct permute *p, unsigned round, uint64_t half)
{
    uint64_t x = (half ^ p->keys[round]) * 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
    return x >> (64 - p->half);
}

static uint64_t forward(const struct permute *p, uint64_t x)
{
    uint64_t left = x >> p->half, right = x & (BIT64(p->half) - 1);
    for (unsigned round = 0; round < PERMUTE_ROUNDS; round++) {
        uint64_t next = left ^ scramble(p, round, right);
        left = right;
        right = next;
    }
    return left << p->half | right;
}

static uint64_t backward(const struct permute *p, uint64_t x)
{
    uint64_t left = x >> p->half, right = x & (BIT64(p->half) - 1);
    for (unsigned round = PERMUTE_ROUNDS; round-- > 0;) {
        uint64_t before = right ^ scramble(p, round, left);
        right = left;
        left = before;
    }
    return left << p->half | right;
}

uint64_t permute_value(const struct permute *p, uint64_t position)
{
    do
        position = forward(p, position);
    while (position >= p->count);
    return position;
}

uint64_t permute_position(const struct permute *p, uint64_t value)
{
    do
        value = backward(p, value);
    while (value >= p->count);
    return value;
}
