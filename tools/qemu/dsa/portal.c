// SPDX-License-Identifier: BSD-2-Clause
// BAR2: portals (9.3) and what is checked when a descriptor arrives (5.3). A descriptor is eight 8-byte
// stores in ascending order to one 64-byte slot: the virtual CPUs have no store of 64 bytes.
#include "tools/qemu/dsa/descriptor.h"
#include "tools/qemu/strict.h"

static bool being_emptied(const struct dsa *d, unsigned wq)
{
    unsigned code = (unsigned)field_get(CMD_CODE, d->command.word);
    uint64_t operand = field_get(CMD_OPERAND, d->command.word);
    bool named = wq / 16 == operand >> 16 && (operand & BIT64(wq % 16));
    return (d->cmdstatus & CMDSTATUS_ACTIVE) &&
           (code == CMD_ABORT_ALL || (named && (code == CMD_DRAIN_WQ || code == CMD_ABORT_WQ)));
}

static bool takes(const struct dsa *d, unsigned wq)
{
    return d->state == DSA_ENABLED && d->wqs[wq].state == DSA_ENABLED &&
           (d->wqcfg[wq][WQCFG_MODE / 4] & WQCFG_DEDICATED);
}

static void enqueue(struct dsa *d, unsigned wq, const struct dsa_descriptor *w)
{
    struct dsa_wq *q = &d->wqs[wq];
    q->ring[(q->head + q->count++) % d->options.total_size] = *w;
    d->statistics.submitted++;
    dsa_kick(d);
}

static bool is_full(struct dsa *d, unsigned wq)
{
    bool full = d->wqs[wq].count >= dsa_wq_size(d, wq);
    if (full)
        strict_breach(RULE_DSA_QUEUE_FULL, "%s: queue %u of %u entries", dsa_name(d), wq,
                      dsa_wq_size(d, wq));
    return full || dsa_planted(d, DSA_PLANT_FULL);
}

static void submit(struct dsa *d, unsigned wq, unsigned page, const uint8_t *bytes)
{
    struct dsa_descriptor w = { .wq = (uint8_t)wq, .ims = page >= PORTAL_FIRST_IMS };
    memcpy(w.bytes, bytes, sizeof(w.bytes));
    if (!takes(d, wq)) {
        d->statistics.dropped++;
        if (d->state != DSA_HALTED) // which comes by surprise
            strict_breach(RULE_DSA_PORTAL_CLOSED, "%s: queue %u", dsa_name(d), wq);
    } else if (is_full(d, wq)) {
        d->statistics.dropped++;
        dsa_software_error(d, STATUS_QUEUE_FULL, &w, 0, 0, 0);
    } else {
        if (being_emptied(d, wq))
            strict_breach(RULE_DSA_SUBMIT_BUSY, "%s: queue %u", dsa_name(d), wq);
        w.number = d->numbers++;
        dsa_note_handle(d, &w);
        enqueue(d, wq, &w);
    }
}

static bool in_order(const struct dsa_slot *slot, uint64_t at, unsigned size)
{
    return size == 8 && at % 8 == 0 && at % DESCRIPTOR_BYTES / 8 == slot->words;
}

static void portal_write(void *opaque, uint64_t at, uint64_t value, unsigned size)
{
    struct dsa *d = opaque;
    if (at >= d->options.wqs * PORTAL_BYTES)
        return;
    struct dsa_slot *slot = &d->slots[at / DESCRIPTOR_BYTES];
    if (!in_order(slot, at, size)) {
        strict_breach(RULE_DSA_PORTAL_WRITE, "%s: %u bytes at %#llx, after %u of 8 stores",
                      dsa_name(d), size, (unsigned long long)at, slot->words);
        slot->words = 0;
        if (!in_order(slot, at, size))
            return;
    }
    memcpy(slot->bytes + 8 * slot->words++, &value, 8);
    if (slot->words < DESCRIPTOR_BYTES / 8)
        return;
    slot->words = 0;
    submit(d, (unsigned)(at / PORTAL_BYTES), (unsigned)(at / PORTAL_PAGE % PORTAL_PAGES),
           slot->bytes);
}

static uint64_t portal_read(void *opaque, uint64_t at, unsigned size)
{
    return ~0ull;
}

const struct qemu_region_ops dsa_portal_ops = {
    .read = portal_read,
    .write = portal_write,
    .endianness = QEMU_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
