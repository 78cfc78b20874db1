// SPDX-License-Identifier: BSD-2-Clause
// PASIDs are off, and a dedicated WQ takes privilege from its configuration: both stay 0 (8.1.1).

#include "drivers/dsa/descriptor.h"

static void begin(struct dsa_descriptor *d, const struct dsa_completion *to,
                  enum dsa_operation operation, uint32_t flags)
{
    flags |= DSA_FLAG_RECORD_VALID | DSA_FLAG_RECORD | (to->interrupt ? DSA_FLAG_INTERRUPT : 0);
    *d = (struct dsa_descriptor){
        .flags = flags | (uint32_t)field_put(DSA_FLAGS_OPERATION, operation),
        .record = to->record,
        .handle = to->interrupt ? to->handle : 0,
    };
}

static uint32_t cache(const struct dsa_completion *to)
{
    return to->cache ? DSA_FLAG_CACHE : 0;
}

void dsa_build_noop(struct dsa_descriptor *d, const struct dsa_completion *to)
{
    begin(d, to, DSA_NOOP, 0);
}

void dsa_build_move(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t destination,
                    uint64_t source, uint32_t bytes)
{
    begin(d, to, DSA_MOVE, cache(to));
    d->source = source;
    d->destination = destination;
    d->bytes = bytes;
}

void dsa_build_fill(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t destination,
                    uint64_t pattern, uint32_t bytes)
{
    begin(d, to, DSA_FILL, cache(to));
    d->source = pattern;
    d->destination = destination;
    d->bytes = bytes;
}

void dsa_build_compare(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t one,
                       uint64_t other, uint32_t bytes)
{
    begin(d, to, DSA_COMPARE, 0);
    d->source = one;
    d->destination = other;
    d->bytes = bytes;
}

void dsa_build_crc(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t source,
                   uint32_t seed, uint32_t bytes)
{
    begin(d, to, DSA_CRC, 0);
    d->source = source;
    d->seed = seed;
    d->bytes = bytes;
}

void dsa_build_batch(struct dsa_descriptor *d, const struct dsa_completion *to, uint64_t list,
                     uint32_t count)
{
    begin(d, to, DSA_BATCH, 0);
    d->source = list;
    d->bytes = count;
}
