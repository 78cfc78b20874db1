// SPDX-License-Identifier: BSD-2-Clause
// Memory that is used again: what mem_alloc() gives is never taken back, so that an app which sets up
// the same things many times asks here. Boot CPU.
#pragma once

#include "lib/types.h"

#define ARENA_CHUNK_BYTES (256 * KIB) // what is left over on a node, at most

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks; // in the order in which they came
};

// As mem_alloc(), and from there at first; NULL is an arena that is never reset. The same requests
// after each reset find the same memory, whatever else was asked for in between.
void *arena_alloc(struct arena *arena, size_t bytes, size_t align, unsigned node);

// The same of mem_alloc_dma(), for what devices reach.
void *arena_alloc_dma(struct arena *arena, size_t bytes, size_t align, unsigned node);

// All that was given is free again. Nobody may use it any more, devices neither.
void arena_reset(struct arena *arena);

// For who runs one app after the other: from now on arena_of_run() is this one, reset. NULL, as
// it is at first: an app's memory is for one run in the boot.
void arena_begin_run(struct arena *arena);
struct arena *arena_of_run(void);

// As arena_reset(), but what was given is never used again, since a device may still write to it.
void arena_abandon(struct arena *arena);
