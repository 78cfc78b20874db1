// SPDX-License-Identifier: BSD-2-Clause
// A queue pair: one submission and one completion queue, owned by one CPU. Nobody else touches it,
// so there are no locks. All functions: owner CPU, from its loop. It can change its owner: see
// move.c.
//
// A command holds a slot, whose index is its command id, from submission to completion. There is
// one slot less than there are entries: a queue that has a free slot has a free entry as well.
#pragma once

#include "drivers/nvme/nvme_regs.h"
#include "drivers/nvme/prp.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/run/block.h"

#define NVME_QUEUE_ENTRIES 256 // at most, a power of two
#define NVME_NO_SLOT 0xffffu
#define NVME_WATCH_TICKS 8  // a time-out is noticed after 8 to 9 ticks of the watch
#define NVME_REAP_BUDGET 64 // completions for one interrupt, before other queues have their turn

struct nvme_ctrl;
struct nvme_ns;

struct nvme_slot {
    struct block_req *req; // NULL: no command in flight, or one that was given up
    uint16_t next;         // free list
    uint16_t epoch;        // the watch's tick when it was submitted
    bool dead;             // given up: the controller may still write to its buffer
};
static_assert(sizeof(struct nvme_slot) == 16, "indexed by a shift");

// Queues of one CPU whose new commands still need their doorbell.
struct nvme_cpu {
    struct nvme_queue *dirty;
} __attribute__((aligned(CACHE_LINE)));

struct nvme_queue {
    // What submission needs: the first line.
    struct nvme_read_sqe *sq; // constant fields were zeroed at creation and stay zero
    struct nvme_slot *slots;  // `entries` of them; the last is never used
    struct block_req *waiting, *waiting_last; // for a slot, in order
    struct nvme_cpu *home;
    struct nvme_queue *dirty_next;
    uint16_t sq_tail, sq_head;
    uint16_t mask;  // entries - 1
    uint16_t free;  // first free slot, or NVME_NO_SLOT
    uint32_t cpu;   // its owner; others read it too: nvme_queue_owner()
    uint16_t epoch; // ticks of the watch
    bool dirty;     // on home's list
    bool gone;      // the controller is

    // What reaping needs: the second line.
    alignas(CACHE_LINE) const struct nvme_cqe *cq;
    volatile void *cq_doorbell;
    uint64_t expect;  // SQID, and the phase tag that new entries have
    uint64_t foreign; // bits that must be as expected: SQID, and SQHD and CID past the queue
    uint32_t cq_head; // counts on: masked, it is the next entry
    uint32_t bad;     // completions that belong to no command
    volatile void *sq_doorbell;
    uint32_t watch_head; // cq_head at the watch's last tick
    bool watch_ready;    // and a completion lay there unreaped
    bool watched;        // the watch is running, or goes on at adoption
    uint16_t failures;   // commands whose failure was shown

    // The rest is for bring-up, long transfers and trouble.
    alignas(CACHE_LINE) struct nvme_ctrl *ctrl;
    uint64_t *lists; // PRP lists, one for each slot
    uint64_t lists_phys;
    uint32_t list_bytes; // of one: a power of two, so that none crosses a page
    uint16_t qid;
    bool urgent;             // its commands don't wait for the flush
    uint64_t watch_since_ns; // when the unreaped completion was first seen
    struct cpu_timer watch;
    struct cpu_msg end;   // "the controller is gone"
    struct cpu_msg adopt; // "it is yours"
    bool adopting;        // that message is under way
    struct irq *irq;      // NULL: the admin queue
};
static_assert(offsetof(struct nvme_queue, cq) == CACHE_LINE, "submission's line");
static_assert(offsetof(struct nvme_queue, ctrl) == 2 * CACHE_LINE, "reaping's line");

// Makes the queue in memory: qid, owner, `entries` (a power of two from 2 to NVME_QUEUE_ENTRIES),
// doorbells at `doorbell` and `stride` behind it, PRP lists for transfers of up to max_transfer
// bytes (0: no lists). Boot CPU.
struct nvme_queue_config {
    struct nvme_ctrl *ctrl;
    struct nvme_cpu *home;
    unsigned qid, cpu, entries, stride;
    unsigned node,
        dma_node; // for what the CPU alone uses, and for what the controller reads or writes
    bool urgent;
    uint64_t max_transfer;
    volatile void *doorbell;
};
struct nvme_queue *nvme_queue_create(const struct nvme_queue_config *config);

// block_dev.submit: takes a read on any CPU. It goes out at that CPU's next flush, or waits for a
// slot, or goes to the CPU that owns the queue.
void nvme_submit(struct block_req *req);

// Takes a ready-made command (its id is filled in) for `req` with pending = 1, and rings the
// doorbell. False: no slot is free.
bool nvme_queue_command(struct nvme_queue *q, struct nvme_sqe *sqe, struct block_req *req);

// Ends all commands that the controller has completed, in its order; their done() runs within.
// Serves interrupts and polling alike. Returns how many entries it consumed.
unsigned nvme_queue_reap(struct nvme_queue *q);

// An irq_handler; arg is the queue. Reaps NVME_REAP_BUDGET entries; with more left, the irq stays
// ready. Any CPU: one that isn't the owner leaves them to the adoption that follows.
void nvme_queue_interrupt(void *arg);

// An irq_moved; arg is the queue. Not from within a function of this header.
void nvme_queue_moved(void *arg, unsigned cpu);

// Who owns it. Any CPU; it may be another one the next moment, unless it is the calling CPU.
// Acquire: what the last owner wrote is read after it.
static inline unsigned nvme_queue_owner(const struct nvme_queue *q)
{
    return __atomic_load_n(&q->cpu, __ATOMIC_ACQUIRE);
}

// For a message to the owner: where that is another CPU by now, sends it there and returns true.
// Any CPU.
bool nvme_queue_pass_on(const struct nvme_queue *q, struct cpu_msg *msg);

// There is a completion that was not reaped yet.
bool nvme_queue_ready(const struct nvme_queue *q);

// Rings the doorbells of this CPU's queues, once each.
void nvme_queue_flush(struct nvme_cpu *home);

// ---- what queue.c has for request.c ----

// A free slot and a free entry.
static inline bool nvme_queue_has_room(const struct nvme_queue *q)
{
    return q->free != NVME_NO_SLOT && ((q->sq_tail + 1u) & q->mask) != q->sq_head;
}

// Writes the command of `req` for blocks [lba, lba + blocks) to memory at `phys`. Needs room.
void nvme_queue_issue(struct nvme_queue *q, const struct nvme_ns *ns, struct block_req *req,
                      uint64_t phys, uint64_t lba, uint32_t blocks);

// ---- what request.c has for queue.c and watch.c: all but the straight path ----

// A read that is longer than a page, or finds no room, or whose controller is gone.
void nvme_request_enqueue(struct nvme_queue *q, const struct nvme_ns *ns, struct block_req *req);

// A read for a queue that another CPU owns.
void nvme_request_forward(struct nvme_queue *q, struct block_req *req);

// Issues what waits, as far as there is room.
void nvme_request_pump(struct nvme_queue *q);

// One of its commands failed; `status` is the completion's status field.
void nvme_request_failed(struct nvme_queue *q, struct block_req *req, uint32_t status);

// All its commands have ended: done(), on the CPU that submitted it.
void nvme_request_return(struct block_req *req);

// Ends `commands` of its commands without an answer.
void nvme_request_give_up(struct nvme_queue *q, struct block_req *req, uint32_t commands,
                          enum block_status status);

// Gives up all that waits for a slot.
void nvme_request_give_up_waiting(struct nvme_queue *q, enum block_status status);

// Prepares the "it is yours" message. Any CPU.
void nvme_move_init(struct nvme_queue *q);

// ---- watch.c: time-outs, lost interrupts, controllers that are gone ----

// Starts the queue's watch, which goes on until the queue is empty.
void nvme_watch_start(struct nvme_queue *q);

// Prepares the queue's timer and its "controller is gone" message. Any CPU.
void nvme_watch_init(struct nvme_queue *q);

// Commands without an answer for so long are given up.
void nvme_watch_set_timeout(uint64_t ms);
uint64_t nvme_watch_timeout_ms(void);
