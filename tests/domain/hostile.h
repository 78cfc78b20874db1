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
    hostile_arguments, hostile_queues, hostile_loops, hostile_storms;

const struct domain_info *hostile_info(void);
long hostile_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
void hostile_call_heard(uint64_t number, uint64_t a, uint64_t b,
                        uint64_t c); // until it isn't too busy
uint64_t hostile_pick(uint64_t *state, const uint64_t *from, size_t count);

// The i-th of its queues, which go round; it must have one.
const struct domain_queue *hostile_queue(unsigned i);
void hostile_ring(const struct domain_queue *q, uint64_t offset, uint32_t value);

#define HOSTILE_WRITE 1u
#define HOSTILE_READ 2u
// A command into one of its entries; `blocks` counts from 0.
void hostile_command(const struct domain_queue *q, uint32_t entry, unsigned opcode, uint64_t prp1,
                     uint64_t prp2, uint32_t blocks);

// Where things lie that are none of its business.
#define HOSTILE_KERNEL_IMAGE 0xffffffff80000000ull
#define HOSTILE_DIRECT_MAP 0xffff800000000000ull
#define HOSTILE_WINDOW 0xffffc00000001000ull
