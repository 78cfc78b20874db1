// SPDX-License-Identifier: BSD-2-Clause
// A dedicated work queue: it belongs to one CPU, whose it is to submit and to look for completions.
#pragma once

#include "drivers/dsa/dsa_regs.h"
#include "kernel/cpu/msg.h"
#include "kernel/irq/irq.h"
#include "kernel/run/copy.h"

struct dsa_device;
struct dsa_batcher;

struct dsa_queue {
    struct copy_port port;
    // The owner's, and hot.
    unsigned cpu; // who the owner is: read by all
    uint16_t handle;
    bool by_stores;
    bool held; // nothing goes out
    bool gone;
    unsigned slot;       // of the portal's page, which writes take in turn
    unsigned head, tail; // places of requests in flight, some of which may have ended
    unsigned mask;
    unsigned in_flight, depth;
    volatile uint8_t *portal;
    struct dsa_record *records;
    uint64_t records_at;    // physical
    struct copy_req **reqs; // by place; NULL: ended ahead of its turn
    struct copy_req *waiting, **waiting_end;

    // The rest.
    struct dsa_batcher *batcher;        // batch.c's; NULL: there were no batches yet
    void (*leave)(struct dsa_queue *q); // NULL, or what there is to do before another one owns it
    struct dsa_device *device;
    unsigned number;
    struct irq *irq;
    struct cpu_msg adopt; // to a new owner
    bool adopting;
    struct cpu_msg round; // events.c's: to the owner and back,
    struct cpu_msg look;  // for a lost interrupt,
    struct cpu_msg last;  // and when the device is gone
    void (*work)(struct dsa_queue *q);
    bool looking;
    uint16_t fresh;        // handle from the round's end on
    unsigned ended_before; // at the last look
    unsigned looks;        // in which nothing ended, and something should have
    uint64_t told;         // codes of completion records that were told of
    unsigned again;        // times in a row that a handle was revoked under a request
};

struct dsa_queue *dsa_queue_create(struct dsa_device *d, unsigned number, unsigned cpu,
                                   unsigned depth);

static inline unsigned dsa_queue_owner(const struct dsa_queue *q)
{
    return __atomic_load_n(&q->cpu, __ATOMIC_ACQUIRE);
}

// The port's usual way in: a descriptor for each request.
void dsa_queue_submit(struct copy_port *port, struct copy_req *req);

// True where nothing stands in the way of what the calling CPU submits.
bool dsa_queue_is_straight(const struct dsa_queue *q);

// A batch is submitted as a request with this operation, whose done() ends its members. It is called on the
// queue's owner, whoever submitted it, and where it failed as well.
#define DSA_IS_BATCH COPY_OPS
// A member's end: by its completion record, or without one. Owner.
void dsa_queue_end_member(struct dsa_queue *q, struct copy_req *req,
                          const struct dsa_record *record);
void dsa_queue_fail_member(struct copy_req *req, enum copy_status status, uint32_t detail);

// Fills in the request for this queue. Any CPU.
void dsa_queue_prepare(struct dsa_queue *q, struct copy_req *req);

// Ends what has a completion record, up to so many, but for what has overtaken many older ones; and all
// that has one. Returns how many. Owner.
unsigned dsa_queue_reap(struct dsa_queue *q, unsigned most);
unsigned dsa_queue_reap_all(struct dsa_queue *q);
// The same, as its interrupt's handler; and when that has moved.
void dsa_queue_interrupt(void *queue);
void dsa_queue_moved(void *queue, unsigned cpu);

// True where the calling CPU isn't the owner any more: the message goes after the queue.
bool dsa_queue_pass_on(struct dsa_queue *q, struct cpu_msg *msg);

// Nothing goes out any more; requests wait. Owner.
void dsa_queue_hold(struct dsa_queue *q);
// The device has nothing more to say of what went out before: what has no record by now is lost. Owner.
void dsa_queue_release(struct dsa_queue *q, uint16_t handle, uint32_t detail);
// The device is gone: all requests end, and so do those to come. Owner.
void dsa_queue_end(struct dsa_queue *q);
