// SPDX-License-Identifier: BSD-2-Clause
// What a block device takes, and what it does best: for apps that choose sizes and places. In bytes;
// 0 where the device doesn't tell, or has no such limit.
#pragma once

#include "lib/types.h"

struct block_limits {
    uint32_t block_size;
    uint32_t metadata;     // of each block, beside its data; no app sees them
    uint64_t max_transfer; // in one command; longer requests are split
    uint64_t boundary;     // requests across multiples of it are split there, since they are slower

    // Writes of no more, that cross no multiple of the boundary (counted from the offset), are seen
    // and stored whole or not at all: by others, and when power fails.
    uint64_t atomic_write, atomic_power_fail;
    uint64_t atomic_boundary, atomic_boundary_power_fail, atomic_offset;

    uint64_t write_granularity, write_alignment; // writes of multiples at multiples are best
    uint64_t write_optimal;
    uint64_t deallocate_granularity, deallocate_alignment;

    uint64_t max_zeroes, max_verify, max_deallocate; // in one command; 0: it has none of that kind
    // A copy: bytes in one command, and of each of its sources; 0: it can't copy. Sources of a command.
    uint64_t max_copy, max_copy_source;
    uint32_t copy_sources;
    uint64_t zone;       // bytes of each zone
    uint64_t max_append; // to a zone, in one command
    bool read_only;
    bool write_cache; // written data are safe only after a flush, or with FUA
};

struct block_zone {
    uint64_t start;         // its first block
    uint64_t capacity;      // blocks that can be written
    uint64_t write_pointer; // where its data end
    const char *state;      // in words: "empty"
};
