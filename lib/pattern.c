// SPDX-License-Identifier: BSD-2-Clause
// Fills and checks blocks piece by piece.
#include "lib/pattern.h"

#include "lib/crc32c.h"
#include "lib/string.h"

struct header {
    uint64_t magic;
    struct pattern_id id;
    uint32_t sequence;
    uint32_t block_size;
    uint32_t piece;
    uint32_t crc;
};
static_assert(sizeof(struct header) == 48, "the layout in lib/pattern.h");
static_assert(offsetof(struct header, crc) == 44, "the sum stands last");

static uint32_t pieces_of(uint32_t block_size)
{
    return block_size / PATTERN_PIECE;
}

static uint32_t piece_bytes(uint32_t block_size, uint32_t piece)
{
    return piece + 1 < pieces_of(block_size) ? PATTERN_PIECE : block_size - piece * PATTERN_PIECE;
}

static const uint8_t *piece_at(const void *block, uint32_t piece)
{
    return (const uint8_t *)block + (size_t)piece * PATTERN_PIECE;
}

static struct header header_of(const void *block, uint32_t piece)
{
    struct header h;
    memcpy(&h, piece_at(block, piece), sizeof(h));
    return h;
}

static uint32_t piece_crc(const struct header *h, const uint8_t *piece, uint32_t bytes)
{
    uint32_t crc = crc32c(0, h, offsetof(struct header, crc));
    return crc32c(crc, piece + sizeof(*h), bytes - sizeof(*h));
}

// ---- fill ----

// Another stream for each piece that differs in anything: neither compression nor deduplication
// makes less of it.
static uint64_t stream_of(const struct header *h)
{
    uint64_t stream = h->id.tag;
    const uint64_t others[] = { h->id.lba, h->id.seed, h->sequence, h->piece };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        stream = (stream ^ others[i]) * 0x9e3779b97f4a7c15ull;
        stream ^= stream >> 29;
    }
    return stream ? stream : 1; // xorshift must not start from 0
}

static void fill_piece(uint8_t *piece, uint32_t bytes, struct header *h)
{
    uint64_t random = stream_of(h);
    for (uint32_t at = sizeof(*h); at < bytes; at += sizeof(random)) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(piece + at, &random, sizeof(random));
    }
    h->crc = piece_crc(h, piece, bytes);
    memcpy(piece, h, sizeof(*h));
}

void pattern_fill(void *block, uint32_t block_size, const struct pattern_id *id, uint32_t sequence)
{
    struct header h = {
        .magic = PATTERN_MAGIC,
        .id = *id,
        .sequence = sequence,
        .block_size = block_size,
    };
    for (h.piece = 0; h.piece < pieces_of(block_size); h.piece++)
        fill_piece((uint8_t *)block + (size_t)h.piece * PATTERN_PIECE,
                   piece_bytes(block_size, h.piece), &h);
}

// ---- check ----

static bool has_right_sum(const void *block, uint32_t block_size, uint32_t piece)
{
    struct header h = header_of(block, piece);
    return h.magic == PATTERN_MAGIC &&
           h.crc == piece_crc(&h, piece_at(block, piece), piece_bytes(block_size, piece));
}

static bool is_whole(const void *block, uint32_t block_size, uint32_t piece)
{
    struct header h = header_of(block, piece);
    return h.block_size == block_size && h.piece == piece &&
           has_right_sum(block, block_size, piece);
}

static bool is_same_write(const struct header *a, const struct header *b)
{
    return a->id.tag == b->id.tag && a->id.lba == b->id.lba && a->id.seed == b->id.seed &&
           a->sequence == b->sequence;
}

static bool has_magic(const void *block, uint32_t block_size)
{
    for (uint32_t piece = 0; piece < pieces_of(block_size); piece++)
        if (header_of(block, piece).magic == PATTERN_MAGIC)
            return true;
    return false;
}

static enum pattern_verdict corrupt(const void *block, uint32_t block_size, uint32_t piece,
                                    struct problem *p)
{
    struct header h = header_of(block, piece);
    if (!has_magic(block, block_size)) {
        problem_set(p, "verify-unwritten", "was never written: it starts with 0x%016llx",
                    (unsigned long long)h.magic);
        return PATTERN_UNWRITTEN;
    }
    if (h.block_size != block_size && has_right_sum(block, block_size, piece)) {
        problem_set(p, "verify-block-size", "was written in blocks of %u bytes, not %u",
                    h.block_size, block_size);
        return PATTERN_BLOCK_SIZE;
    }
    uint32_t first = piece * PATTERN_PIECE;
    problem_set(p, "verify-crc", "is corrupt: bytes %u to %u are not as they were written", first,
                first + piece_bytes(block_size, piece) - 1);
    return PATTERN_CORRUPT;
}

static enum pattern_verdict torn(const struct header *a, const struct header *b, struct problem *p)
{
    problem_set(p, "verify-torn",
                "is torn at byte %u: write %u of LBA %llu (seed 0x%llx) before it, write %u of LBA "
                "%llu (seed 0x%llx) from there",
                b->piece * PATTERN_PIECE, a->sequence, (unsigned long long)a->id.lba,
                (unsigned long long)a->id.seed, b->sequence, (unsigned long long)b->id.lba,
                (unsigned long long)b->id.seed);
    return PATTERN_TORN;
}

// The block is one write's, and whole: is it the one that should be here?
static enum pattern_verdict compare(const struct header *h, const struct pattern_id *id,
                                    uint32_t oldest, uint32_t newest, struct problem *p)
{
    if (h->id.tag != id->tag) {
        problem_set(p, "verify-disk",
                    "holds another disk's data (tag 0x%016llx, not 0x%016llx), of its LBA %llu",
                    (unsigned long long)h->id.tag, (unsigned long long)id->tag,
                    (unsigned long long)h->id.lba);
        return PATTERN_OTHER_DISK;
    }
    if (h->id.lba != id->lba) {
        problem_set(p, "verify-lba", "holds the data of LBA %llu, of its write %u",
                    (unsigned long long)h->id.lba, h->sequence);
        return PATTERN_MISPLACED;
    }
    if (h->id.seed != id->seed) {
        problem_set(p, "verify-run",
                    "holds the data of another run (seed 0x%llx, not 0x%llx), of write %u",
                    (unsigned long long)h->id.seed, (unsigned long long)id->seed, h->sequence);
        return PATTERN_OTHER_RUN;
    }
    if (h->sequence < oldest) {
        problem_set(p, "verify-stale", "is stale: it holds write %u where write %u is acknowledged",
                    h->sequence, oldest);
        return PATTERN_STALE;
    }
    if (h->sequence > newest) {
        problem_set(p, "verify-future",
                    "holds write %u where write %u is the last that was submitted", h->sequence,
                    newest);
        return PATTERN_FUTURE;
    }
    return PATTERN_GOOD;
}

enum pattern_verdict pattern_check(const void *block, uint32_t block_size,
                                   const struct pattern_id *id, uint32_t oldest, uint32_t newest,
                                   struct problem *p)
{
    struct header before = header_of(block, 0), h = before;
    for (uint32_t piece = 0; piece < pieces_of(block_size); piece++)
        if (!is_whole(block, block_size, piece))
            return corrupt(block, block_size, piece, p);
    for (uint32_t piece = 1; piece < pieces_of(block_size); piece++, before = h) {
        h = header_of(block, piece);
        if (!is_same_write(&before, &h))
            return torn(&before, &h, p);
    }
    return compare(&before, id, oldest, newest, p);
}

bool pattern_identify(const void *block, struct pattern_id *id, uint32_t *sequence)
{
    struct header h = header_of(block, 0);
    *id = h.id;
    *sequence = h.sequence;
    return h.magic == PATTERN_MAGIC;
}

const char *pattern_verdict_name(enum pattern_verdict verdict)
{
    static const char *const names[PATTERN_VERDICTS] = {
        [PATTERN_GOOD] = "good",           [PATTERN_STALE] = "stale",
        [PATTERN_FUTURE] = "future",       [PATTERN_TORN] = "torn",
        [PATTERN_MISPLACED] = "misplaced", [PATTERN_OTHER_DISK] = "other-disk",
        [PATTERN_OTHER_RUN] = "other-run", [PATTERN_BLOCK_SIZE] = "block-size",
        [PATTERN_UNWRITTEN] = "unwritten", [PATTERN_CORRUPT] = "corrupt",
    };
    return names[verdict];
}
