// SPDX-License-Identifier: BSD-2-Clause
// Actors as coroutines, and what the compiler calls for the thread sanitizer.

#include "tests/host/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "tests/host/irq_world.h"

#define ACTORS 6
#define STACK (256 * 1024)
#define FAIR_STEPS 3000 // of one actor, when all take their turns
#define FAIR_ROUNDS 300 // so many without an end is never
#define BUFFERED 16

struct store {
    void *at;
    uint64_t value;
    unsigned bytes;
};

struct actor {
    ucontext_t context;
    void (*run)(void *);
    void *arg;
    bool (*ready)(void); // what it waits for
    bool ended;
    bool enabled; // interrupts of its CPU, while another one runs
    unsigned cpu, left;
    struct store buffer[BUFFERED];
    unsigned buffered;
};

static struct {
    struct actor actors[ACTORS];
    unsigned count;
    struct actor *now; // NULL: none runs
    ucontext_t director;
    void (*after_step)(void);
} play;
static char stacks[ACTORS][STACK];
bool steps_seen_at_once;

void steps_begin(void (*after_step)(void))
{
    memset(&play, 0, sizeof(play));
    play.after_step = after_step;
}

static void run_actor(void)
{
    struct actor *me = play.now;
    me->run(me->arg);
    steps_drain();
    me->ended = true;
    swapcontext(&me->context, &play.director);
}

unsigned steps_add(unsigned cpu, void (*run)(void *), void *arg)
{
    assert_true(play.count < ACTORS);
    struct actor *actor = &play.actors[play.count];
    actor->run = run;
    actor->arg = arg;
    actor->cpu = cpu;
    actor->enabled = true;
    getcontext(&actor->context);
    actor->context.uc_stack.ss_sp = stacks[play.count];
    actor->context.uc_stack.ss_size = STACK;
    makecontext(&actor->context, run_actor, 0);
    return play.count++;
}

// ---- turns ----

static void take_place(const struct actor *me)
{
    if (me->cpu == STEPS_NO_CPU)
        return;
    world.current = me->cpu;
    world.enabled = me->enabled;
}

static void leave_place(struct actor *me)
{
    me->enabled = world.enabled;
    swapcontext(&me->context, &play.director);
    take_place(me);
}

// What it waits for is looked at from its place.
static bool can_go_on(const struct actor *actor)
{
    take_place(actor);
    return !actor->ended && (!actor->ready || actor->ready());
}

bool steps_run(unsigned number, unsigned steps)
{
    struct actor *actor = &play.actors[number];
    if (!can_go_on(actor))
        return false;
    actor->left = steps;
    actor->ready = NULL;
    play.now = actor;
    swapcontext(&play.director, &actor->context);
    play.now = NULL;
    return !actor->ended && !actor->ready;
}

void steps_rest(void)
{
    for (unsigned rounds = 0; rounds < FAIR_ROUNDS; rounds++) {
        bool any = false;
        for (unsigned i = 0; i < play.count; i++)
            if (can_go_on(&play.actors[i])) {
                any = true;
                steps_run(i, FAIR_STEPS);
            }
        if (!any)
            return;
    }
    fail_msg("it never ends");
}

bool steps_ended(unsigned actor)
{
    return play.actors[actor].ended;
}

void step(void)
{
    struct actor *me = play.now;
    if (!me)
        return;
    if (me->left && !--me->left)
        leave_place(me);
    if (play.after_step && me->cpu != STEPS_NO_CPU)
        play.after_step();
}

void steps_wait(bool (*ready)(void))
{
    steps_drain();
    play.now->ready = ready;
    leave_place(play.now);
}

// ---- memory ----

static void put(const struct store *s)
{
    memcpy(s->at, &s->value, s->bytes); // x86 is little-endian
}

void steps_drain(void)
{
    struct actor *me = play.now;
    for (unsigned i = 0; me && i < me->buffered; i++)
        put(&me->buffer[i]);
    if (me)
        me->buffered = 0;
}

static bool is_buffered(const void *at)
{
    for (unsigned i = 0; play.now && i < play.now->buffered; i++)
        if (play.now->buffer[i].at == at)
            return true;
    return false;
}

// An actor sees its own stores at once.
static void before_access(const void *at)
{
    step();
    if (is_buffered(at))
        steps_drain();
}

static void before_locked(void)
{
    step();
    steps_drain();
}

static void store(void *at, uint64_t value, unsigned bytes, int order)
{
    struct actor *me = play.now;
    struct store s = { at, value, bytes };
    step();
    if (!me || order == __ATOMIC_SEQ_CST || steps_seen_at_once) {
        steps_drain();
        put(&s);
        return;
    }
    if (me->buffered == BUFFERED)
        steps_drain();
    me->buffer[me->buffered++] = s;
}

// The names and arguments are the compiler's.
#define PLAIN(bytes)                                                                               \
    void __tsan_read##bytes(void *at);                                                             \
    void __tsan_read##bytes(void *at)                                                              \
    {                                                                                              \
        before_access(at);                                                                         \
    }                                                                                              \
    void __tsan_write##bytes(void *at);                                                            \
    void __tsan_write##bytes(void *at)                                                             \
    {                                                                                              \
        before_access(at);                                                                         \
    }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *at, size_t bytes);
void __tsan_read_range(void *at, size_t bytes)
{
    before_locked();
}

void __tsan_write_range(void *at, size_t bytes);
void __tsan_write_range(void *at, size_t bytes)
{
    before_locked();
}

#define RMW(type, name, expression)                                                                \
    type __tsan_##name(type *at, type v, int order);                                               \
    type __tsan_##name(type *at, type v, int order)                                                \
    {                                                                                              \
        before_locked();                                                                           \
        type was = *at;                                                                            \
        *at = (type)(expression);                                                                  \
        return was;                                                                                \
    }

#define CAS(type, name)                                                                            \
    bool __tsan_##name(type *at, type *expected, type v, int order, int order_if_not);             \
    bool __tsan_##name(type *at, type *expected, type v, int order, int order_if_not)              \
    {                                                                                              \
        before_locked();                                                                           \
        bool same = *at == *expected;                                                              \
        if (same)                                                                                  \
            *at = v;                                                                               \
        else                                                                                       \
            *expected = *at;                                                                       \
        return same;                                                                               \
    }

#define ATOMIC(bits, type)                                                                         \
    type __tsan_atomic##bits##_load(const type *at, int order);                                    \
    type __tsan_atomic##bits##_load(const type *at, int order)                                     \
    {                                                                                              \
        before_access(at);                                                                         \
        return *at;                                                                                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(type *at, type v, int order);                                 \
    void __tsan_atomic##bits##_store(type *at, type v, int order)                                  \
    {                                                                                              \
        store(at, v, bits / 8, order);                                                             \
    }                                                                                              \
    RMW(type, atomic##bits##_exchange, v)                                                          \
    RMW(type, atomic##bits##_fetch_add, was + v)                                                   \
    RMW(type, atomic##bits##_fetch_sub, was - v)                                                   \
    RMW(type, atomic##bits##_fetch_or, was | v)                                                    \
    RMW(type, atomic##bits##_fetch_and, was &v)                                                    \
    RMW(type, atomic##bits##_fetch_xor, was ^ v)                                                   \
    CAS(type, atomic##bits##_compare_exchange_strong)                                              \
    CAS(type, atomic##bits##_compare_exchange_weak)

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    if (order == __ATOMIC_SEQ_CST)
        before_locked();
}

#define NOTHING(name, ...)                                                                         \
    void __tsan_##name(__VA_ARGS__);                                                               \
    void __tsan_##name(__VA_ARGS__)                                                                \
    {                                                                                              \
    }
NOTHING(func_entry, void *caller)
NOTHING(func_exit, void)
NOTHING(init, void)
