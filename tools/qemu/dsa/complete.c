// SPDX-License-Identifier: BSD-2-Clause
#include "tools/qemu/dsa/complete.h"

#include "tools/qemu/strict.h"

struct ending {
    const struct dsa_descriptor *work;
    struct dsa_result result;
    bool good;       // succeeded, so that a record is written only where it was asked for
    bool has_record; // to be written
    int vector;      // of the interrupt, or -1
    uint8_t record[RECORD_BYTES];
};

static bool is_success(uint8_t status)
{
    return status == STATUS_SUCCESS || status == STATUS_FALSE || status == STATUS_BATCH_FAILED;
}

static bool writes_destination(const struct dsa_descriptor *w)
{
    uint8_t op = descriptor_operation(w);
    return op == OP_MOVE || op == OP_FILL || op == OP_COPY_CRC;
}

// ---- what is planted ----

static void corrupt(struct dsa *d, const struct dsa_descriptor *w, struct dsa_result *r)
{
    uint8_t byte;
    uint64_t at = descriptor_destination(w);
    r->value ^= 1;
    r->result ^= descriptor_operation(w) == OP_COMPARE;
    if (!writes_destination(w) || !dsa_dma(d, at, &byte, 1, false))
        return;
    byte ^= 0xff;
    dsa_dma(d, at, &byte, 1, true);
}

static void falsify(struct dsa *d, const struct dsa_descriptor *w, struct dsa_result *r)
{
    if (r->status != STATUS_SUCCESS)
        return;
    if (dsa_planted(d, DSA_PLANT_FAULT))
        *r = (struct dsa_result){ .status = STATUS_PAGE_FAULT | STATUS_WRITE,
                                  .address = descriptor_destination(w) };
    else if (dsa_planted(d, DSA_PLANT_ERROR))
        *r = (struct dsa_result){ .status = STATUS_READ_ERROR };
    else if (dsa_planted(d, DSA_PLANT_CORRUPT))
        corrupt(d, w, r);
}

// ---- parts of the end ----

static void fill_record(struct ending *e)
{
    const struct dsa_result *r = &e->result;
    memset(e->record, 0, sizeof(e->record));
    e->record[0] = r->status;
    e->record[1] = r->result;
    memcpy(e->record + 4, &r->bytes, sizeof(r->bytes));
    memcpy(e->record + 8, &r->address, sizeof(r->address));
    memcpy(e->record + 16, &r->value, sizeof(r->value));
}

static int completion_vector(const struct dsa *d, const struct dsa_descriptor *w, uint8_t status)
{
    if (!(descriptor_flags(w) & FLAG_INTERRUPT) || status == STATUS_HANDLE)
        return -1;
    int vector = dsa_vector_of(d, descriptor_handle(w), w->ims);
    return vector >= 0 && (d->permissions[vector] & PERMISSION_IGNORE) ? -1 : vector;
}

static void tell_breach(struct dsa *d, const struct dsa_descriptor *w, uint8_t status)
{
    bool theirs =
        status >= STATUS_OPERATION && status < STATUS_READ_ERROR && status != STATUS_RECORD_FAULT;
    if (status == STATUS_HANDLE && dsa_handle_was_revoked(d, w))
        theirs = false;
    if (theirs)
        strict_breach(RULE_DSA_DESCRIPTOR, "%s: operation %#x in queue %u failed with %#x",
                      dsa_name(d), descriptor_operation(w), w->wq, status);
}

static void report_error(struct dsa *d, const struct ending *e, uint8_t status)
{
    uint64_t flags = 0;
    uint32_t info = 0;
    if (status == STATUS_FLAGS)
        info = (uint32_t)e->result.value;
    if (status == STATUS_HANDLE) {
        flags |= SWERROR_INFO_VALID;
        info = descriptor_handle(e->work);
    }
    if (status & STATUS_WRITE)
        flags |= SWERROR_WRITE;
    dsa_software_error(d, status & BITS32(5, 0), e->work, flags, info, e->result.address);
}

// Software sets the status to zero first, to see the record arrive (3.6).
static void check_cleared(struct dsa *d, const struct dsa_descriptor *w)
{
    uint8_t status = 0;
    if (strict_on() && !d->plant && dsa_dma(d, descriptor_record(w), &status, 1, false) && status)
        strict_breach(RULE_DSA_RECORD_CLEAR, "%s: the record at %#llx has status %#x", dsa_name(d),
                      (unsigned long long)descriptor_record(w), status);
}

static bool write_record(struct dsa *d, struct ending *e)
{
    if (!e->has_record)
        return true;
    check_cleared(d, e->work);
    if (dsa_planted(d, DSA_PLANT_GARBAGE))
        memset(e->record, 0xbf, sizeof(e->record));
    if (dsa_dma(d, descriptor_record(e->work), e->record, sizeof(e->record), true))
        return true;
    e->result.address = descriptor_record(e->work);
    report_error(d, e, STATUS_RECORD_FAULT | STATUS_WRITE);
    return false;
}

static void interrupt(struct dsa *d, const struct ending *e)
{
    if (e->vector >= 0 && !dsa_planted(d, DSA_PLANT_SILENT))
        dsa_interrupt(d, (unsigned)e->vector);
}

static void note_repeat(struct dsa *d, const struct ending *e)
{
    if (!dsa_planted(d, DSA_PLANT_TWICE))
        return;
    d->repeat = (struct dsa_repeat){ .due = true,
                                     .has_record = e->has_record,
                                     .has_interrupt = e->vector >= 0,
                                     .vector = (unsigned)e->vector,
                                     .record.address = descriptor_record(e->work) };
    memcpy(d->repeat.record.bytes, e->record, RECORD_BYTES);
    dsa_kick(d);
}

void dsa_complete_again(struct dsa *d)
{
    struct dsa_repeat *again = &d->repeat;
    if (!again->due)
        return;
    again->due = false;
    if (again->has_record)
        dsa_dma(d, again->record.address, again->record.bytes, RECORD_BYTES, true);
    if (again->has_interrupt)
        dsa_interrupt(d, again->vector);
}

static struct ending prepare(struct dsa *d, const struct dsa_descriptor *w, struct dsa_result r)
{
    struct ending e = { .work = w, .result = r, .good = is_success(r.status) };
    uint32_t flags = descriptor_flags(w);
    e.has_record = (flags & FLAG_RECORD_VALID) && (!e.good || (flags & FLAG_RECORD));
    e.vector = completion_vector(d, w, r.status);
    fill_record(&e);
    return e;
}

static void tell(struct dsa *d, const struct dsa_descriptor *w, struct dsa_result r)
{
    tell_breach(d, w, r.status);
    falsify(d, w, &r);
    struct ending e = prepare(d, w, r);
    d->statistics.completed++;
    d->statistics.failed += !e.good;
    if (dsa_planted(d, DSA_PLANT_NEVER))
        return;
    if (r.discard) {
        report_error(d, &e, r.status);
        return;
    }
    if (dsa_planted(d, DSA_PLANT_EARLY)) {
        interrupt(d, &e);
        e.vector = -1;
    }
    if (!write_record(d, &e))
        return;
    if ((!e.good && !e.has_record) || r.status == STATUS_HANDLE)
        report_error(d, &e, r.status);
    interrupt(d, &e);
    note_repeat(d, &e);
}

void dsa_complete(struct dsa *d, const struct dsa_descriptor *w, struct dsa_result r)
{
    tell(d, w, r);
    if (dsa_planted(d, DSA_PLANT_HALT))
        dsa_halt(d, RESET_SOFTWARE);
    if (dsa_planted(d, DSA_PLANT_REVOKE))
        dsa_revoke(d);
}
