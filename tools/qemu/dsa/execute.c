// SPDX-License-Identifier: BSD-2-Clause
// Operations on memory (8.3), in pieces that cross no page, so that a fault is told to the byte.
#include "tools/qemu/dsa/descriptor.h"
#include "tools/qemu/strict.h"

#define PAGE 4096ull

static bool access_memory(struct dsa *d, uint64_t address, void *data, unsigned bytes, bool write)
{
    struct qemu_attrs attrs = { .fields =
                                    (uint32_t)field_put(QEMU_ATTRS_REQUESTER_ID, d->requester) };
    return dsa_bus_master(d) &&
           qemu.address_space_rw(d->memory, address, attrs, data, bytes, write) == QEMU_OK;
}

// Without ATS the device never learns that a write went astray (3.13.1).
bool dsa_dma(struct dsa *d, uint64_t address, void *data, unsigned bytes, bool write)
{
    d->moved += bytes;
    if (access_memory(d, address, data, bytes, write))
        return true;
    if (!write || dsa_ats_on(d))
        return false;
    if (!d->plant)
        strict_breach(RULE_DSA_WRITE_LOST, "%s: %u bytes to %#llx", dsa_name(d), bytes,
                      (unsigned long long)address);
    return true;
}

uint8_t dsa_dma_status(const struct dsa *d, bool write)
{
    if (!dsa_ats_on(d))
        return STATUS_READ_ERROR;
    return (uint8_t)(STATUS_PAGE_FAULT | (write ? STATUS_WRITE : 0));
}

static struct dsa_result fault(const struct dsa *d, uint64_t done, uint64_t address, bool write)
{
    return (struct dsa_result){ .status = dsa_dma_status(d, write),
                                .bytes = (uint32_t)done,
                                .address = address };
}

// How much can be done at `at` and stays in one page of each address.
static unsigned piece_at(uint64_t a, uint64_t b, uint64_t left)
{
    uint64_t piece = left;
    if (piece > PAGE - a % PAGE)
        piece = PAGE - a % PAGE;
    if (piece > PAGE - b % PAGE)
        piece = PAGE - b % PAGE;
    return (unsigned)piece;
}

// The same for the piece that ends before `a` and `b`.
static unsigned piece_before(uint64_t a, uint64_t b, uint64_t left)
{
    uint64_t room_a = (a - 1) % PAGE + 1, room_b = (b - 1) % PAGE + 1;
    uint64_t piece = left < room_a ? left : room_a;
    return (unsigned)(piece < room_b ? piece : room_b);
}

// As if all of the source were read first: backwards where the destination's start lies in it.
static struct dsa_result move(struct dsa *d, const struct dsa_descriptor *w)
{
    uint8_t buffer[PAGE];
    uint64_t from = descriptor_source(w), to = descriptor_destination(w), size = descriptor_size(w);
    bool backwards = to > from && to < from + size;
    for (uint64_t done = 0; done < size;) {
        uint64_t left = size - done;
        unsigned piece = backwards ? piece_before(from + left, to + left, left)
                                   : piece_at(from + done, to + done, left);
        uint64_t at = backwards ? left - piece : done;
        bool read = dsa_dma(d, from + at, buffer, piece, false);
        if (!read || !dsa_dma(d, to + at, buffer, piece, true)) {
            struct dsa_result r = fault(d, done, read ? to + at : from + at, read);
            r.result = backwards;
            return r;
        }
        done += piece;
    }
    return (struct dsa_result){ .status = STATUS_SUCCESS };
}

// The bytes of an 8-byte pattern from its `phase` on.
static void spread(uint8_t *buffer, uint64_t pattern, uint64_t phase, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buffer[i] = (uint8_t)(pattern >> 8 * ((phase + i) % 8));
}

static struct dsa_result fill(struct dsa *d, const struct dsa_descriptor *w)
{
    uint8_t buffer[PAGE];
    uint64_t to = descriptor_destination(w), size = descriptor_size(w);
    for (uint64_t done = 0; done < size;) {
        unsigned piece = piece_at(to + done, 0, size - done);
        spread(buffer, descriptor_source(w), done, piece);
        if (!dsa_dma(d, to + done, buffer, piece, true))
            return fault(d, done, to + done, true);
        done += piece;
    }
    return (struct dsa_result){ .status = STATUS_SUCCESS };
}

static unsigned first_difference(const uint8_t *a, const uint8_t *b, unsigned bytes)
{
    unsigned i = 0;
    while (i < bytes && a[i] == b[i])
        i++;
    return i;
}

static struct dsa_result compared(const struct dsa_descriptor *w, bool differ, uint64_t at)
{
    bool expected = w->bytes[40] & 1;
    bool success = !(descriptor_flags(w) & FLAG_CHECK_RESULT) || differ == expected;
    return (struct dsa_result){ .status = success ? STATUS_SUCCESS : STATUS_FALSE,
                                .result = differ,
                                .bytes = differ ? (uint32_t)at : 0 };
}

static struct dsa_result compare(struct dsa *d, const struct dsa_descriptor *w)
{
    uint8_t a[PAGE], b[PAGE];
    bool pattern = descriptor_operation(w) == OP_COMPARE_PATTERN;
    uint64_t first = descriptor_source(w), second = descriptor_destination(w);
    uint64_t size = descriptor_size(w);
    for (uint64_t done = 0; done < size;) {
        unsigned piece = piece_at(first + done, pattern ? 0 : second + done, size - done);
        if (!dsa_dma(d, first + done, a, piece, false))
            return fault(d, done, first + done, false);
        if (pattern)
            spread(b, second, done, piece);
        else if (!dsa_dma(d, second + done, b, piece, false))
            return fault(d, done, second + done, false);
        unsigned same = first_difference(a, b, piece);
        if (same < piece)
            return compared(w, true, done + same);
        done += piece;
    }
    return compared(w, false, 0);
}

// ---- CRC (appendix A) ----

static bool crc_seed(struct dsa *d, const struct dsa_descriptor *w, uint32_t *seed)
{
    *seed = descriptor_u32(w, 40);
    if (!(descriptor_flags(w) & FLAG_READ_SEED))
        return true;
    return dsa_dma(d, descriptor_u64(w, 48), seed, sizeof(*seed), false);
}

// Between the value that software sees and the register; it is its own inverse.
static uint32_t crc_convert(const struct dsa_descriptor *w, uint32_t crc)
{
    return descriptor_flags(w) & FLAG_NO_INVERSION ? dsa_reverse32(crc) : ~crc;
}

static struct dsa_result crc(struct dsa *d, const struct dsa_descriptor *w)
{
    uint8_t buffer[PAGE];
    uint32_t value;
    bool copy = descriptor_operation(w) == OP_COPY_CRC;
    uint64_t from = descriptor_source(w), size = descriptor_size(w), done = 0;
    uint64_t to = copy ? descriptor_destination(w) : 0;
    struct dsa_result r = { .status = STATUS_SUCCESS };
    if (!crc_seed(d, w, &value))
        return fault(d, 0, descriptor_u64(w, 48), false);
    value = crc_convert(w, value);
    while (done < size && r.status == STATUS_SUCCESS) {
        unsigned piece = piece_at(from + done, copy ? to + done : 0, size - done);
        if (!dsa_dma(d, from + done, buffer, piece, false)) {
            r = fault(d, done, from + done, false);
        } else if (copy && !dsa_dma(d, to + done, buffer, piece, true)) {
            r = fault(d, done, to + done, true);
        } else {
            value = dsa_crc32c(value, buffer, piece, descriptor_flags(w) & FLAG_NO_REFLECTION);
            done += piece;
        }
    }
    r.value = crc_convert(w, value);
    return r;
}

struct dsa_result dsa_execute(struct dsa *d, const struct dsa_descriptor *w)
{
    switch (descriptor_operation(w)) {
    case OP_MOVE:
        return move(d, w);
    case OP_FILL:
        return fill(d, w);
    case OP_COMPARE:
    case OP_COMPARE_PATTERN:
        return compare(d, w);
    case OP_CRC:
    case OP_COPY_CRC:
        return crc(d, w);
    default: // no-op
        return (struct dsa_result){ .status = STATUS_SUCCESS };
    }
}
