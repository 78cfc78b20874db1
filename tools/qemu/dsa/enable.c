// SPDX-License-Identifier: BSD-2-Clause
// What is checked when the device, and when a queue, is enabled (5.1, 5.2).
#include "tools/qemu/dsa/device.h"

static uint64_t ones(uint64_t count)
{
    return count >= 64 ? ~0ull : BIT64(count) - 1;
}

static uint64_t active_wqs(const struct dsa *d)
{
    uint64_t active = 0;
    for (unsigned i = 0; i < d->options.wqs; i++)
        if (dsa_wq_size(d, i))
            active |= BIT64(i);
    return active;
}

static bool sizes_fit(const struct dsa *d)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < d->options.wqs; i++)
        sum += dsa_wq_size(d, i);
    return sum <= d->options.total_size;
}

static enum dsa_command_error check_groups(const struct dsa *d)
{
    uint64_t wqs = 0, engines = 0;
    for (unsigned i = 0; i < d->options.groups; i++) {
        uint64_t w = d->group_wqs[i], e = d->group_engines[i];
        if (w & wqs)
            return CMDERR_GROUP_WQS;
        if ((e & engines) || (e & ~ones(d->options.engines)))
            return CMDERR_GROUP_ENGINES;
        if (!w != !e)
            return CMDERR_GROUP_HALF;
        wqs |= w;
        engines |= e;
    }
    // Queues that there aren't are not active, either.
    return wqs == active_wqs(d) ? CMDERR_NONE : CMDERR_GROUP_WQS;
}

static enum dsa_command_error check_read_buffers(const struct dsa *d, uint64_t total)
{
    uint64_t reserved = 0;
    for (unsigned i = 0; i < d->options.groups; i++)
        if (d->group_engines[i])
            reserved += field_get(GROUP_BUFFERS_RESERVED, d->group_flags[i]);
    if (reserved > total)
        return CMDERR_READ_BUFFERS;
    for (unsigned i = 0; i < d->options.groups; i++) {
        uint64_t own = field_get(GROUP_BUFFERS_RESERVED, d->group_flags[i]);
        uint64_t allowed = field_get(GROUP_BUFFERS_ALLOWED, d->group_flags[i]);
        uint64_t least = 4ull * (unsigned)__builtin_popcountll(d->group_engines[i]);
        if (least && (allowed < least || allowed < own || allowed > own + total - reserved))
            return CMDERR_READ_BUFFERS;
    }
    return CMDERR_NONE;
}

enum dsa_command_error dsa_enable_checks(const struct dsa *d)
{
    if (d->state != DSA_DISABLED)
        return CMDERR_NOT_DISABLED;
    if (!dsa_bus_master(d))
        return CMDERR_BUS_MASTER;
    if (!sizes_fit(d))
        return CMDERR_TOTAL_SIZE;
    enum dsa_command_error error = check_groups(d);
    return error ? error : check_read_buffers(d, DSA_READ_BUFFERS);
}

// PASID, page requests and IMS are not there: all that needs them is refused.
static enum dsa_command_error check_mode(uint32_t mode)
{
    if (!(mode & WQCFG_PRIORITY))
        return CMDERR_WQ_PRIORITY;
    if (mode & WQCFG_BLOCK_ON_FAULT)
        return CMDERR_WQ_BLOCK_ON_FAULT;
    if (!(mode & WQCFG_DEDICATED) || (mode & WQCFG_PASID_ENABLE))
        return CMDERR_WQ_PASID;
    return CMDERR_NONE;
}

static enum dsa_command_error check_limits(const struct dsa *d, uint32_t limits)
{
    uint64_t batch = field_get(WQCFG_MAX_BATCH, limits);
    if (!batch || batch > d->options.max_batch)
        return CMDERR_WQ_MAX_BATCH;
    if (field_get(WQCFG_MAX_TRANSFER, limits) > d->options.max_transfer)
        return CMDERR_WQ_MAX_TRANSFER;
    return CMDERR_NONE;
}

// The handle of the occupancy interrupt counts only where that is asked for: with handles from
// Request Interrupt Handle, zero is none.
static bool occupancy_handle_good(const struct dsa *d, unsigned wq)
{
    uint32_t word = d->wqcfg[wq][WQCFG_OCCUPANCY_HANDLE / 4];
    bool wanted = d->wqcfg[wq][WQCFG_OCCUPANCY_LIMIT / 4] & WQCFG_OCCUPANCY_ENABLE;
    if (word & WQCFG_OCCUPANCY_TABLE)
        return false;
    if (d->options.handles && !wanted && !(word & BITS32(15, 0)))
        return true;
    return dsa_vector_of(d, (uint16_t)word, false) >= 0;
}

static bool opcfg_good(const struct dsa *d, unsigned wq)
{
    if (!d->options.opcfg)
        return true;
    uint64_t opcap[4] = { dsa_opcap() };
    for (unsigned i = 0; i < 8; i++)
        if (d->wqcfg[wq][WQCFG_OPCFG / 4 + i] & ~(uint32_t)(opcap[i / 2] >> 32 * (i % 2)))
            return false;
    return true;
}

enum dsa_command_error dsa_wq_enable_checks(const struct dsa *d, unsigned wq)
{
    if (d->state != DSA_ENABLED)
        return CMDERR_DEVICE_NOT_ENABLED;
    if (wq >= d->options.wqs)
        return CMDERR_WQ_INDEX;
    if (d->wqs[wq].state != DSA_DISABLED)
        return CMDERR_WQ_NOT_DISABLED;
    if (!dsa_wq_size(d, wq))
        return CMDERR_WQ_SIZE;
    enum dsa_command_error error = check_mode(d->wqcfg[wq][WQCFG_MODE / 4]);
    if (!error)
        error = check_limits(d, d->wqcfg[wq][WQCFG_LIMITS / 4]);
    if (!error && !occupancy_handle_good(d, wq))
        error = CMDERR_WQ_OCCUPANCY;
    return !error && !opcfg_good(d, wq) ? CMDERR_WQ_OPCFG : error;
}
