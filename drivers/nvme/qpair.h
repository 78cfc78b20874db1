// SPDX-License-Identifier: BSD-2-Clause
// A queue pair: one submission and one completion queue, their doorbells, and the slots of the
// commands in flight. It knows neither what the commands are for nor who waits for them. One CPU
// owns it, so there are no locks. All functions: owner CPU, from its loop, except as noted.
//
// A command holds a slot, whose index is its command id, from submission to completion. There is
// one slot less than there are entries, and a controller fetches a command before it completes it:
// where a slot is free, there is a free entry as well.
#pragma once

#include "drivers/nvme/nvme_regs.h"
#include "kernel/cpu/timer.h"
#include "lib/bits.h"
#include "lib/mmio.h"
#include "lib/types.h"

#define NVME_QUEUE_ENTRIES 256       // unless told, a power of two
#define NVME_QUEUE_ENTRIES_MOST 4096 // likewise
#define NVME_NO_SLOT 0xffffu
#define NVME_WATCH_TICKS 8 // a time-out is noticed after 8 to 9 ticks of the watch

struct nvme_slot {
    void *command; // NULL: none in flight
    uint16_t next; // free list
    uint32_t age;  // ticks of the watch since it was submitted
};
static_assert(sizeof(struct nvme_slot) == 16, "indexed by a shift");

// Queue pairs of one CPU whose new commands still need their doorbell.
struct nvme_home {
    struct nvme_qpair *dirty;
} __attribute__((aligned(CACHE_LINE)));

// A doorbell's place in memory, and what the controller says there of the value at which it wants to
// be told. Zeros: there is none, and it always does.
struct nvme_shadow {
    uint32_t *value, *event;
};

struct nvme_qpair {
    // What submission needs: a line, with the 8 bytes that disk.h has ahead of it.
    struct nvme_io_sqe *sq; // in every entry, what I/O commands leave zero stays zero; only written
    struct nvme_slot *slots; // `entries` of them; the last is never used
    struct nvme_home *home;
    struct nvme_qpair *dirty_next;
    volatile void *sq_doorbell;
    uint32_t cpu; // its owner; others read it too: nvme_qpair_owner()
    uint16_t sq_tail;
    uint16_t mask; // entries - 1
    uint16_t free; // first free slot, or NVME_NO_SLOT
    bool dirty;    // on home's list, or in a reap, which rings in the end
    bool urgent;   // commands don't wait for the flush
    bool watched;  // the watch is running, or goes on at adoption

    // What reaping needs: the next line.
    const struct nvme_cqe *cq; // one entry more than the queue has: the look ahead ends there
    volatile void *cq_doorbell;
    uint64_t expect;  // SQID, and the phase tag that new entries have
    uint64_t odd;     // bits of which any, not as expected, makes an entry worth a look
    uint32_t cq_head; // counts on: masked, it is the next entry
    uint32_t bad;     // completions that belong to no command
    const char *label;
    bool looks_at_all; // nvme_qpair_look_at_all()
    bool told_odd;
    struct nvme_cqe *ring; // the entries; `cq` is elsewhere while it is quiet

    struct nvme_shadow sq_shadow, cq_shadow;

    // The watch's.
    bool watch_ready;        // at its last tick, a completion lay there unreaped,
    uint32_t watch_head;     // cq_head was this,
    uint64_t watch_since_ns; // and the completion had been first seen then
    struct cpu_timer watch;  // fn: whoever watches
    uint16_t qid;

    uint64_t sq_address; // as the controller knows it
    bool sq_is_theirs;   // in the controller's memory
};

struct nvme_qpair_config {
    const char *label; // the controller's, for messages
    struct nvme_home *home;
    unsigned qid, cpu;
    unsigned entries;  // a power of two from 2 to NVME_QUEUE_ENTRIES_MOST
    unsigned stride;   // bytes from one doorbell to the next
    unsigned node;     // for what the CPU alone uses
    unsigned dma_node; // for what the controller reads or writes
    bool urgent;
    volatile void *doorbell; // the submission queue's
    // The controller's memory, uncached, for the submission queue, and its address there; NULL: it
    // is the host's.
    volatile void *sq;
    uint64_t sq_address;
    struct nvme_cqe
        *cq; // where it is to be, zeroed, one entry more than the queue has; NULL: anywhere
};

// Makes it in memory; *q is zeroed. Boot CPU.
void nvme_qpair_init(struct nvme_qpair *q, const struct nvme_qpair_config *config);

// Its submission queue, which nobody has used yet, is the host's after all.
void nvme_qpair_use_ram(struct nvme_qpair *q, unsigned dma_node);

// Who owns it. Any CPU; it may be another one the next moment, unless it is the calling CPU.
// Acquire: what the last owner wrote is read after it.
static inline unsigned nvme_qpair_owner(const struct nvme_qpair *q)
{
    return __atomic_load_n(&q->cpu, __ATOMIC_ACQUIRE);
}

// ---- submission ----

static inline bool nvme_qpair_has_room(const struct nvme_qpair *q)
{
    return q->free != NVME_NO_SLOT;
}

// Takes the first free slot, which is `id`, for a command.
static inline void nvme_qpair_take(struct nvme_qpair *q, unsigned id, void *command)
{
    struct nvme_slot *slot = &q->slots[id];
    q->free = slot->next;
    slot->command = command;
    slot->age = 0;
}

// A slot whose command is no more in flight.
static inline void nvme_qpair_free(struct nvme_qpair *q, struct nvme_slot *slot)
{
    slot->next = q->free;
    q->free = (uint16_t)(slot - q->slots);
}

// Hands over the entry at `tail`, which was sq_tail: it goes out with the next doorbell. True: nobody
// rings yet, so nvme_qpair_mark() is due.
static inline bool nvme_qpair_push(struct nvme_qpair *q, unsigned tail)
{
    q->sq_tail = (uint16_t)((tail + 1) & q->mask);
    return !q->dirty;
}

// Writes the entry at `tail`, all of it. Where it is the controller's memory, each store is a write on
// the bus, in order and ahead of the doorbell, since all of that is uncached (SDM vol. 3, 12.3).
static inline void nvme_qpair_write(struct nvme_qpair *q, unsigned tail,
                                    const struct nvme_io_sqe *sqe)
{
    volatile uint64_t *to = (volatile uint64_t *)&q->sq[tail];
    const uint64_t *from = (const uint64_t *)sqe;
    for (unsigned i = 0; i < sizeof(*sqe) / sizeof(*to); i++)
        to[i] = from[i];
}

// Sees to the doorbell: with the flush, or, on an urgent queue, at once.
void nvme_qpair_mark(struct nvme_qpair *q);

// Its watch, which goes on until the queue is empty, as long as commands don't end by themselves:
// `watch.fn` at each tick, NVME_WATCH_TICKS to a time-out.
void nvme_qpair_watch(struct nvme_qpair *q);

// Stores a doorbell's new value in its shadow. True: the register has to be written, too.
bool nvme_shadow_store(const struct nvme_shadow *shadow, uint32_t value);

static inline void nvme_doorbell(volatile void *doorbell, const struct nvme_shadow *shadow,
                                 uint32_t value)
{
    if (likely(!shadow->value) || nvme_shadow_store(shadow, value))
        mmio_write32(doorbell, value);
}

// Rings the submission queue's doorbell: there are new commands.
static inline void nvme_qpair_ring(struct nvme_qpair *q)
{
    nvme_doorbell(q->sq_doorbell, &q->sq_shadow, q->sq_tail);
    if (unlikely(!q->watched))
        nvme_qpair_watch(q);
}

// Takes a ready-made command (its id is filled in) and rings the doorbell at once. False: no slot is
// free.
bool nvme_qpair_command(struct nvme_qpair *q, struct nvme_sqe *sqe, void *command);

// Rings the doorbells of this CPU's queue pairs, once each.
void nvme_qpair_flush(struct nvme_home *home);

// ---- completion ----

// All that straight commands end with goes to `end`; to `look`, whatever needs one: a failure, an
// entry that isn't as it should be, or, where the owner asked for it, all. Both may submit; neither
// may reap. `tail` is the entry's second half, less what was expected: P is 0, SQID and SQHD are 0
// or in range unless something is wrong.
typedef void nvme_end_fn(struct nvme_qpair *q, void *command, const struct nvme_cqe *entry);
typedef void nvme_look_fn(struct nvme_qpair *q, uint64_t tail, const struct nvme_cqe *entry);

// One load takes phase tag, status and ids together: none can be older than the tag (NVMe Base 2.0,
// 3.3.3.2). Acquire: what the controller wrote before it, dword 0 and the data, is read after it.
static inline uint64_t nvme_cqe_tail(const struct nvme_cqe *entry)
{
    return __atomic_load_n(&entry->tail, __ATOMIC_ACQUIRE);
}

// So many entries, `next` being the index behind them.
static inline void nvme_qpair_consume(struct nvme_qpair *q, unsigned count, unsigned next)
{
    q->cq_head += count;
    if (unlikely(next > q->mask)) { // the next pass
        q->expect ^= NVME_CQE_P;
        next = 0;
    }
    nvme_doorbell(q->cq_doorbell, &q->cq_shadow, next);
}

// Nothing is left before the ring's end: what is new lies behind it.
static inline bool nvme_qpair_at_start(const struct nvme_qpair *q)
{
    return !(q->cq_head & q->mask);
}

// By the next entry's id, before that entry is known to be new: a guess costs nothing.
static inline void nvme_qpair_prefetch(const struct nvme_slot *slots, unsigned mask,
                                       const struct nvme_cqe *entry)
{
    __builtin_prefetch(slots[(entry->tail >> 32) & mask].command);
}

// Ends up to `most` of the commands that the controller has completed, in its order, but no further
// than to the ring's end; rings the completion queue's doorbell once. Returns how many entries it
// consumed: where these are as many as it could, there may be more. The submission queue is rung as
// well where commands were submitted within: they don't wait for what other queues completed. The
// queue's state is in memory before each end() and look(), but for cq_head.
static inline __attribute__((always_inline)) unsigned
nvme_qpair_reap(struct nvme_qpair *q, unsigned most, nvme_end_fn *end, nvme_look_fn *look)
{
    struct nvme_slot *slots = q->slots;
    unsigned mask = q->mask, from = q->cq_head & mask;
    const struct nvme_cqe *first = q->cq + from, *entry = first;
    const struct nvme_cqe *stop = MIN(first + most, q->cq + mask + 1);
    uint16_t sq_tail = q->sq_tail;
    bool dirty = q->dirty;
    q->dirty = !q->urgent;
    for (; entry != stop; entry++) {
        uint64_t tail = nvme_cqe_tail(entry) ^ q->expect;
        struct nvme_slot *slot = &slots[(uint32_t)(tail >> 32) & mask];
        void *command = slot->command;
        if (unlikely(tail & q->odd) || unlikely(!command)) {
            if (tail & NVME_CQE_P)
                break;
            look(q, tail, entry);
            continue;
        }
        nvme_qpair_prefetch(slots, mask, entry + 1);
        slot->command = NULL;
        slot->next = q->free;
        q->free = (uint16_t)(tail >> 32);
        end(q, command, entry);
    }
    q->dirty = dirty;
    unsigned count = (unsigned)(entry - first);
    if (count)
        nvme_qpair_consume(q, count, from + count);
    if (q->sq_tail != sq_tail && !dirty && !q->urgent)
        nvme_qpair_ring(q);
    return count;
}

// For `look`: the command that the entry ends, whose slot is free again, and its status field. NULL: it
// belongs to none, which is counted and told once. One whose SQID or SQHD is wrong, but whose command is
// in flight, is told once.
void *nvme_qpair_look(struct nvme_qpair *q, uint64_t tail, uint32_t *status);

// Whether every completion goes to `look`. The expectation has one bit wrong then: that costs those
// who don't ask for it nothing.
void nvme_qpair_look_at_all(struct nvme_qpair *q, bool all);

// There is a completion that was not reaped yet.
bool nvme_qpair_ready(const struct nvme_qpair *q);

// ---- trouble ----

// Commands in flight.
bool nvme_qpair_in_flight(const struct nvme_qpair *q);

// A tick of the watch has passed.
void nvme_qpair_age(struct nvme_qpair *q);

// The slot's command has had its time.
static inline bool nvme_slot_is_late(const struct nvme_slot *slot)
{
    return slot->command && slot->age > NVME_WATCH_TICKS;
}

// Before its controller is reset, and in this order: it is left alone: it has no room, and reaping
// finds nothing, whatever the controller still writes; once the controller is disabled, it is as new,
// and without commands (they were taken before); and it has room again.
void nvme_qpair_quiet(struct nvme_qpair *q);
void nvme_qpair_clear(struct nvme_qpair *q);
void nvme_qpair_open(struct nvme_qpair *q);

// Commands without an answer for so long are late: 30,000 ms unless set. Boot CPU.
void nvme_qpair_set_timeout(uint64_t ms);
uint64_t nvme_qpair_timeout_ms(void);
