// SPDX-License-Identifier: BSD-2-Clause
// Errors that no completion record tells of, revoked handles and lost answers all take one way, a round
// to the owners of the device's queues:
//
//   hold     nothing goes out any more
//   drain    the device has said all it has to say of what went out before
//   release  what has no record by now is lost, and ends so; descriptors whose handle was revoked go out
//            anew, with the new one
//
// So each request ends once. A device that doesn't drain is gone, as one that has halted: its bus
// mastering goes off, and then everything ends as COPY_GONE.

#include "drivers/dsa/events.h"

#include "drivers/dsa/text.h"
#include "kernel/base/report.h"
#include "lib/format.h"
#include "lib/mmio.h"

#define HOME 0           // whose all this is
#define LATE_LOOKS 10    // seconds in which nothing ended
#define CAUSES_AT_ONCE 8 // of an interrupt, looked at in one go

enum {
    ERROR = 1,
    REVOKED = 2,
    LATE = 4,
};

// ---- gone ----

static void end_at_owner(struct cpu_msg *msg)
{
    struct dsa_queue *q = container_of(msg, struct dsa_queue, last);
    if (!dsa_queue_pass_on(q, msg))
        dsa_queue_end(q);
}

static void leave(struct dsa_device *d, const char *what, const char *sentence)
{
    if (d->gone)
        return;
    d->gone = true;
    warn(what, "%s: it isn't used any more; reset the machine", sentence);
    copy_remove(&d->copy);
    if (!pci_stop_bus_master(d->dev))
        warn("dsa-master", "%s: its bus mastering can't be turned off: it may go on writing",
             d->label);
    for (unsigned i = 0; i < d->count; i++)
        cpu_post(dsa_queue_owner(d->queues[i]), &d->queues[i]->last);
}

// False: it is gone.
static bool check_state(struct dsa_device *d)
{
    char text[DSA_TEXT_BYTES], sentence[DSA_TEXT_BYTES + sizeof(d->label)];
    uint32_t status = dsa_device_status(d);
    if (status == UINT32_MAX) {
        format_text(sentence, sizeof(sentence), "%s: its registers read all ones", d->label);
        leave(d, "dsa-silent", sentence);
    } else if (field_get(DSA_GENSTS_STATE, status) == DSA_STATE_HALTED) {
        format_text(sentence, sizeof(sentence), "%s: %s", d->label,
                    dsa_describe_halt(status, text));
        leave(d, "dsa-halted", sentence);
    }
    return !d->gone;
}

// ---- rounds ----

static void came_back(struct cpu_msg *msg)
{
    struct dsa_device *d = container_of(msg, struct dsa_queue, round)->device;
    if (--d->out)
        return;
    if (d->gone)
        d->in_round = false;
    else
        d->came_back(d);
}

static void at_owner(struct cpu_msg *msg)
{
    struct dsa_queue *q = container_of(msg, struct dsa_queue, round);
    if (dsa_queue_pass_on(q, msg))
        return;
    q->work(q);
    msg->fn = came_back;
    cpu_post(HOME, msg);
}

static void ask_owners(struct dsa_device *d, void (*work)(struct dsa_queue *q),
                       void (*then)(struct dsa_device *d))
{
    d->came_back = then;
    d->out = d->count;
    for (unsigned i = 0; i < d->count; i++) {
        struct dsa_queue *q = d->queues[i];
        q->work = work;
        q->round.fn = at_owner;
        cpu_post(dsa_queue_owner(q), &q->round);
    }
}

static void begin_round(struct dsa_device *d);

static void released(struct dsa_device *d)
{
    d->in_round = false;
    if (d->causes)
        begin_round(d);
}

static void release(struct dsa_queue *q)
{
    dsa_queue_release(q, q->fresh, q->device->error_code);
}

static bool renew_and_drain(struct dsa_device *d, struct problem *p)
{
    for (unsigned i = 0; i < d->count; i++) {
        struct dsa_queue *q = d->queues[i];
        if (d->renew && !dsa_device_handle(d, i + 1, &q->fresh, p))
            return false;
        if (!dsa_device_wq_command(d, DSA_DRAIN_WQ, i, p))
            return false;
    }
    return true;
}

static void drain(struct dsa_device *d)
{
    struct problem p;
    if (check_state(d) && renew_and_drain(d, &p))
        return ask_owners(d, release, released);
    if (!d->gone)
        leave(d, "dsa-stuck", p.message);
    d->in_round = false;
}

static void begin_round(struct dsa_device *d)
{
    d->in_round = true;
    d->renew = d->causes & REVOKED;
    if (!(d->causes & ERROR))
        d->error_code = COPY_DETAIL_LOST;
    d->causes = 0;
    for (unsigned i = 0; i < d->count; i++)
        d->queues[i]->fresh = d->queues[i]->handle;
    ask_owners(d, dsa_queue_hold, drain);
}

static void trouble(struct dsa_device *d, unsigned cause)
{
    d->causes |= cause;
    if (!d->in_round && !d->gone)
        begin_round(d);
}

// ---- what it tells ----

static void tell_error(struct dsa_device *d, const uint64_t words[DSA_SWERROR_WORDS], unsigned code)
{
    char text[DSA_TEXT_BYTES];
    d->errors++;
    if (d->told[code / 64] & BIT64(code % 64))
        return;
    d->told[code / 64] |= BIT64(code % 64);
    warn("dsa-error", "%s: %s", d->label, dsa_describe_error(words, text));
}

// The cause that it is for a round; 0: none. A descriptor whose handle was revoked is told of here as well
// as by its record (3.7), which is enough: new handles, asked for once more, would end those in use.
static unsigned take_error(struct dsa_device *d)
{
    uint64_t words[DSA_SWERROR_WORDS];
    for (unsigned i = 0; i < DSA_SWERROR_WORDS; i++)
        words[i] = mmio_read64(mmio_at(d->regs, DSA_SWERROR + 8 * i));
    if (!(words[0] & DSA_SWERROR_VALID))
        return 0;
    mmio_write64(mmio_at(d->regs, DSA_SWERROR), DSA_SWERROR_VALID | DSA_SWERROR_OVERFLOW);
    unsigned code = (unsigned)field_get(DSA_SWERROR_CODE, words[0]);
    if (code == DSA_BAD_HANDLE && d->caps.asks_handles)
        return 0;
    tell_error(d, words, code);
    d->error_code = code;
    return ERROR;
}

static unsigned note_revocation(struct dsa_device *d)
{
    if (!d->revoked++)
        info("%s: interrupt handles were revoked, and are asked for anew", d->label);
    return REVOKED;
}

static void take_causes(struct dsa_device *d, uint32_t causes)
{
    unsigned found = 0;
    if (causes & DSA_INTCAUSE_ERROR)
        found |= take_error(d);
    if (causes & DSA_INTCAUSE_REVOKED && d->caps.asks_handles)
        found |= note_revocation(d);
    if (found)
        trouble(d, found);
}

// Cleared before it is looked at: what comes after that interrupts anew. One that says the same without
// end has eight turns, and then the look of each second.
void dsa_events_interrupt(void *device)
{
    struct dsa_device *d = device;
    for (unsigned i = 0; i < CAUSES_AT_ONCE && check_state(d); i++) {
        uint32_t causes = mmio_read32(mmio_at(d->regs, DSA_INTCAUSE));
        if (!causes)
            return;
        mmio_write32(mmio_at(d->regs, DSA_INTCAUSE), causes);
        take_causes(d, causes);
    }
}

// ---- what it doesn't tell ----

static void look_at_owner(struct cpu_msg *msg)
{
    struct dsa_queue *q = container_of(msg, struct dsa_queue, look);
    if (dsa_queue_pass_on(q, msg))
        return;
    if (dsa_queue_reap_all(q))
        warn("dsa-lost", "%s: WQ %u: completions had no interrupt; they were found a second later",
             q->device->label, q->number);
    __atomic_store_n(&q->looking, false, __ATOMIC_RELEASE);
}

// The owner's counters, as they are at the moment.
static bool is_stuck(struct dsa_queue *q)
{
    unsigned in_flight = __atomic_load_n(&q->in_flight, __ATOMIC_RELAXED);
    unsigned ended = __atomic_load_n(&q->tail, __ATOMIC_RELAXED) - in_flight;
    bool stuck = ended == q->ended_before && in_flight;
    q->ended_before = ended;
    return stuck;
}

static void look_at_queue(struct dsa_device *d, struct dsa_queue *q)
{
    q->looks = is_stuck(q) ? q->looks + 1 : 0;
    if (__atomic_load_n(&q->held, __ATOMIC_RELAXED))
        return trouble(d, REVOKED); // a record told of it, and no interrupt did
    if (q->looks > LATE_LOOKS)
        return trouble(d, LATE);
    if (q->looks < 2 || __atomic_load_n(&q->looking, __ATOMIC_ACQUIRE))
        return;
    q->looking = true;
    cpu_post(dsa_queue_owner(q), &q->look);
}

void dsa_events_look(struct dsa_device *d)
{
    if (d->gone || d->in_round)
        return;
    dsa_events_interrupt(d);
    for (unsigned i = 0; i < d->count && !d->gone && !d->in_round; i++)
        look_at_queue(d, d->queues[i]);
}

void dsa_events_init(struct dsa_device *d)
{
    for (unsigned i = 0; i < d->count; i++) {
        d->queues[i]->look.fn = look_at_owner;
        d->queues[i]->last.fn = end_at_owner;
    }
}
