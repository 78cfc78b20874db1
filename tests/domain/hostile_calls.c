// SPDX-License-Identifier: BSD-2-Clause
// Calls with arguments that make no sense: what isn't refused ends the domain, and none does more.
#include "lib/random.h"
#include "lib/types.h"
#include "tests/domain/hostile.h"

#define CALLS 400

static const uint64_t pointers[] = {
    0,
    1,
    4095,
    DOMAIN_IMAGE,
    DOMAIN_IMAGE - 1,
    DOMAIN_INFO,
    DOMAIN_INFO + DOMAIN_INFO_BYTES - 1,
    DOMAIN_EVENTS,
    DOMAIN_EVENTS + 4095,
    DOMAIN_STACKS,
    DOMAIN_DOORBELLS,
    DOMAIN_MEMORY,
    DOMAIN_MEMORY - 1,
    DOMAIN_END - 1,
    DOMAIN_END,
    0x7fffffffffffull,
    0x800000000000ull,
    0x8000000000000000ull,
    HOSTILE_DIRECT_MAP,
    HOSTILE_WINDOW,
    HOSTILE_KERNEL_IMAGE,
    ~0ull,
    ~0ull - 4095,
};
static const uint64_t lengths[] = {
    0,     1,   2,          15,         64,   DOMAIN_TEXT_BYTES, DOMAIN_TEXT_BYTES + 1, 4096,
    65536, GIB, 1ull << 32, 1ull << 63, ~0ull
};

static uint64_t any(uint64_t *state)
{
    uint64_t choice = random_below(state, 4);
    if (choice == 0)
        return hostile_pick(state, pointers, ARRAY_SIZE(pointers));
    if (choice == 1)
        return hostile_pick(state, lengths, ARRAY_SIZE(lengths));
    return choice == 2 ? random_below(state, 8) : random_below(state, ~0ull);
}

// By number: one past the last is none at all.
static void call(uint64_t number, uint64_t *state)
{
    for (unsigned i = 0; i < CALLS; i++)
        hostile_call_heard(number, any(state), any(state), any(state));
}

static const char *const names[] = {
    "EXIT", "PRINT", "SLEEP", "WAKE", "GS", "STATS", "none", "any"
};

static const char *name_of(unsigned which)
{
    return names[which];
}

static void run(unsigned which, uint64_t *state)
{
    if (which < DOMAIN_CALLS)
        return call(which, state);
    for (unsigned i = 0; i < CALLS; i++)
        hostile_call_heard(which == DOMAIN_CALLS ? DOMAIN_CALLS + random_below(state, ~0ull / 2)
                                                 : 1 + random_below(state, DOMAIN_CALLS - 1),
                           any(state), any(state), any(state));
}

_Static_assert(ARRAY_SIZE(names) == DOMAIN_CALLS + 2, "each call has a name");

const struct hostile_kind hostile_calls = { "calls", ARRAY_SIZE(names), name_of, run };
