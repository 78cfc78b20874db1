// SPDX-License-Identifier: BSD-2-Clause
// BAR0: registers and tables, and when they may be written (9.2, tables 9-3, 9-4 and 9-7). Worked on by
// double words; of a narrower write, only the bytes written count.
#include "tools/qemu/dsa/device.h"
#include "tools/qemu/strict.h"

#include <string.h>

static uint64_t ones(uint64_t count)
{
    return count >= 64 ? ~0ull : BIT64(count) - 1;
}

// ---- capabilities ----

uint64_t dsa_gencap(const struct dsa *d)
{
    return GENCAP_OVERLAP | GENCAP_CACHE_CONTROL | GENCAP_CMDCAP | GENCAP_READBACK | GENCAP_CONFIG |
           field_put(GENCAP_MAX_TRANSFER, d->options.max_transfer) |
           field_put(GENCAP_MAX_BATCH, d->options.max_batch);
}

static unsigned wqcfg_bytes(const struct dsa *d)
{
    return d->options.opcfg ? WQCFG_LARGE_BYTES : WQCFG_SMALL_BYTES;
}

static uint64_t wqcap(const struct dsa *d)
{
    return field_put(WQCAP_TOTAL_SIZE, d->options.total_size) |
           field_put(WQCAP_NUMBER, d->options.wqs) | field_put(WQCAP_CFG_SIZE, d->options.opcfg) |
           WQCAP_SHARED | WQCAP_DEDICATED | WQCAP_PRIORITY | WQCAP_OCCUPANCY |
           WQCAP_OCCUPANCY_INTERRUPT | (d->options.opcfg ? WQCAP_OPCFG : 0);
}

static uint64_t grpcap(const struct dsa *d)
{
    return field_put(GRPCAP_GROUPS, d->options.groups) |
           field_put(GRPCAP_READ_BUFFERS, DSA_READ_BUFFERS) | GRPCAP_BUFFER_CONTROLS;
}

uint64_t dsa_opcap(void)
{
    return BIT64(OP_NOOP) | BIT64(OP_BATCH) | BIT64(OP_DRAIN) | BIT64(OP_MOVE) | BIT64(OP_FILL) |
           BIT64(OP_COMPARE) | BIT64(OP_COMPARE_PATTERN) | BIT64(OP_CRC) | BIT64(OP_COPY_CRC);
}

uint64_t dsa_cmdcap(const struct dsa *d)
{
    uint64_t commands = BITS64(CMD_ABORT_PASID, CMD_ENABLE_DEVICE);
    return commands | (d->options.handles ? BITS64(CMD_RELEASE_HANDLE, CMD_REQUEST_HANDLE) : 0);
}

static uint64_t offsets(void)
{
    return field_put(OFFSETS_GROUPS, TABLE_GROUPS / OFFSETS_UNIT) |
           field_put(OFFSETS_WQS, TABLE_WQS / OFFSETS_UNIT) |
           field_put(OFFSETS_PERMISSIONS, TABLE_PERMISSIONS / OFFSETS_UNIT) |
           field_put(OFFSETS_IMS, TABLE_IMS / OFFSETS_UNIT);
}

static uint64_t read_fixed(const struct dsa *d, uint64_t at)
{
    switch (at) {
    case REG_VERSION:
        return VERSION_1_0;
    case REG_GENCAP:
        return dsa_gencap(d);
    case REG_WQCAP:
        return wqcap(d);
    case REG_GRPCAP:
        return grpcap(d);
    case REG_ENGCAP:
        return d->options.engines;
    case REG_OPCAP:
        return dsa_opcap();
    case REG_OFFSETS:
        return offsets();
    case REG_OFFSETS + 8:
        return TABLE_PERFMON / OFFSETS_UNIT;
    case REG_CMDCAP:
        return dsa_cmdcap(d);
    default:
        return 0;
    }
}

static uint32_t read_control(const struct dsa *d, uint64_t at)
{
    switch (at) {
    case REG_GENCFG:
        return d->gencfg;
    case REG_GENCTRL:
        return d->genctrl;
    case REG_GENSTS:
        return (uint32_t)(d->state | field_put(GENSTS_RESET_TYPE, d->reset_type));
    case REG_INTCAUSE:
        return d->intcause;
    case REG_CMDSTATUS:
        return d->cmdstatus;
    default:
        return (uint32_t)(read_fixed(d, at & ~7ull) >> 8 * (at & 4));
    }
}

// ---- tables ----

// An entry of one of the tables, by the offset into it.
static bool in_table(uint64_t at, uint64_t table, uint64_t entries, uint64_t bytes, unsigned *index,
                     unsigned *offset)
{
    if (at < table || at >= table + entries * bytes)
        return false;
    *index = (unsigned)((at - table) / bytes);
    *offset = (unsigned)((at - table) % bytes);
    return true;
}

static uint64_t *group_word(struct dsa *d, unsigned group, unsigned offset)
{
    switch (offset & ~7u) {
    case 0:
        return &d->group_wqs[group];
    case GROUP_ENGINES:
        return &d->group_engines[group];
    case GROUP_FLAGS:
        return &d->group_flags[group];
    default:
        return NULL;
    }
}

uint32_t dsa_wqcfg(const struct dsa *d, unsigned wq, unsigned at)
{
    uint32_t word = d->wqcfg[wq][at / 4];
    if (at == WQCFG_STATE)
        word |= (uint32_t)(field_put(WQCFG_STATE_FIELD, d->wqs[wq].state) |
                           field_put(WQCFG_OCCUPANCY, d->wqs[wq].count));
    return word;
}

unsigned dsa_wq_size(const struct dsa *d, unsigned wq)
{
    return d->wqcfg[wq][WQCFG_SIZE] & WQCFG_SIZE_FIELD;
}

static uint32_t read32(struct dsa *d, uint64_t at)
{
    unsigned index, offset;
    if (at >= REG_SWERROR && at < REG_SWERROR + SWERROR_BYTES)
        return (uint32_t)(d->swerror[(at - REG_SWERROR) / 8] >> 8 * (at & 4));
    if (in_table(at, TABLE_PERMISSIONS, d->options.vectors, PERMISSION_BYTES, &index, &offset))
        return offset ? 0 : d->permissions[index];
    if (in_table(at, TABLE_GROUPS, d->options.groups, GROUP_BYTES, &index, &offset)) {
        const uint64_t *word = group_word(d, index, offset);
        return word ? (uint32_t)(*word >> 8 * (offset & 4)) : 0;
    }
    if (in_table(at, TABLE_WQS, d->options.wqs, wqcfg_bytes(d), &index, &offset))
        return dsa_wqcfg(d, index, offset);
    return read_control(d, at);
}

// ---- writes ----

// New bits where they are writable, the mask says which bytes were written.
static uint32_t merge(const struct dsa *d, uint32_t old, uint32_t value, uint32_t mask,
                      uint32_t writable, uint64_t at)
{
    if (value & mask & ~writable & ~old)
        strict_breach(RULE_DSA_RESERVED, "%s: %#x was written at %#llx, of which are reserved %#x",
                      dsa_name(d), value & mask, (unsigned long long)at, value & mask & ~writable);
    mask &= writable;
    return (old & ~mask) | (value & mask);
}

static bool locked(const struct dsa *d, bool lock, uint32_t old, uint32_t value, uint32_t mask,
                   uint64_t at)
{
    if (lock && ((old ^ value) & mask))
        strict_breach(RULE_DSA_LOCKED, "%s: a write of %#x at %#llx", dsa_name(d), value & mask,
                      (unsigned long long)at);
    return lock;
}

static void write_group(struct dsa *d, unsigned group, unsigned offset, uint32_t value,
                        uint32_t mask)
{
    uint64_t *word = group_word(d, group, offset);
    uint64_t at = TABLE_GROUPS + group * GROUP_BYTES + offset;
    unsigned shift = 8 * (offset & 4);
    // Bits of queues and engines that there aren't are kept: Enable Device tells of them.
    uint32_t writable = offset >= GROUP_FLAGS ? (uint32_t)(GROUP_FLAGS_WRITABLE >> shift) : ~0u;
    if (!word)
        return;
    uint32_t old = (uint32_t)(*word >> shift);
    if (locked(d, d->state != DSA_DISABLED, old, value, mask, at))
        return;
    uint32_t new = merge(d, old, value, mask, writable, at);
    *word = (*word & ~(0xffffffffull << shift)) | (uint64_t)new << shift;
}

// The bits of a WQCFG's double word that there are, and those of them that may be written just now.
static uint32_t wqcfg_fields(const struct dsa *d, unsigned offset)
{
    switch (offset) {
    case WQCFG_SIZE:
        return WQCFG_SIZE_FIELD;
    case WQCFG_THRESHOLD:
        return BITS32(15, 0);
    case WQCFG_MODE:
        return WQCFG_DEDICATED | WQCFG_BLOCK_ON_FAULT | WQCFG_PRIORITY | WQCFG_PASID |
               WQCFG_PASID_ENABLE | WQCFG_PRIV;
    case WQCFG_LIMITS:
        return WQCFG_MAX_TRANSFER | WQCFG_MAX_BATCH;
    case WQCFG_OCCUPANCY_HANDLE:
        return BITS32(15, 0) | WQCFG_OCCUPANCY_TABLE;
    case WQCFG_OCCUPANCY_LIMIT:
        return BITS32(15, 0) | WQCFG_OCCUPANCY_ENABLE;
    default:
        return d->options.opcfg && offset >= WQCFG_OPCFG ? ~0u : 0;
    }
}

static bool wqcfg_locked(const struct dsa *d, unsigned wq, unsigned offset)
{
    if (offset == WQCFG_SIZE)
        return d->state != DSA_DISABLED;
    return offset != WQCFG_THRESHOLD && offset != WQCFG_OCCUPANCY_LIMIT &&
           d->wqs[wq].state != DSA_DISABLED;
}

static void write_wqcfg(struct dsa *d, unsigned wq, unsigned offset, uint32_t value, uint32_t mask)
{
    uint32_t *word = &d->wqcfg[wq][offset / 4];
    uint32_t fields = wqcfg_fields(d, offset);
    uint64_t at = TABLE_WQS + wq * wqcfg_bytes(d) + offset;
    if (offset == WQCFG_STATE) {
        *word &= ~(value & mask & WQCFG_OCCUPANCY_GENERATED);
    } else if (!locked(d, wqcfg_locked(d, wq, offset), *word, value, mask, at)) {
        // The limit is read-only while its interrupt is on.
        if (offset == WQCFG_OCCUPANCY_LIMIT && (*word & WQCFG_OCCUPANCY_ENABLE))
            fields = WQCFG_OCCUPANCY_ENABLE;
        *word = merge(d, *word, value, mask, fields, at);
    }
    dsa_check_occupancy(d, wq);
}

static void write_swerror(struct dsa *d, uint32_t value)
{
    d->swerror[0] &= ~(uint64_t)(value & (SWERROR_VALID | SWERROR_OVERFLOW));
}

static void write_control(struct dsa *d, uint64_t at, uint32_t value, uint32_t mask)
{
    switch (at) {
    case REG_GENCFG:
        if (!locked(d, d->state != DSA_DISABLED, d->gencfg, value, mask, at))
            d->gencfg = merge(d, d->gencfg, value, mask, GENCFG_USER_INTERRUPTS, at);
        break;
    case REG_GENCTRL:
        d->genctrl = merge(d, d->genctrl, value, mask, GENCTRL_SOFTWARE_ERROR | GENCTRL_HALT, at);
        break;
    case REG_INTCAUSE:
        d->intcause &= ~(value & mask & INTCAUSE_ALL);
        break;
    case REG_CMD:
        dsa_command_write(d, value & mask);
        break;
    case REG_SWERROR:
        write_swerror(d, value & mask);
        break;
    default: // read-only, or nothing is there
        break;
    }
}

static void write32(struct dsa *d, uint64_t at, uint32_t value, uint32_t mask)
{
    unsigned index, offset;
    if (in_table(at, TABLE_PERMISSIONS, d->options.vectors, PERMISSION_BYTES, &index, &offset)) {
        if (!offset)
            d->permissions[index] =
                merge(d, d->permissions[index], value, mask, PERMISSION_WRITABLE, at);
    } else if (in_table(at, TABLE_GROUPS, d->options.groups, GROUP_BYTES, &index, &offset)) {
        write_group(d, index, offset, value, mask);
    } else if (in_table(at, TABLE_WQS, d->options.wqs, wqcfg_bytes(d), &index, &offset)) {
        write_wqcfg(d, index, offset, value, mask);
    } else {
        write_control(d, at, value, mask);
    }
}

// ---- resets ----

void dsa_wqcfg_reset(struct dsa *d, unsigned wq)
{
    memset(d->wqcfg[wq], 0, sizeof(d->wqcfg[wq]));
    d->wqcfg[wq][WQCFG_OPCFG / 4] = (uint32_t)dsa_opcap();
    d->wqcfg[wq][WQCFG_OPCFG / 4 + 1] = (uint32_t)(dsa_opcap() >> 32);
}

void dsa_registers_reset(struct dsa *d)
{
    d->gencfg = DSA_READ_BUFFERS;
    d->genctrl = 0;
    d->intcause = 0;
    memset(d->permissions, 0, sizeof(d->permissions));
    for (unsigned i = 0; i < MAX_VECTORS; i++) // handles of before stay invalid
        d->handles[i] = (struct dsa_handles){ .newest = d->handles[i].newest };
    for (unsigned i = 0; i < MAX_GROUPS; i++) {
        d->group_wqs[i] = d->group_engines[i] = 0;
        d->group_flags[i] = field_put(GROUP_BUFFERS_ALLOWED, DSA_READ_BUFFERS);
    }
    for (unsigned i = 0; i < MAX_WQS; i++)
        dsa_wqcfg_reset(d, i);
}

// ---- QEMU's side ----

static uint64_t region_read(void *opaque, uint64_t at, unsigned size)
{
    struct dsa *d = opaque;
    uint64_t value = read32(d, at & ~3ull);
    if (size == 8)
        return value | (uint64_t)read32(d, at + 4) << 32;
    return value >> 8 * (at & 3) & ones(8 * size);
}

static void region_write(void *opaque, uint64_t at, uint64_t value, unsigned size)
{
    unsigned shift = 8 * (at & 3);
    if (size < 4) {
        write32(opaque, at & ~3ull, (uint32_t)(value << shift),
                (uint32_t)(ones(8 * size) << shift));
        return;
    }
    write32(opaque, at, (uint32_t)value, ~0u);
    if (size == 8)
        write32(opaque, at + 4, (uint32_t)(value >> 32), ~0u);
}

const struct qemu_region_ops dsa_register_ops = {
    .read = region_read,
    .write = region_write,
    .endianness = QEMU_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};
