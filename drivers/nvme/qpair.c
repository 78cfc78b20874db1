// SPDX-License-Identifier: BSD-2-Clause
// What is not on the straight path of a command: creation, the dirty list, entries that are odd.

#include "drivers/nvme/qpair.h"

#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

// Flips a bit of SQID that a right one differs in then.
#define LOOK field_put(NVME_CQE_SQID, 0x8000)

static uint64_t timeout_ms = 30000;

void nvme_qpair_set_timeout(uint64_t ms)
{
    timeout_ms = MAX(ms, 1ull);
}

uint64_t nvme_qpair_timeout_ms(void)
{
    return timeout_ms;
}

// ---- submission ----

// Since when the same completion has been lying there.
static void note_completion(struct nvme_qpair *q)
{
    bool ready = nvme_qpair_ready(q);
    if (!ready || !q->watch_ready || q->watch_head != q->cq_head)
        q->watch_since_ns = time_ns();
    q->watch_ready = ready;
    q->watch_head = q->cq_head;
}

void nvme_qpair_watch(struct nvme_qpair *q)
{
    q->watched = true;
    note_completion(q);
    cpu_timer_start(&q->watch, time_ns() + timeout_ms * NS_PER_MS / NVME_WATCH_TICKS);
}

void nvme_qpair_mark(struct nvme_qpair *q)
{
    if (q->urgent)
        return nvme_qpair_ring(q);
    q->dirty = true;
    q->dirty_next = q->home->dirty;
    q->home->dirty = q;
}

void nvme_qpair_flush(struct nvme_home *home)
{
    while (home->dirty) {
        struct nvme_qpair *q = home->dirty;
        home->dirty = q->dirty_next;
        q->dirty = false;
        nvme_qpair_ring(q);
    }
}

bool nvme_qpair_command(struct nvme_qpair *q, struct nvme_sqe *sqe, void *command)
{
    unsigned id = q->free;
    if (id == NVME_NO_SLOT)
        return false;
    nvme_qpair_take(q, id, command);
    field_set(&sqe->head, NVME_SQE_CID, id);
    memcpy(&q->sq[q->sq_tail], sqe, sizeof(*sqe));
    nvme_qpair_push(q, q->sq_tail);
    if (q->sq_shadow.value) // in step, though nobody waits for being told
        nvme_shadow_store(&q->sq_shadow, q->sq_tail);
    mmio_write32(q->sq_doorbell, q->sq_tail);
    return true;
}

// What the controller asks for is read after it can see the new value: one of the two sees the other
// (NVMe Base 2.0, B.5). Values are compared as they count round.
RARE bool nvme_shadow_store(const struct nvme_shadow *shadow, uint32_t value)
{
    uint32_t old = __atomic_load_n(shadow->value, __ATOMIC_RELAXED);
    __atomic_store_n(shadow->value, value, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t event = __atomic_load_n(shadow->event, __ATOMIC_RELAXED);
    return (uint16_t)(value - event - 1) < (uint16_t)(value - old);
}

// ---- completion ----

bool nvme_qpair_ready(const struct nvme_qpair *q)
{
    return !((nvme_cqe_tail(&q->cq[q->cq_head & q->mask]) ^ q->expect) & NVME_CQE_P);
}

void nvme_qpair_look_at_all(struct nvme_qpair *q, bool all)
{
    if (q->looks_at_all != all)
        q->expect ^= LOOK;
    q->looks_at_all = all;
}

static void free_slot(struct nvme_qpair *q, unsigned id)
{
    q->slots[id].command = NULL;
    q->slots[id].next = q->free;
    q->free = (uint16_t)id;
}

static const char *fields(const struct nvme_qpair *q, uint64_t tail, char *to, size_t bytes)
{
    tail ^= field_put(NVME_CQE_SQID, q->qid);
    format_text(to, bytes, "(id %llu, SQID %llu, SQHD %llu, status %llxh)",
                (unsigned long long)field_get(NVME_CQE_CID, tail),
                (unsigned long long)field_get(NVME_CQE_SQID, tail),
                (unsigned long long)field_get(NVME_CQE_SQHD, tail),
                (unsigned long long)field_get(NVME_CQE_STATUS, tail));
    return to;
}

// Counted, said once for each queue, and otherwise ignored.
static void belongs_to_none(struct nvme_qpair *q, uint64_t tail)
{
    char text[80];
    if (!q->bad++)
        error("nvme-bad-completion",
              "%s: queue %u: a completion that belongs to no command %s was ignored; further ones "
              "are only counted",
              q->label, q->qid, fields(q, tail, text, sizeof(text)));
}

static void is_odd(struct nvme_qpair *q, uint64_t tail)
{
    char text[80];
    if (!q->told_odd)
        warn("nvme-odd-completion",
             "%s: queue %u: a completion of a command in flight names another queue, or a place "
             "past its end %s: taken all the same, as further ones are",
             q->label, q->qid, fields(q, tail, text, sizeof(text)));
    q->told_odd = true;
}

// Its ids tell which command it is, and the slot that it is in flight: that is believed, and the
// command ended, where SQID or SQHD say something else.
void *nvme_qpair_look(struct nvme_qpair *q, uint64_t tail, uint32_t *status)
{
    unsigned id = (unsigned)field_get(NVME_CQE_CID, tail);
    if (q->looks_at_all)
        tail ^= LOOK;
    struct nvme_slot *slot = id < q->mask ? &q->slots[id] : NULL;
    void *command = slot ? slot->command : NULL;
    *status = (uint32_t)field_get(NVME_CQE_STATUS, tail);
    if (!command) {
        belongs_to_none(q, tail);
        return NULL;
    }
    if (tail & NVME_CQE_SQID || field_get(NVME_CQE_SQHD, tail) > q->mask)
        is_odd(q, tail);
    free_slot(q, id);
    return command;
}

// ---- trouble ----

bool nvme_qpair_in_flight(const struct nvme_qpair *q)
{
    for (unsigned i = 0; i < q->mask; i++)
        if (q->slots[i].command)
            return true;
    return false;
}

void nvme_qpair_age(struct nvme_qpair *q)
{
    for (unsigned i = 0; i < q->mask; i++)
        q->slots[i].age++;
}

// ---- resets ----

static void link_slots(struct nvme_qpair *q)
{
    for (unsigned i = 0; i < q->mask; i++)
        q->slots[i].next = i + 1 < q->mask ? (uint16_t)(i + 1) : (uint16_t)NVME_NO_SLOT;
    q->free = 0;
}

static void leave_home(struct nvme_qpair *q)
{
    struct nvme_qpair **link = &q->home->dirty;
    while (*link && *link != q)
        link = &(*link)->dirty_next;
    if (*link)
        *link = q->dirty_next;
    q->dirty = false;
}

static void expect_from_start(struct nvme_qpair *q)
{
    q->cq_head = 0;
    q->expect = NVME_CQE_P | field_put(NVME_CQE_SQID, q->qid);
    if (q->looks_at_all)
        q->expect ^= LOOK;
}

// Entries that are never new: the next one, and the one that is looked ahead at.
static const struct nvme_cqe nothing[2];

void nvme_qpair_quiet(struct nvme_qpair *q)
{
    leave_home(q);
    q->free = NVME_NO_SLOT;
    q->cq = nothing;
    expect_from_start(q);
}

void nvme_qpair_clear(struct nvme_qpair *q)
{
    q->sq_shadow = q->cq_shadow = (struct nvme_shadow){ 0 }; // a reset ends their use
    memset(q->ring, 0, (q->mask + 1u) * sizeof(*q->ring));
    q->cq = q->ring;
    q->sq_tail = 0;
}

// The controller's memory holds anything before it is written (NVMe Base 2.0, 8.5), and again once it
// has lost power.
static void wipe_theirs(struct nvme_qpair *q)
{
    static const struct nvme_io_sqe zeros;
    for (unsigned i = 0; q->sq_is_theirs && i <= q->mask; i++)
        nvme_qpair_write(q, i, &zeros);
}

void nvme_qpair_open(struct nvme_qpair *q)
{
    wipe_theirs(q);
    link_slots(q);
}

// ---- creation ----

void nvme_qpair_use_ram(struct nvme_qpair *q, unsigned dma_node)
{
    q->sq_is_theirs = false;
    q->sq = mem_alloc_dma((q->mask + 1u) * sizeof(*q->sq), PAGE_BYTES, dma_node);
    q->sq_address = mem_phys(q->sq);
}

static void use_theirs(struct nvme_qpair *q, const struct nvme_qpair_config *config)
{
    q->sq_is_theirs = true;
    q->sq = (struct nvme_io_sqe *)config->sq;
    q->sq_address = config->sq_address;
    wipe_theirs(q);
}

void nvme_qpair_init(struct nvme_qpair *q, const struct nvme_qpair_config *config)
{
    unsigned entries = config->entries;
    q->label = config->label;
    q->home = config->home;
    q->qid = (uint16_t)config->qid;
    q->cpu = config->cpu;
    q->urgent = config->urgent;
    q->mask = (uint16_t)(entries - 1);
    q->sq_doorbell = config->doorbell;
    q->cq_doorbell = mmio_at(config->doorbell, config->stride);
    if (config->sq)
        use_theirs(q, config);
    else
        nvme_qpair_use_ram(q, config->dma_node);
    q->ring = config->cq;
    if (!q->ring)
        q->ring = mem_alloc_dma((entries + 1) * sizeof(*q->ring), PAGE_BYTES, config->dma_node);
    q->cq = q->ring;
    q->slots = mem_alloc(entries * sizeof(*q->slots), CACHE_LINE, config->node);
    expect_from_start(q);
    q->odd = NVME_CQE_P | NVME_CQE_SQID | NVME_CQE_STATUS | field_put(NVME_CQE_SQHD, ~q->mask) |
             field_put(NVME_CQE_CID, ~q->mask);
    link_slots(q);
}
