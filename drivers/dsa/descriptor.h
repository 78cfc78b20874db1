// SPDX-License-Identifier: BSD-2-Clause
// Descriptors, filled in. Pure. All addresses are those that the device sees.
#pragma once

#include "drivers/dsa/dsa_regs.h"

// Where its completion goes: the record, and the interrupt's handle where one is to be sent.
struct dsa_completion {
    uint64_t record;
    uint16_t handle;
    bool interrupt;
    bool cache; // what is written goes to the cache
};

void dsa_build_noop(struct dsa_descriptor *d, const struct dsa_completion *to);
void dsa_build_move(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t destination,
                    uint64_t source, uint32_t bytes);
void dsa_build_fill(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t destination,
                    uint64_t pattern, uint32_t bytes);
// The record's result is 0 where both are the same.
void dsa_build_compare(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t one,
                       uint64_t other, uint32_t bytes);
// CRC-32C: seed and result are as lib/crc32c.h has them.
void dsa_build_crc(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t source,
                   uint32_t seed, uint32_t bytes);
// `list`: 64-byte aligned, at least DSA_BATCH_LEAST descriptors.
void dsa_build_batch(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t list,
                     uint32_t count);
