// SPDX-License-Identifier: BSD-2-Clause
// What is written to each block, and what must be found there.
#include "apps/burnin.h"
#include "kernel/base/report.h"
#include "lib/string.h"

#define ERRORS_TOLD 5 // for each disk; all are counted

bool burnin_is_told(struct burnin_disk *d)
{
    return d->told++ < ERRORS_TOLD;
}

uint32_t burnin_blocks_at(const struct burnin_disk *d, uint64_t place)
{
    return (uint32_t)MIN(d->io_blocks, d->region - place * d->io_blocks);
}

static uint8_t *block_of(const struct burnin_disk *d, const struct burnin_io *io, uint32_t i)
{
    return (uint8_t *)io->req.buffer + (size_t)i * d->dev->block_size;
}

// The blocks of a place, as the write of another one, or its own, has them.
static void fill_as(const struct burnin_disk *d, const struct burnin_io *io, uint64_t place,
                    uint32_t sequence)
{
    struct pattern_id id = { .tag = d->tag, .seed = d->burnin->seed };
    for (uint32_t i = 0; i < io->req.blocks; i++) {
        id.lba = place * d->io_blocks + i;
        pattern_fill(block_of(d, io, i), d->dev->block_size, &id, sequence);
    }
}

void burnin_fill(const struct burnin_disk *d, const struct burnin_io *io)
{
    fill_as(d, io, io->place, io->sequence);
}

// Of which place's write this one holds the data. False: nobody knows, since that has failed, and was
// told.
static bool whose_data(const struct burnin_disk *d, uint64_t place, uint64_t *whose,
                       uint32_t *sequence)
{
    uint64_t first, count = burnin_step_places(d, BURNIN_COPY, &first);
    bool is_copy = d->copied && place >= first && place - first < count;
    *whose = is_copy ? place - first : place;
    *sequence = written_expected(&d->written, *whose);
    return *sequence && !(is_copy && d->copy_failed);
}

bool burnin_expect(const struct burnin_disk *d, const struct burnin_io *io)
{
    uint64_t whose;
    uint32_t sequence;
    size_t bytes = (size_t)io->req.blocks * d->dev->block_size;
    if (!whose_data(d, io->place, &whose, &sequence))
        return false;
    if (d->content == BURNIN_ZEROED)
        memset(io->req.buffer, 0, bytes);
    else
        fill_as(d, io, whose, sequence);
    if (io->with_others)
        ((uint8_t *)io->req.buffer)[bytes - 1] ^= 1;
    return true;
}

static enum pattern_verdict check_zeroes(const uint8_t *block, uint32_t bytes, struct problem *p)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (block[i]) {
            problem_set(p, "verify-zeroes", "holds %02xh at byte %u, where zeroes were written",
                        block[i], i);
            return PATTERN_CORRUPT;
        }
    return PATTERN_GOOD;
}

void burnin_check(struct burnin_disk *d, const struct burnin_io *io)
{
    struct pattern_id id = { .tag = d->tag, .seed = d->burnin->seed };
    uint32_t bytes = d->dev->block_size, sequence;
    uint64_t whose;
    struct problem p;
    if (!whose_data(d, io->place, &whose, &sequence))
        return;
    for (uint32_t i = 0; i < io->req.blocks; i++) {
        const uint8_t *block = block_of(d, io, i);
        id.lba = whose * d->io_blocks + i;
        enum pattern_verdict verdict =
            d->content == BURNIN_ZEROED ? check_zeroes(block, bytes, &p)
                                        : pattern_check(block, bytes, &id, sequence, sequence, &p);
        d->verdicts[verdict]++;
        if (verdict != PATTERN_GOOD && burnin_is_told(d))
            error(p.what, "%s: LBA %lu %s", d->dev->name, io->req.lba + i, p.message);
    }
}
