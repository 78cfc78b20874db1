// SPDX-License-Identifier: BSD-2-Clause
// Submission and completion. Credits are kept here: a descriptor for a full queue would be dropped (3.3.2).

#include "drivers/dsa/queue.h"

#include "drivers/dsa/descriptor.h"
#include "drivers/dsa/device.h"
#include "drivers/dsa/portal.h"
#include "drivers/dsa/text.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/mark.h"

#define REAP_BUDGET 64

// Descriptors may overtake each other, in several engines and in one (3.9). What stands behind more late ones
// than these is found once one of them has ended, which has an interrupt of its own.
#define LATE_MOST 3

#define AGAIN_MOST 8

// ---- submission ----

// Places are a ring with room for twice the depth, so that one that takes long stops nobody.
static bool has_room(const struct dsa_queue *q)
{
    return q->in_flight < q->depth && q->tail - q->head <= q->mask;
}

static void write_portal(struct dsa_queue *q, const struct dsa_descriptor *d)
{
    volatile uint8_t *to = q->portal + q->slot;
    q->slot = (q->slot + sizeof(*d)) & (DSA_PORTAL_BYTES - 1);
    if (q->by_stores)
        dsa_eight_stores(to, d);
    else
        dsa_movdir64b(to, d);
}

static struct dsa_descriptor *descriptor(struct copy_req *req)
{
    return (struct dsa_descriptor *)(void *)req->words;
}

static inline void send(struct dsa_queue *q, struct copy_req *req)
{
    unsigned place = q->tail++ & q->mask;
    struct dsa_descriptor *d = descriptor(req);
    d->record = q->records_at + place * sizeof(struct dsa_record);
    d->handle = q->handle;
    q->records[place].status = 0;
    q->reqs[place] = req;
    q->in_flight++;
    write_portal(q, d);
}

static void enqueue(struct dsa_queue *q, struct copy_req *req)
{
    req->next = NULL;
    *q->waiting_end = req;
    q->waiting_end = &req->next;
}

static void send_waiting(struct dsa_queue *q)
{
    struct copy_req *req;
    while ((req = q->waiting) && !q->held && has_room(q)) {
        q->waiting = req->next;
        if (!q->waiting)
            q->waiting_end = &q->waiting;
        send(q, req);
    }
}

static void arrive(struct cpu_msg *msg)
{
    struct copy_req *req = container_of(msg, struct copy_req, msg);
    req->port->submit(req->port, req);
}

// Whoever isn't the owner, or has to wait. A forwarded request of a device that is gone ends where it
// came from.
static RARE void take_detour(struct dsa_queue *q, struct copy_req *req)
{
    unsigned owner = dsa_queue_owner(q);
    if (owner != cpu_index()) {
        req->msg.fn = arrive;
        cpu_post(owner, &req->msg);
    } else if (q->gone) {
        copy_fail_later(req, COPY_GONE, 0);
    } else {
        enqueue(q, req);
        send_waiting(q);
    }
}

bool dsa_queue_is_straight(const struct dsa_queue *q)
{
    return dsa_queue_owner(q) == cpu_index() && !q->held && !q->waiting;
}

void dsa_queue_submit(struct copy_port *port, struct copy_req *req)
{
    MARK_BEGIN("submit");
    struct dsa_queue *q = container_of(port, struct dsa_queue, port);
    if (unlikely(dsa_queue_owner(q) != cpu_index()) || unlikely(q->held) ||
        unlikely(q->waiting != NULL) || unlikely(!has_room(q))) {
        MARK_END("submit");
        return take_detour(q, req);
    }
    send(q, req);
    MARK_END("submit");
}

void dsa_queue_prepare(struct dsa_queue *q, struct copy_req *req)
{
    const struct dsa_completion to = { .interrupt = true, .cache = q->device->caps.cache_control };
    struct dsa_descriptor *d = descriptor(req);
    req->port = &q->port;
    if (req->op == COPY_MOVE)
        dsa_build_move(d, &to, mem_phys(req->to), mem_phys(req->from), req->bytes);
    else if (req->op == COPY_FILL)
        dsa_build_fill(d, &to, mem_phys(req->to), req->pattern, req->bytes);
    else if (req->op == COPY_CRC32C)
        dsa_build_crc(d, &to, mem_phys(req->from), req->seed, req->bytes);
    else if (req->op == COPY_COMPARE)
        dsa_build_compare(d, &to, mem_phys(req->from), mem_phys(req->to), req->bytes);
    else
        dsa_build_noop(d, &to);
}

// ---- completion ----

static void back_home(struct cpu_msg *msg)
{
    struct copy_req *req = container_of(msg, struct copy_req, msg);
    if (req->status == COPY_OK)
        req->done(req);
    else
        copy_fail(req, req->status, req->detail);
}

static RARE void send_home(struct copy_req *req)
{
    if (req->op == DSA_IS_BATCH)
        return req->done(req);
    req->msg.fn = back_home;
    cpu_post(req->cpu, &req->msg);
}

static void fail_request(struct copy_req *req, enum copy_status status, uint32_t detail)
{
    req->status = status;
    req->detail = detail;
    if (req->cpu != cpu_index() || req->op == DSA_IS_BATCH)
        send_home(req);
    else
        copy_fail(req, status, detail);
}

static void tell(struct dsa_queue *q, const struct copy_req *req, const struct dsa_record *record)
{
    char text[DSA_TEXT_BYTES];
    unsigned code = record->status & DSA_STATUS_CODE;
    uint64_t bit = BIT64(code);
    if (q->told & bit || code == DSA_BATCH_FAILED) // its descriptors tell
        return;
    q->told |= bit;
    warn("dsa-descriptor", "%s: WQ %u: %s", q->device->label, q->number,
         dsa_describe_record((const void *)req->words, record, q->device->caps.fault_info, text));
}

// A handle that was revoked meanwhile: the descriptor did nothing (3.7), and goes out again with the
// one that comes with the queue's release.
static bool goes_again(struct dsa_queue *q, struct copy_req *req, unsigned code)
{
    if (code != DSA_BAD_HANDLE || !q->device->caps.asks_handles || q->again > AGAIN_MOST)
        return false;
    q->held = true;
    req->next = q->waiting;
    if (!q->waiting)
        q->waiting_end = &req->next;
    q->waiting = req;
    return true;
}

static RARE void end_badly(struct dsa_queue *q, struct copy_req *req,
                           const struct dsa_record *record)
{
    unsigned code = record->status & DSA_STATUS_CODE;
    if (goes_again(q, req, code))
        return;
    tell(q, req, record);
    fail_request(req, COPY_ERROR, code);
}

// Which a device may place wherever it likes.
static RARE void take_difference(struct copy_req *req, const struct dsa_record *record)
{
    req->differs = record->result & 1;
    req->differs_at = req->differs ? MIN(record->bytes_done, req->bytes - 1) : 0;
}

static inline void end_well(struct dsa_queue *q, struct copy_req *req,
                            const struct dsa_record *record)
{
    q->again = 0;
    req->status = COPY_OK;
    if (req->op >= COPY_CRC32C) {
        req->crc = record->crc;
        if (req->op == COPY_COMPARE)
            take_difference(req, record);
    }
    if (unlikely(req->cpu != cpu_index()))
        send_home(req);
    else
        req->done(req);
}

// 0: it hasn't ended.
static inline uint8_t status_of(const struct dsa_record *record)
{
    return __atomic_load_n(&record->status, __ATOMIC_ACQUIRE);
}

static inline void end_one(struct dsa_queue *q, unsigned place, uint8_t status)
{
    struct copy_req *req = q->reqs[place];
    q->reqs[place] = NULL;
    q->in_flight--;
    if (likely(status == DSA_OK))
        end_well(q, req, &q->records[place]);
    else
        end_badly(q, req, &q->records[place]);
}

void dsa_queue_end_member(struct dsa_queue *q, struct copy_req *req,
                          const struct dsa_record *record)
{
    if (record->status == DSA_OK)
        end_well(q, req, record);
    else
        end_badly(q, req, record);
}

void dsa_queue_fail_member(struct copy_req *req, enum copy_status status, uint32_t detail)
{
    fail_request(req, status, detail);
}

static void drop_ended(struct dsa_queue *q)
{
    while (q->head != q->tail && !q->reqs[q->head & q->mask])
        q->head++;
}

// Past the oldest one, which isn't there yet, and up to so many more that aren't.
static unsigned reap_ahead(struct dsa_queue *q, unsigned last, unsigned most, unsigned late)
{
    const struct dsa_record *records = q->records;
    unsigned count = 0, mask = q->mask;
    for (unsigned at = q->head + 1; at != last && count < most; at++) {
        uint8_t status = status_of(&records[at & mask]);
        if (!status && !late--)
            break;
        if (!status || !q->reqs[at & mask])
            continue;
        end_one(q, at & mask, status);
        count++;
    }
    return count;
}

// Of those that are out now, the oldest ones end first, as a rule. What goes out meanwhile has an interrupt
// of its own, which would then come for nothing.
static unsigned reap(struct dsa_queue *q, unsigned most, unsigned late)
{
    unsigned count = 0;
    const unsigned last = q->tail;
    for (; q->head != last && count < most; q->head++) {
        unsigned place = q->head & q->mask;
        uint8_t status = status_of(&q->records[place]);
        if (!status)
            return count + reap_ahead(q, last, most - count, late);
        if (unlikely(!q->reqs[place]))
            continue;
        end_one(q, place, status);
        count++;
    }
    return count;
}

unsigned dsa_queue_reap(struct dsa_queue *q, unsigned most)
{
    unsigned count = reap(q, most, LATE_MOST);
    if (unlikely(q->waiting != NULL))
        send_waiting(q);
    return count;
}

unsigned dsa_queue_reap_all(struct dsa_queue *q)
{
    unsigned count = reap(q, UINT32_MAX, UINT32_MAX);
    if (q->waiting)
        send_waiting(q);
    return count;
}

void dsa_queue_interrupt(void *queue)
{
    struct dsa_queue *q = queue;
    if (unlikely(dsa_queue_owner(q) != cpu_index()))
        return;
    MARK_BEGIN("reap");
    cpu_begin_batch();
    unsigned count = dsa_queue_reap(q, REAP_BUDGET);
    MARK_END("reap");
    if (unlikely(count >= REAP_BUDGET))
        irq_again(q->irq);
}

// ---- another owner: as in drivers/nvme/move.c ----

bool dsa_queue_pass_on(struct dsa_queue *q, struct cpu_msg *msg)
{
    unsigned owner = dsa_queue_owner(q);
    if (owner == cpu_index())
        return false;
    cpu_post(owner, msg);
    return true;
}

static void adopt(struct cpu_msg *msg)
{
    struct dsa_queue *q = container_of(msg, struct dsa_queue, adopt);
    if (dsa_queue_pass_on(q, msg))
        return;
    q->adopting = false;
    if (dsa_queue_reap(q, REAP_BUDGET) == REAP_BUDGET)
        irq_again(q->irq);
}

// What completed in between had its interrupt on one of the two, where it may have been passed over: the
// new owner looks once in any case.
void dsa_queue_moved(void *queue, unsigned cpu)
{
    struct dsa_queue *q = queue;
    bool adopting = q->adopting;
    if (q->leave)
        q->leave(q);
    q->adopting = true;
    __atomic_store_n(&q->cpu, cpu, __ATOMIC_RELEASE); // not ours from here on
    if (!adopting)
        cpu_post(cpu, &q->adopt);
}

// ---- when the device is in trouble ----

void dsa_queue_hold(struct dsa_queue *q)
{
    q->held = true;
    dsa_queue_reap_all(q);
}

static void end_in_flight(struct dsa_queue *q, enum copy_status status, uint32_t detail)
{
    for (drop_ended(q); q->head != q->tail; drop_ended(q)) {
        unsigned place = q->head++ & q->mask;
        struct copy_req *req = q->reqs[place];
        q->reqs[place] = NULL;
        q->in_flight--;
        fail_request(req, status, detail);
    }
}

void dsa_queue_release(struct dsa_queue *q, uint16_t handle, uint32_t detail)
{
    if (q->gone)
        return;
    dsa_queue_reap_all(q);
    q->handle = handle;
    end_in_flight(q, COPY_ERROR, detail);
    q->looks = 0;
    q->again++;
    q->held = false;
    send_waiting(q);
}

void dsa_queue_end(struct dsa_queue *q)
{
    struct copy_req *req;
    q->held = true;
    dsa_queue_reap_all(q);
    q->gone = true;
    end_in_flight(q, COPY_GONE, 0);
    while ((req = q->waiting)) {
        q->waiting = req->next;
        if (!q->waiting)
            q->waiting_end = &q->waiting;
        fail_request(req, COPY_GONE, 0);
    }
}

// ---- creation ----

struct dsa_queue *dsa_queue_create(struct dsa_device *d, unsigned number, unsigned cpu,
                                   unsigned depth)
{
    struct dsa_queue *q = mem_alloc(sizeof(*q), CACHE_LINE, cpu_node(cpu));
    unsigned places = 1;
    while (places < 2 * depth)
        places *= 2;
    q->port.submit = dsa_queue_submit;
    q->cpu = cpu;
    q->mask = places - 1;
    q->depth = depth;
    q->number = number;
    q->device = d;
    q->by_stores = d->by_stores;
    q->portal = mmio_at(d->portals, number * DSA_PORTALS_BYTES);
    q->records = mem_alloc_dma(places * sizeof(*q->records), CACHE_LINE, cpu_node(cpu));
    q->records_at = mem_phys(q->records);
    q->reqs = mem_alloc(places * sizeof(struct copy_req *), CACHE_LINE, cpu_node(cpu));
    q->waiting_end = &q->waiting;
    q->adopt.fn = adopt;
    return q;
}
