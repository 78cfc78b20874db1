// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the check of written blocks: what differs from them in any byte is never good, and any
// bytes at all get a verdict with a sentence.
#include <stdlib.h>

#include "lib/pattern.h"
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES 4104 // eight pieces, the last one longer

static const struct pattern_id id = { .tag = 1, .lba = 2, .seed = 3 };

// Bytes to lay over a good block: where to, how many, and their values.
static void damage(uint8_t *block, const uint8_t *data, size_t size)
{
    while (size > 3) {
        size_t at = (data[0] | data[1] << 8) % BYTES;
        size_t there = MIN((size_t)data[2], size - 3), count = MIN(there, BYTES - at);
        memcpy(block + at, data + 3, count);
        data += 3 + count;
        size -= 3 + count;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t sizes[] = { 512, 520, 4096, BYTES };
    uint32_t bytes = sizes[size ? data[0] % ARRAY_SIZE(sizes) : 0];
    uint8_t *good = malloc(BYTES), *block = malloc(bytes);
    struct problem p = { 0 };
    pattern_fill(good, bytes, &id, 5);
    memcpy(block, good, bytes);
    if (size > 1) {
        uint8_t *whole = malloc(BYTES);
        memcpy(whole, good, bytes);
        damage(whole, data + 1, size - 1);
        memcpy(block, whole, bytes);
        free(whole);
    }
    bool same = memcmp(block, good, bytes) == 0;
    enum pattern_verdict verdict = pattern_check(block, bytes, &id, 5, 5, &p);
    if (same != (verdict == PATTERN_GOOD))
        abort();
    if (!same &&
        (!p.what || !p.message[0] || strnlen(p.message, sizeof(p.message)) == sizeof(p.message)))
        abort();
    free(block);
    free(good);
    return 0;
}
