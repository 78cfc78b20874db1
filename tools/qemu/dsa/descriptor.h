// SPDX-License-Identifier: BSD-2-Clause
// Fields of descriptors, their checks, and what comes of their execution.
#pragma once

#include <string.h>

#include "tools/qemu/dsa/device.h"

static inline uint64_t descriptor_u64(const struct dsa_descriptor *w, unsigned at)
{
    uint64_t value;
    memcpy(&value, w->bytes + at, sizeof(value));
    return value;
}

static inline uint32_t descriptor_u32(const struct dsa_descriptor *w, unsigned at)
{
    uint32_t value;
    memcpy(&value, w->bytes + at, sizeof(value));
    return value;
}

static inline uint8_t descriptor_operation(const struct dsa_descriptor *w)
{
    return w->bytes[7];
}

static inline uint32_t descriptor_flags(const struct dsa_descriptor *w)
{
    return descriptor_u32(w, 4) & 0xffffff;
}

static inline uint64_t descriptor_record(const struct dsa_descriptor *w)
{
    return descriptor_u64(w, 8);
}

static inline uint64_t descriptor_source(const struct dsa_descriptor *w)
{
    return descriptor_u64(w, 16);
}

static inline uint64_t descriptor_destination(const struct dsa_descriptor *w)
{
    return descriptor_u64(w, 24);
}

static inline uint32_t descriptor_size(const struct dsa_descriptor *w)
{
    return descriptor_u32(w, 32);
}

static inline uint16_t descriptor_handle(const struct dsa_descriptor *w)
{
    return (uint16_t)descriptor_u32(w, 36);
}

// What a completion record tells.
struct dsa_result {
    bool discard;   // without a record or an interrupt
    uint8_t status; // enum dsa_status, with STATUS_WRITE
    uint8_t result;
    uint32_t bytes;   // Bytes Completed
    uint64_t address; // that faulted
    uint64_t value;   // the CRC, or the invalid flags
};

// The checks of 5.4: the status is STATUS_NONE where all is well.
struct dsa_result dsa_descriptor_check(const struct dsa *, const struct dsa_descriptor *);
// Executes what has passed them; not for batches and drains.
struct dsa_result dsa_execute(struct dsa *, const struct dsa_descriptor *);

// One access to memory, within a page. False: it failed, and the device knows.
bool dsa_dma(struct dsa *, uint64_t address, void *data, unsigned bytes, bool write);
// The status that such a failure comes to.
uint8_t dsa_dma_status(const struct dsa *, bool write);

// Continues a CRC-32C: `crc` is the register, without inversion.
uint32_t dsa_crc32c(uint32_t crc, const uint8_t *data, size_t bytes, bool reverse_bytes);
uint32_t dsa_reverse32(uint32_t);
