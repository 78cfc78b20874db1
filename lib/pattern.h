// SPDX-License-Identifier: BSD-2-Clause
// The content of blocks that are written in order to be read back. Each 512 bytes of a block are a
// piece that says for itself whose it is, of which write, and proves that it is whole: so a block
// whose pieces are of different writes (torn) is told from one that is damaged (corrupt).
//
// Piece: magic (8 bytes), disk tag (8, lib/stamp.h), LBA (8), seed of the run (8), sequence (4),
// block size (4), number of the piece in its block (4), CRC-32C of all the rest of the piece (4),
// then pseudo-random bytes. All little-endian. The last piece takes what a block has beyond a
// multiple of 512.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define PATTERN_MAGIC 0x574c4c4542454e4full // "ONEBELLW"
#define PATTERN_PIECE 512

// What tells a block's content from that of all other blocks, disks and runs.
struct pattern_id {
    uint64_t tag;
    uint64_t lba;
    uint64_t seed;
};

// `sequence` says which write of this block it is: 1 for the first. block_size is 512 to 65536, a
// multiple of 8.
void pattern_fill(void *block, uint32_t block_size, const struct pattern_id *id, uint32_t sequence);

enum pattern_verdict {
    PATTERN_GOOD,
    PATTERN_STALE,      // an older write of this block: a newer one is lost
    PATTERN_FUTURE,     // a write of this block that was never submitted
    PATTERN_TORN,       // pieces of different writes, each of them whole
    PATTERN_MISPLACED,  // another LBA's data
    PATTERN_OTHER_DISK, // another disk's data
    PATTERN_OTHER_RUN,  // this block's data of a run with another seed
    PATTERN_BLOCK_SIZE, // written in blocks of another size
    PATTERN_UNWRITTEN,  // no such data at all
    PATTERN_CORRUPT,    // a piece is not as it was written
    PATTERN_VERDICTS,
};

// One word for each, such as "stale".
const char *pattern_verdict_name(enum pattern_verdict verdict);

// Good is the id's block of any write from `oldest` to `newest`, as long as it is one write's. What
// is not good is a problem ("verify-..."), whose sentence lacks its subject: the block.
enum pattern_verdict pattern_check(const void *block, uint32_t block_size,
                                   const struct pattern_id *id, uint32_t oldest, uint32_t newest,
                                   struct problem *p);

// What the block itself claims to be; false: it claims nothing. Checks no more than the magic.
bool pattern_identify(const void *block, struct pattern_id *id, uint32_t *sequence);
