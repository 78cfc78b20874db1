// SPDX-License-Identifier: BSD-2-Clause
// As much as it can of what costs others something, if anything does: until its time is up.
#include "lib/random.h"
#include "lib/types.h"
#include "tests/domain/hostile.h"

#define DATA (DOMAIN_MEMORY + MIB) // past its queues

static uint32_t tail, head; // of its first queue pair

// Reads that complete, each with an interrupt: what the controller has taken is given anew at once, whatever it
// says of those before.
static void storm_of_interrupts(const struct domain_queue *q, uint64_t *state)
{
    for (uint32_t room = q->entries / 2; room; room--) {
        hostile_command(q, tail, HOSTILE_READ, DATA, 0, 0);
        tail = (tail + 1) % q->entries;
    }
    hostile_ring(q, 0, tail);
    for (uint32_t i = 0; i < 20000; i++)
        __asm__ volatile("pause");
    head = (head + q->entries / 2) % q->entries; // taken unread
    hostile_ring(q, q->stride, head);
}

// Doorbells again and again, of values that change nothing.
static void storm_of_doorbells(const struct domain_queue *q, uint64_t *state)
{
    bool of_completions = random_below(state, 2);
    hostile_ring(q, of_completions ? q->stride : 0, of_completions ? head : tail);
}

// Waking itself is an interrupt to itself each time.
static void storm_of_calls(const struct domain_queue *q, uint64_t *state)
{
    uint64_t choice = random_below(state, 64);
    if (!choice)
        (void)hostile_call(DOMAIN_CALL_WAKE, 0, 0, 0);
    else if (choice % 2)
        (void)hostile_call(DOMAIN_CALL_GS, random_below(state, DOMAIN_END), 0, 0);
    else // to a time long over
        (void)hostile_call(DOMAIN_CALL_SLEEP, 0, 0, 0);
}

// Far more than it may say.
static void storm_of_lines(const struct domain_queue *q, uint64_t *state)
{
    static const char text[] = "again and again";
    (void)hostile_call(DOMAIN_CALL_PRINT, DOMAIN_TEXT_INFO, (uint64_t)text, sizeof(text) - 1);
}

// What costs nobody anything, to compare with.
static void silence(const struct domain_queue *q, uint64_t *state)
{
    struct domain_events *events = (struct domain_events *)domain_events_at(0);
    __atomic_store_n(&events->bits[0], 0, __ATOMIC_RELAXED);
    (void)hostile_call(DOMAIN_CALL_SLEEP, ~0ull, 0, 0);
}

static void storm_of_all(const struct domain_queue *q, uint64_t *state)
{
    storm_of_interrupts(q, state);
    for (unsigned i = 0; i < 64; i++) {
        storm_of_doorbells(q, state);
        storm_of_calls(q, state);
    }
    storm_of_lines(q, state);
}

// All at once, each blocked; the list of each leads nowhere, too.
static void storm_of_faults(const struct domain_queue *q, uint64_t *state)
{
    for (uint32_t i = 0; i + 1u < q->entries; i++)
        hostile_command(q, i, HOSTILE_READ, random_below(state, 1ull << 32) << 12,
                        random_below(state, 1ull << 32) << 12, 127);
    hostile_ring(q, 0, q->entries - 1u);
}

static void storm_of_lives(const struct domain_queue *q, uint64_t *state)
{
    __asm__ volatile("ud2");
}

#define ONE(name, fn) { name, fn }
static const struct {
    const char *name;
    void (*run)(const struct domain_queue *q, uint64_t *state);
} all[] = {
    ONE("silence", silence),
    ONE("all at once", storm_of_all),
    ONE("interrupts", storm_of_interrupts),
    ONE("doorbells", storm_of_doorbells),
    ONE("calls", storm_of_calls),
    ONE("lines", storm_of_lines),
    ONE("faults", storm_of_faults),
    ONE("lives", storm_of_lives),
};

static const char *name_of(unsigned which)
{
    return all[which].name;
}

// As long as it may: it comes round its loop, as far as the kernel can see.
static void run(unsigned which, uint64_t *state)
{
    struct domain_events *events = (struct domain_events *)domain_events_at(0);
    const struct domain_queue *q = hostile_info()->queues_count ? hostile_queue(0) : NULL;
    for (;;) {
        __atomic_fetch_add(&events->rounds, 1, __ATOMIC_RELAXED);
        all[which].run(q, state);
    }
}

const struct hostile_kind hostile_storms = { "storms", ARRAY_SIZE(all), name_of, run };
