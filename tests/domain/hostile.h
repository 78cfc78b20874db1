// SPDX-License-Identifier: BSD-2-Clause
// What a hostile program tries, by kinds.
#pragma once

#include "kernel/domain/abi.h"
#include "lib/types.h"

struct hostile_kind {
    const char *name;
    unsigned count;
    const char *(*name_of)(unsigned which);
    void (*run)(unsigned which, uint64_t *state);
};

extern const struct hostile_kind hostile_instructions, hostile_memory, hostile_calls,
    hostile_queues, hostile_loops;

const struct domain_info *hostile_info(void);
long hostile_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
uint64_t hostile_pick(uint64_t *state, const uint64_t *from, size_t count);

// Where things lie that are none of its business.
#define HOSTILE_KERNEL_IMAGE 0xffffffff80000000ull
#define HOSTILE_DIRECT_MAP 0xffff800000000000ull
#define HOSTILE_WINDOW 0xffffc00000001000ull
