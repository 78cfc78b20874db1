// SPDX-License-Identifier: BSD-2-Clause
// Fault records and the fault event (VT-d 5.1.4.1, 7.2, 7.3, 11.4.7).
//
// The logging, the overflow and the event interrupt stay QEMU's: the model makes QEMU's unit record
// a fault of its own for the same requester, by a request with upper address bits (20h, never
// qualified by FPD), and then shows the guest the true reason and index in that record.
#include "tools/qemu/faults.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/qemu/plant.h"
#include "tools/qemu/stats.h"

// What the guest sees in place of what QEMU's unit recorded; no reason: as recorded.
struct edit {
    enum fault_reason reason;
    uint16_t index;
    bool was_pending;
};

static struct edit *edits; // one for each record
static uint32_t records_offset, records;

// While FEUADDR is not zero, QEMU's unit sends its event with a delivery mode that no APIC takes
// (011b), and the model sends the true one.
#define FEDATA_NOWHERE 0x300
#define FEDATA_BITS BITS32(15, 0)
static uint32_t feuaddr, fedata; // as the guest wrote them
static bool extended_mode;       // ECAP.EIM; without it FEUADDR is reserved

const char *fault_name(enum fault_reason reason)
{
    switch (reason) {
    case FAULT_REQUEST_RESERVED:
        return "reserved bits in the request";
    case FAULT_NOT_PRESENT:
        return "entry not present";
    case FAULT_IRTE_RESERVED:
        return "reserved bits in the entry";
    case FAULT_COMPATIBILITY:
        return "compatibility format";
    case FAULT_SOURCE_ID:
        return "source id mismatch";
    case FAULT_DESCRIPTOR_ACCESS:
        return "descriptor not in memory";
    case FAULT_DESCRIPTOR_RESERVED:
        return "reserved bits in the descriptor";
    default:
        return NULL;
    }
}

void faults_init(void)
{
    uint64_t cap = stock_read64(REG_CAP);
    records_offset = (uint32_t)field_get(CAP_FRO, cap) * 16;
    records = (uint32_t)field_get(CAP_NFR, cap) + 1;
    extended_mode = stock_read64(REG_ECAP) & ECAP_EIM;
    edits = calloc(records, sizeof(*edits));
    if (!edits)
        refuse("out of memory");
}

// What was recorded goes with the records, which QEMU clears.
void faults_reset(void)
{
    feuaddr = fedata = 0;
}

// ---- the event ----

static uint32_t fault_status(void)
{
    return stock_read(REG_FSTS) & (FSTS_PFO | FSTS_PPF | FSTS_IQE);
}

struct fault_event fault_event_before(void)
{
    if (!feuaddr)
        return (struct fault_event){ 0 };
    return (struct fault_event){ fault_status(), stock_read(REG_FECTL) };
}

// QEMU's unit has sent its event if it either was the first fault, or was pending, and is neither
// masked nor pending now. (Pending also ends where software clears the status: then it is zero.)
void fault_event_after(struct fault_event before)
{
    if (!feuaddr)
        return;
    struct fault_event now = fault_event_before();
    bool due = (!before.status && now.status) || (before.control & FECTL_IP);
    if (due && now.status && !(now.control & (FECTL_IP | FECTL_IM)))
        apic_send((uint64_t)feuaddr << 32 | stock_read(REG_FEADDR), fedata);
}

static void write_event_message(uint32_t upper, uint32_t data)
{
    feuaddr = upper;
    fedata = data & FEDATA_BITS;
    stock_write(REG_FEDATA, feuaddr ? FEDATA_NOWHERE : fedata);
}

// ---- the records ----

static uint32_t record_offset(uint32_t record, uint32_t word)
{
    return records_offset + record * FRCD_SIZE + word * 4;
}

static bool record_pending(uint32_t record)
{
    return stock_read(record_offset(record, FRCD_WORD_REASON)) & FRCD3_F;
}

// A record that software has freed belongs to the next fault, whoever reports it.
static void update_edits(void)
{
    for (uint32_t i = 0; i < records; i++) {
        edits[i].was_pending = record_pending(i);
        if (!edits[i].was_pending)
            edits[i].reason = FAULT_NONE;
    }
}

static void edit_new_record(enum fault_reason reason, uint16_t index)
{
    for (uint32_t i = 0; i < records; i++)
        if (!edits[i].was_pending && record_pending(i))
            edits[i] = (struct edit){ reason, index, true };
}

// The upper address bits repeat reason and index: they show in the message that QEMU prints.
static qemu_result make_record(enum fault_reason reason, uint16_t index, struct qemu_attrs attrs)
{
    uint64_t upper = (uint64_t)reason << 24 | index;
    return stock_request(upper << 32, 0, attrs);
}

static void tell_once(enum fault_reason reason, uint16_t index, struct qemu_attrs attrs)
{
    uint32_t source = (uint32_t)field_get(QEMU_ATTRS_REQUESTER_ID, attrs.fields);
    if (stats.faults[reason] > 1)
        return;
    fprintf(stderr, MODEL_NAME ": fault %02xh, %s: index %u", reason, fault_name(reason), index);
    if (!attrs.unspecified)
        fprintf(stderr, ", from %02x:%02x.%u", source >> 8, source >> 3 & 0x1f, source & 7);
    fprintf(stderr, " (told once)\n");
}

void fault_count(enum fault_reason reason, bool hidden)
{
    if (hidden)
        stats.hidden_faults++;
    else
        stats.faults[reason]++;
}

qemu_result fault_report(enum fault_reason reason, uint16_t index, bool hidden,
                         struct qemu_attrs attrs)
{
    plant_in_fault(&reason, &index, &hidden, &attrs);
    fault_count(reason, hidden);
    if (hidden)
        return QEMU_ERROR;
    tell_once(reason, index, attrs);
    update_edits();
    struct fault_event before = fault_event_before();
    qemu_result result = make_record(reason, index, attrs);
    edit_new_record(reason, index);
    fault_event_after(before);
    return result;
}

static uint32_t edited(const struct edit *e, uint32_t word, uint32_t value)
{
    bool has_index = e->reason != FAULT_REQUEST_RESERVED && e->reason != FAULT_COMPATIBILITY;
    if (word == FRCD_WORD_INDEX && has_index)
        field_set(&value, FRCD1_INDEX, e->index);
    if (word == FRCD_WORD_REASON)
        field_set(&value, FRCD3_FR, e->reason);
    return value;
}

uint32_t faults_read(uint32_t offset)
{
    if (offset == REG_FEDATA)
        return fedata;
    if (offset == REG_FEUADDR)
        return feuaddr;
    uint32_t value = stock_read(offset);
    if (offset < records_offset || offset >= record_offset(records, 0))
        return value;
    update_edits();
    uint32_t i = (offset - records_offset) / FRCD_SIZE;
    return edits[i].reason ? edited(&edits[i], offset % FRCD_SIZE / 4, value) : value;
}

void faults_write(uint32_t offset, uint32_t value)
{
    if (offset == REG_FEUADDR && extended_mode) {
        write_event_message(value, fedata);
    } else if (offset == REG_FEDATA) {
        write_event_message(feuaddr, value);
    } else {
        struct fault_event before = fault_event_before();
        stock_write(offset, value);
        fault_event_after(before);
    }
    update_edits();
}
