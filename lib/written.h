// SPDX-License-Identifier: BSD-2-Clause
// What was written where: of a share of a disk that one owner writes, place by place (a place is
// one I/O's blocks), each place once in a pass. The order says by itself how often a place was
// written, so that no version number is kept for it; two bits are: whether an I/O to it is in
// flight, and whether what it holds is unknown. No I/O overlaps one that is in flight.
//
// The host knows the same from seed, share and the number of writes (tools/ckdisk.c).
#pragma once

#include "lib/permute.h"
#include "lib/types.h"

struct written {
    uint64_t first;  // place of the disk
    uint64_t places; // > 0
    uint64_t begun;  // writes, of all passes
    bool random;
    struct permute order; // of random writes
    uint64_t *busy, *unknown;
};

// Bytes of memory that written_init() is to be given, zeroed.
size_t written_bytes(uint64_t places);

// memory NULL: only written_times() and written_place() will be called.
void written_init(struct written *w, uint64_t first, uint64_t places, bool random, uint64_t seed,
                  void *memory);

// The place of write `number`, from 0.
uint64_t written_place(const struct written *w, uint64_t number);

// How often the first `count` writes have written the place: its sequence number.
uint32_t written_times(const struct written *w, uint64_t place, uint64_t count);

// Begins the next write. False: an I/O to its place is in flight, and the write has not begun.
bool written_begin_write(struct written *w, uint64_t *place, uint32_t *sequence);

// Begins a read of the first place from `from` on, counted round, that no I/O is in flight to.
// False: there is none.
bool written_begin_read(struct written *w, uint64_t from, uint64_t *place);

// After a write that failed the place's content is unknown, until one to it succeeds.
void written_end_write(struct written *w, uint64_t place, bool ok);
void written_end_read(struct written *w, uint64_t place);

// What a read of a place must find: its sequence number; 0: it wasn't written yet, or is unknown.
uint32_t written_expected(const struct written *w, uint64_t place);
