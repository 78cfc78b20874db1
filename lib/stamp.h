// SPDX-License-Identifier: BSD-2-Clause
// Recognisable disk data: each logical block says whose and which it is, and proves that it is
// whole. Written by tools/mkdisk on the host, checked by the I/O job's verify=crc32c.
//
// Block: magic (8 bytes), LBA (8), disk tag (8), block size (4), CRC-32C of the whole block with
// this field zero (4), then pseudo-random bytes seeded by tag and LBA. All little-endian.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define STAMP_MAGIC 0x314c4c4542454e4full // "ONEBELL1"

// Identifies a namespace: FNV-1a over the serial's characters, then nsid as four bytes.
uint64_t stamp_tag(const char *serial, uint32_t nsid);

// block_size is 512 to 65536, a multiple of 8.
void stamp_fill(void *block, uint32_t block_size, uint64_t tag, uint64_t lba);

// False: the problem ("verify-...") says what differs.
bool stamp_check(const void *block, uint32_t block_size, uint64_t tag, uint64_t lba,
                 struct problem *p);

// For who sums the rest of the block elsewhere: whether the head is that of this block; the sum of the head,
// with which that of what follows it begins; and the sum that the head tells. The block has at least a head.
#define STAMP_HEAD_BYTES 32
bool stamp_has_head(const void *block, uint32_t block_size, uint64_t tag, uint64_t lba);
uint32_t stamp_head_crc(const void *block);
uint32_t stamp_crc_in(const void *block);
