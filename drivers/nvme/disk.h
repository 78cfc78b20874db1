// SPDX-License-Identifier: BSD-2-Clause
// Block requests on their way through a controller's I/O queues. All functions: the queue's owner,
// from its loop, except as noted.
//
// The straight path is a prepared request that is one command without a PRP list, on a queue that
// the submitting CPU owns and that has a free slot. All else takes the detour: it is split, waits
// for slots, or goes to the queue's owner.
#pragma once

#include "drivers/nvme/copy.h"
#include "drivers/nvme/ctrl.h"
#include "drivers/nvme/pieces.h"
#include "drivers/nvme/recover_plan.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/block.h"

#define NVME_REAP_BUDGET 64 // completions for one interrupt, before other queues have their turn

// What the watch over a queue remembers.
struct nvme_watch {
    struct nvme_pause pause;
    unsigned late;    // commands whose time is up, when they were last counted,
    unsigned late_id; // the first of them,
    bool progress;    // and whether any had completed since the last reset
    uint32_t lost_interrupts;
};

// What a namespace's format and limits ask of the commands of an operation.
struct nvme_form {
    struct nvme_cuts cuts;
    uint64_t mptr;     // the buffer of metadata; 0: none
    uint32_t control;  // CDW12, without NLB and FUA
    uint64_t tag_mask; // of the first LBA: its reference tag
};

// How a namespace is formatted, as Identify has it.
struct nvme_formatted {
    uint32_t lbaf;
    uint8_t flbas, dps;
};

struct nvme_ns {
    uint64_t head; // NSID, in its place in a command
    uint32_t block_shift;
    struct nvme_form forms[BLOCK_OPS];
    struct nvme_copy copy;
    // The controller's, by channel and CPU; seldom another than channel 0.
    struct nvme_queue **queue_of[BLOCK_CHANNELS];

    struct nvme_ctrl *ctrl;
    struct nvme_ns *next;
    bool known; // to the block layer
    struct nvme_identity identity;
    uint8_t nguid[16], eui64[8]; // as Identify Namespace has them
    struct nvme_zoned zoned;     // zeros: it isn't
    struct nvme_formatted formatted;
    uint8_t protection;      // type; 0: none
    enum nvme_ana_state way; // 0: not told
    struct block_dev dev;
};

struct nvme_queue {
    struct block_port straight;
    struct nvme_qpair qp;

    struct block_stream *stream; // of straight requests; NULL: none
    struct block_turn *turns;    // room for a batch of its requests
    struct block_port bounded;   // straight, as long as no boundary is crossed
    struct block_port lengthy;   // never straight
    struct nvme_ctrl *ctrl;
    struct block_req *waiting, *waiting_last; // for a slot, in order
    uint64_t **lists;    // by slot, for what takes more than two pages: made when first needed
    uint32_t list_bytes; // of one: a power of two, so that none crosses a page
    unsigned dma_node;
    struct cpu_msg adopt; // "it is yours"
    bool adopting;        // that message is under way
    bool quiet;           // the controller is being reset, or is gone:
    bool gone;
    bool in_full;            // see nvme_queue_write_in_full()
    bool zoned;              // all completions are looked at: some say where data went
    uint16_t failures;       // commands whose failure was shown
    uint32_t retries;        // commands that failed, and whose requests were tried again
    struct block_req *later; // to be tried again, by when
    struct cpu_timer retry;
    struct nvme_watch watch; // watch.c's
    struct irq *irq;
    bool has_cq, has_sq;        // as far as it was created
    struct nvme_queue *instead; // nvme_queue_stands_in()
} __attribute__((aligned(CACHE_LINE)));
static_assert(offsetof(struct nvme_queue, qp.cq) == CACHE_LINE, "submission's line");

// Makes the queue in memory, for commands of up to max_transfer bytes. Boot CPU.
struct nvme_queue *nvme_queue_create(struct nvme_ctrl *c, const struct nvme_qpair_config *config,
                                     uint64_t max_transfer);

// The queue for a CPU's request.
static inline struct nvme_queue *nvme_queue_for(const struct nvme_ns *ns,
                                                const struct block_req *req, unsigned cpu)
{
    return ns->queue_of[req->channel][cpu];
}

// After a reset there may be fewer queues than before. Those that aren't there stay quiet, and pass on
// what comes to them to one that is; NULL: it is there itself. Any CPU.
static inline struct nvme_queue *nvme_queue_stands_in(const struct nvme_queue *q)
{
    return __atomic_load_n(&q->instead, __ATOMIC_ACQUIRE);
}

// From now on, commands on the queue have all their fields written: a command before them may have
// had some that they have not. The queue's owner, or the boot CPU before there are requests.
void nvme_queue_write_in_full(struct nvme_queue *q);

// And completions are looked at, since those of appends say where the data went. Likewise.
void nvme_queue_serve_zones(struct nvme_queue *q);

// block_dev.prepare. Any CPU.
void nvme_prepare(struct block_req *req);

// block_dev.open_stream and close_stream. The queue's owner.
bool nvme_open_stream(struct block_req *req, struct block_stream *stream);
void nvme_close_stream(struct block_req *req);

// Ends all commands that the controller has completed, in its order; their done() runs within.
// Returns how many entries it consumed.
unsigned nvme_queue_reap(struct nvme_queue *q);

// An irq_handler; arg is the queue. Reaps NVME_REAP_BUDGET entries; with more left, the irq stays
// ready. Any CPU: one that isn't the owner leaves them to the adoption that follows.
void nvme_queue_interrupt(void *arg);

// For a message to the owner: where that is another CPU by now, sends it there and returns true.
// Any CPU.
bool nvme_queue_pass_on(const struct nvme_queue *q, struct cpu_msg *msg);

// ---- resets: quiet, then take back, then open ----

// Serves what was answered; from then on, nothing goes to the controller or comes from it, and what
// is submitted waits.
void nvme_queue_quiet(struct nvme_queue *q);

// The controller is disabled. What was in flight waits anew; but what was late ends as
// BLOCK_TIMEOUT.
void nvme_queue_take_back(struct nvme_queue *q);

// It goes on, or, where it isn't there any more, another one with what waits.
void nvme_queue_open(struct nvme_queue *q);

// A quiet queue's controller is gone, and reaches no memory any more: all ends as BLOCK_GONE, now and
// from now on.
void nvme_queue_end(struct nvme_queue *q);

// The requests of the queue will end on another CPU than they were submitted by. The last owner.
void nvme_queue_send_back(struct nvme_queue *q);

// ---- move.c ----

// An irq_moved; arg is the queue. Not from within a function of this header.
void nvme_queue_moved(void *arg, unsigned cpu);

// Prepares the "it is yours" message. Any CPU.
void nvme_move_init(struct nvme_queue *q);
