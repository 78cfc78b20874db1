// SPDX-License-Identifier: BSD-2-Clause
// Writes and checks the stamp of a logical block.
#include "lib/stamp.h"

#include "lib/crc32c.h"
#include "lib/string.h"

struct stamp {
    uint64_t magic;
    uint64_t lba;
    uint64_t tag;
    uint32_t block_size;
    uint32_t crc; // of the whole block, with this field zero
};
static_assert(sizeof(struct stamp) == STAMP_HEAD_BYTES, "the layout in lib/stamp.h");

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

uint64_t stamp_tag(const char *serial, uint32_t nsid)
{
    uint64_t hash = FNV_BASIS;
    for (; *serial; serial++)
        hash = (hash ^ (uint8_t)*serial) * FNV_PRIME;
    for (unsigned i = 0; i < 4; i++)
        hash = (hash ^ (uint8_t)(nsid >> 8 * i)) * FNV_PRIME;
    return hash;
}

uint32_t stamp_head_crc(const void *block)
{
    static const uint32_t zero;
    uint32_t crc = crc32c(0, block, offsetof(struct stamp, crc));
    return crc32c(crc, &zero, sizeof(zero));
}

static uint32_t stamp_crc(const void *block, uint32_t block_size)
{
    const uint8_t *at = block;
    return crc32c(stamp_head_crc(block), at + sizeof(struct stamp),
                  block_size - sizeof(struct stamp));
}

void stamp_fill(void *block, uint32_t block_size, uint64_t tag, uint64_t lba)
{
    struct stamp stamp = { .magic = STAMP_MAGIC, .lba = lba, .tag = tag, .block_size = block_size };
    uint8_t *bytes = block;
    uint64_t random = (tag ^ lba * 0x9e3779b97f4a7c15ull) | 1; // xorshift must not start from 0
    for (size_t at = sizeof(stamp); at < block_size; at += sizeof(random)) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(bytes + at, &random, sizeof(random));
    }
    memcpy(bytes, &stamp, sizeof(stamp));
    stamp.crc = stamp_crc(block, block_size);
    memcpy(bytes, &stamp, sizeof(stamp));
}

bool stamp_check(const void *block, uint32_t block_size, uint64_t tag, uint64_t lba,
                 struct problem *p)
{
    struct stamp stamp;
    memcpy(&stamp, block, sizeof(stamp));
    if (stamp.magic != STAMP_MAGIC)
        return problem_set(
            p, "verify-magic",
            "starts with 0x%016llx instead of a stamp; write the disk with mkdisk first",
            (unsigned long long)stamp.magic);
    if (stamp.block_size != block_size)
        return problem_set(p, "verify-block-size", "is stamped for blocks of %u bytes, not %u",
                           stamp.block_size, block_size);
    if (stamp.lba != lba)
        return problem_set(p, "verify-lba", "holds the data of LBA %llu",
                           (unsigned long long)stamp.lba);
    if (stamp.tag != tag)
        return problem_set(p, "verify-disk",
                           "is stamped for another disk (tag 0x%016llx, not 0x%016llx)",
                           (unsigned long long)stamp.tag, (unsigned long long)tag);
    uint32_t crc = stamp_crc(block, block_size);
    if (stamp.crc != crc)
        return problem_set(p, "verify-crc", "has CRC-32C 0x%08x where the stamp says 0x%08x", crc,
                           stamp.crc);
    return true;
}

bool stamp_has_head(const void *block, uint32_t block_size, uint64_t tag, uint64_t lba)
{
    struct stamp stamp;
    memcpy(&stamp, block, sizeof(stamp));
    return stamp.magic == STAMP_MAGIC && stamp.block_size == block_size && stamp.lba == lba &&
           stamp.tag == tag;
}

uint32_t stamp_crc_in(const void *block)
{
    struct stamp stamp;
    memcpy(&stamp, block, sizeof(stamp));
    return stamp.crc;
}
