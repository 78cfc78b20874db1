// SPDX-License-Identifier: BSD-2-Clause
// The checks of a descriptor when it is processed (5.4, 5.5).
#include "tools/qemu/dsa/descriptor.h"

#define RANGE(first, last) (BIT64((last) + 1) - BIT64(first))
#define RANGE_TO_END(first) (~0ull << (first))
#define CACHE_FLAGS (FLAG_CACHE_1 | FLAG_CACHE_2)
#define HANDLE_BYTES RANGE(36, 37)
#define RECORD_ADDRESS_BYTES RANGE(8, 15)
#define SEED_BYTES RANGE(40, 43)
#define SEED_ADDRESS_BYTES RANGE(48, 55)

// Tables 5-3 and 5-5, without what all operations have in common: flags, and a bit for each byte that is
// reserved.
static const struct rules {
    uint32_t allowed, required;
    uint64_t reserved;
    bool sized;
} rules[OPS_END] = {
    [OP_NOOP] = { .reserved = RANGE(16, 35) | RANGE_TO_END(38) },
    [OP_BATCH] = { .allowed = FLAG_TC_1, .reserved = RANGE(24, 31) | RANGE_TO_END(38) },
    [OP_DRAIN] = { .allowed = FLAG_QUIET_TC_A | FLAG_QUIET_TC_B,
                   .reserved = RANGE(16, 35) | RANGE_TO_END(38) },
    [OP_MOVE] = { .allowed = CACHE_FLAGS | FLAG_STRICT_ORDER | FLAG_TC_1 | FLAG_TC_2,
                  .reserved = RANGE_TO_END(38),
                  .sized = true },
    [OP_FILL] = { .allowed = CACHE_FLAGS | FLAG_STRICT_ORDER | FLAG_TC_2,
                  .reserved = RANGE_TO_END(38),
                  .sized = true },
    [OP_COMPARE] = { .allowed = FLAG_CHECK_RESULT | FLAG_TC_1 | FLAG_TC_2,
                     .required = FLAG_RECORD_VALID | FLAG_RECORD,
                     .reserved = RANGE(38, 39) | RANGE_TO_END(41),
                     .sized = true },
    [OP_COMPARE_PATTERN] = { .allowed = FLAG_CHECK_RESULT | FLAG_TC_1,
                             .required = FLAG_RECORD_VALID | FLAG_RECORD,
                             .reserved = RANGE(38, 39) | RANGE_TO_END(41),
                             .sized = true },
    [OP_CRC] = { .allowed = FLAG_TC_1 | FLAG_TC_3 | FLAG_READ_SEED | FLAG_NO_INVERSION |
                            FLAG_NO_REFLECTION,
                 .required = FLAG_RECORD_VALID | FLAG_RECORD,
                 .reserved = RANGE(24, 31) | RANGE(38, 39) | RANGE(44, 47) | RANGE_TO_END(56),
                 .sized = true },
    [OP_COPY_CRC] = { .allowed = CACHE_FLAGS | FLAG_STRICT_ORDER | FLAG_TC_1 | FLAG_TC_2 |
                                 FLAG_TC_3 | FLAG_READ_SEED | FLAG_NO_INVERSION |
                                 FLAG_NO_REFLECTION,
                      .required = FLAG_RECORD_VALID | FLAG_RECORD,
                      .reserved = RANGE(38, 39) | RANGE(44, 47) | RANGE_TO_END(56),
                      .sized = true },
};

static bool is_crc(uint8_t operation)
{
    return operation == OP_CRC || operation == OP_COPY_CRC;
}

static bool operation_allowed(const struct dsa *d, const struct dsa_descriptor *w)
{
    uint8_t op = descriptor_operation(w);
    if (op >= OPS_END || !(dsa_opcap() & BIT64(op)))
        return false;
    if (w->batched && (op == OP_BATCH || op == OP_DRAIN))
        return false;
    return !d->options.opcfg || (d->wqcfg[w->wq][WQCFG_OPCFG / 4] & BIT32(op));
}

static uint32_t allowed_flags(const struct dsa_descriptor *w)
{
    uint32_t flags = descriptor_flags(w);
    uint32_t allowed = rules[descriptor_operation(w)].allowed | FLAG_RECORD_VALID | FLAG_INTERRUPT;
    if (w->batched)
        allowed |= FLAG_FENCE;
    if (flags & FLAG_RECORD_VALID)
        allowed |= FLAG_RECORD | FLAG_TC_RECORD;
    if (is_crc(descriptor_operation(w)) && !(flags & FLAG_READ_SEED))
        allowed &= ~FLAG_TC_3;
    return allowed;
}

// The flags that are wrong, or missing.
static uint32_t invalid_flags(const struct dsa_descriptor *w)
{
    uint32_t flags = descriptor_flags(w);
    uint32_t missing = rules[descriptor_operation(w)].required & ~flags;
    if (descriptor_operation(w) == OP_DRAIN && !(flags & (FLAG_RECORD | FLAG_INTERRUPT)))
        missing = FLAG_RECORD | FLAG_INTERRUPT;
    return missing | (flags & ~allowed_flags(w));
}

static uint64_t reserved_bytes(const struct dsa_descriptor *w)
{
    uint32_t flags = descriptor_flags(w);
    uint64_t reserved = rules[descriptor_operation(w)].reserved;
    if (!(flags & FLAG_RECORD_VALID))
        reserved |= RECORD_ADDRESS_BYTES;
    if (!(flags & FLAG_INTERRUPT))
        reserved |= HANDLE_BYTES;
    if (is_crc(descriptor_operation(w)))
        reserved |= flags & FLAG_READ_SEED ? SEED_BYTES : SEED_ADDRESS_BYTES;
    return reserved;
}

static bool reserved_clear(const struct dsa_descriptor *w)
{
    for_each_bit (i, reserved_bytes(w))
        if (w->bytes[i])
            return false;
    return true;
}

// The traffic class that a selector flag chooses; there is but class 0.
static bool class_good(const struct dsa *d, const struct dsa_descriptor *w, uint32_t selectors)
{
    uint32_t flags = descriptor_flags(w);
    for (unsigned g = 0; g < d->options.groups; g++) {
        if (!(d->group_wqs[g] & BIT64(w->wq)))
            continue;
        bool a = field_get(GROUP_TC_A, d->group_flags[g]) == 0;
        bool b = field_get(GROUP_TC_B, d->group_flags[g]) == 0;
        if (((selectors & ~flags) && !a) || ((selectors & flags) && !b))
            return false;
    }
    return true;
}

static bool overlap(const struct dsa_descriptor *w)
{
    uint64_t from = descriptor_source(w), to = descriptor_destination(w), size = descriptor_size(w);
    return from < to + size && to < from + size;
}

static bool handle_good(const struct dsa *d, const struct dsa_descriptor *w)
{
    int vector = dsa_vector_of(d, descriptor_handle(w), w->ims);
    return vector >= 0 && !(d->permissions[vector] & PERMISSION_PASID_ENABLE);
}

static enum dsa_status check_size(const struct dsa *d, const struct dsa_descriptor *w)
{
    uint32_t limits = d->wqcfg[w->wq][WQCFG_LIMITS / 4];
    uint64_t size = descriptor_size(w);
    if (descriptor_operation(w) == OP_BATCH) {
        if (size < 2 || size > BIT64(field_get(WQCFG_MAX_BATCH, limits)))
            return STATUS_COUNT;
        return descriptor_source(w) % DESCRIPTOR_BYTES ? STATUS_LIST_ALIGN : STATUS_NONE;
    }
    if (!rules[descriptor_operation(w)].sized)
        return STATUS_NONE;
    return !size || size > BIT64(field_get(WQCFG_MAX_TRANSFER, limits)) ? STATUS_SIZE : STATUS_NONE;
}

static enum dsa_status check_fields(const struct dsa *d, const struct dsa_descriptor *w)
{
    uint32_t flags = descriptor_flags(w);
    if (!reserved_clear(w))
        return STATUS_RESERVED;
    enum dsa_status status = check_size(d, w);
    if (status)
        return status;
    if (descriptor_operation(w) == OP_COPY_CRC && overlap(w))
        return STATUS_OVERLAP;
    if (is_crc(descriptor_operation(w)) && (flags & FLAG_READ_SEED) && descriptor_u64(w, 48) % 4)
        return STATUS_ALIGN;
    if ((flags & FLAG_INTERRUPT) && !handle_good(d, w))
        return STATUS_HANDLE;
    uint32_t selectors = allowed_flags(w) & (FLAG_TC_1 | FLAG_TC_2 | FLAG_TC_3);
    return class_good(d, w, selectors) ? STATUS_NONE : STATUS_TRAFFIC_CLASS;
}

struct dsa_result dsa_descriptor_check(const struct dsa *d, const struct dsa_descriptor *w)
{
    uint32_t flags = descriptor_flags(w);
    if ((flags & FLAG_RECORD_VALID) && descriptor_record(w) % RECORD_BYTES)
        return (struct dsa_result){ .status = STATUS_RECORD_ALIGN, .discard = true };
    if ((flags & FLAG_RECORD_VALID) && !class_good(d, w, FLAG_TC_RECORD))
        return (struct dsa_result){ .status = STATUS_TRAFFIC_CLASS, .discard = true };
    if (!operation_allowed(d, w))
        return (struct dsa_result){ .status = STATUS_OPERATION };
    uint32_t invalid = invalid_flags(w);
    if (invalid)
        return (struct dsa_result){ .status = STATUS_FLAGS, .value = invalid };
    return (struct dsa_result){ .status = (uint8_t)check_fields(d, w) };
}
