// SPDX-License-Identifier: BSD-2-Clause
// Lines kept in memory over a reset: the kernel adds them, the loader reads them at its next start. Whenever
// the reset comes, and whatever it leaves of them, what is read is whole, or is refused.
#pragma once

#include "lib/types.h"

struct kept_block {
    uint64_t magic;
    uint64_t nonce;      // of this run: what stands there may be another one's
    uint64_t state;      // bytes of text in 31:0, CRC-32C of nonce and text in 63:32: one store
    uint64_t domains;    // bytes of text that are domains', while the run goes on
    uint64_t padding[4]; // to the end of the cache line
    char text[];
};
static_assert(sizeof(struct kept_block) == CACHE_LINE, "the text has lines of its own");

#define KEPT_BYTES MIB // of the block
#define KEPT_TEXT_BYTES (KEPT_BYTES - sizeof(struct kept_block))
#define KEPT_SPARE_BYTES (64 * KIB) // for lines of the types job, test, error, warning, end alone
#define KEPT_DOMAINS_BYTES (256 * KIB)

enum kept_share {
    KEPT_KERNELS, // may use the spare room, if it is of those types;
    KEPT_MANY,    // may not, since there may be any number of the kind;
    KEPT_DOMAINS, // nor may what programs of domains say, for which there are KEPT_DOMAINS_BYTES in all
};

enum kept_fault {
    KEPT_WHOLE,
    KEPT_GONE,    // something else stands there
    KEPT_DAMAGED, // only part of it outlasted the reset
};

void kept_begin(struct kept_block *block, uint64_t nonce);

// Adds a line of JSON, with its '\n', and writes it back to memory. False: there is no room for it. One adds
// at a time; who is stopped in the middle leaves a block that the next one can go on with.
bool kept_add(struct kept_block *block, const char *line, size_t count, enum kept_share share);

// For any KEPT_BYTES of memory. *bytes: of text.
enum kept_fault kept_check(const struct kept_block *block, uint64_t nonce, size_t *bytes);
