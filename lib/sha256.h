// SPDX-License-Identifier: BSD-2-Clause
// SHA-256 (FIPS 180-4). Pure; any CPU, any context.
#pragma once

#include "lib/types.h"

#define SHA256_BYTES 32
#define SHA256_BLOCK 64

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;              // so far
    uint8_t block[SHA256_BLOCK]; // the last bytes % SHA256_BLOCK of them
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *bytes, size_t count);
void sha256_final(struct sha256 *s, uint8_t digest[SHA256_BYTES]);
