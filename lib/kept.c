// SPDX-License-Identifier: BSD-2-Clause
#include "lib/kept.h"

#include "lib/cache.h"
#include "lib/crc32c.h"
#include "lib/string.h"

#define MAGIC 0x5450454b4c4c4542ull // "BELLKEPT"

static uint64_t state_of(size_t bytes, uint32_t crc)
{
    return bytes | (uint64_t)crc << 32;
}

void kept_begin(struct kept_block *block, uint64_t nonce)
{
    block->magic = MAGIC;
    block->nonce = nonce;
    block->domains = 0;
    block->state = state_of(0, crc32c(0, &nonce, sizeof(nonce)));
    cache_flush(block, sizeof(*block));
}

// What may use the spare room: what came of the run.
static bool is_result(const char *line, size_t count)
{
    static const char *const begins[] = { "{\"type\":\"job\"", "{\"type\":\"test\"",
                                          "{\"type\":\"error\"", "{\"type\":\"warning\"",
                                          "{\"type\":\"end\"" };
    for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
        if (count >= strlen(begins[i]) && memcmp(line, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

static bool has_room(const struct kept_block *block, const char *line, size_t count,
                     enum kept_share share)
{
    size_t used = (uint32_t)block->state;
    bool spare = share == KEPT_KERNELS && is_result(line, count);
    size_t room = KEPT_TEXT_BYTES - (spare ? 0 : KEPT_SPARE_BYTES);
    if (share == KEPT_DOMAINS && block->domains + count > KEPT_DOMAINS_BYTES)
        return false;
    return used <= room && count <= room - used;
}

// The state is stored once the text is in memory, for a reset drops what is in caches alone.
bool kept_add(struct kept_block *block, const char *line, size_t count, enum kept_share share)
{
    size_t used = (uint32_t)block->state;
    uint32_t crc = (uint32_t)(block->state >> 32);
    if (!has_room(block, line, count, share))
        return false;
    if (share == KEPT_DOMAINS)
        block->domains += count;
    memcpy(block->text + used, line, count);
    cache_flush(block->text + used, count);
    __atomic_store_n(&block->state, state_of(used + count, crc32c(crc, line, count)),
                     __ATOMIC_RELEASE);
    cache_flush(&block->state, sizeof(block->state));
    return true;
}

enum kept_fault kept_check(const struct kept_block *block, uint64_t nonce, size_t *bytes)
{
    size_t used = (uint32_t)block->state;
    *bytes = 0;
    if (block->magic != MAGIC || block->nonce != nonce)
        return KEPT_GONE;
    if (used > KEPT_TEXT_BYTES)
        return KEPT_DAMAGED;
    uint32_t crc = crc32c(crc32c(0, &nonce, sizeof(nonce)), block->text, used);
    if (crc != block->state >> 32)
        return KEPT_DAMAGED;
    *bytes = used;
    return KEPT_WHOLE;
}
