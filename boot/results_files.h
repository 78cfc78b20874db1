// SPDX-License-Identifier: BSD-2-Clause
// Files of results on the volume that the loader was started from: their names, and the record of where the
// next one's lines are. Pure.
#pragma once

#include "lib/types.h"

// \EFI\onebell\results\pending: written before a run, taken away at the next start.
struct results_pending {
    uint64_t magic;
    uint64_t base; // physical address of the struct kept_block
    uint64_t nonce;
    uint32_t zero;
    uint32_t crc; // CRC-32C of what is before it
};

void results_pending_make(struct results_pending *r, uint64_t base, uint64_t nonce);

// Of a file that anybody may have written: a whole record, and an address where a block can be.
bool results_pending_is_good(const struct results_pending *r, size_t bytes);

// Whether the last results= of the words is 1.
bool results_wanted(const char *words);

#define RESULTS_NAME_CHARS 11 // "0001.jsonl", and a zero

// Heeds the name of a file that is there, of so many characters at most: *highest is the largest number that
// one begins with.
void results_name_heed(const uint16_t *name, size_t chars, unsigned *highest);

// The name after that. False: 9999 is taken.
bool results_name_next(unsigned highest, uint16_t name[RESULTS_NAME_CHARS]);
