// SPDX-License-Identifier: BSD-2-Clause
// Ring 3, and what kernel/domain has below and beside a CPU's loop.

#include "tests/host/step_ring3.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "kernel/domain/ring.h"
#include "kernel/domain/space.h"
#include "kernel/domain/text.h"
#include "tests/host/step_machine.h"

#define ROOT 0x1000

struct ring3 programs[RING3_PROGRAMS];
union ring3_page pages[RING3_PROGRAMS];
struct ring3_told told;

// ---- the rooms below ----

uint64_t space_root(const struct space *s)
{
    return ROOT;
}

void *space_at(const struct space *s, uint64_t virt, uint64_t bytes, bool write)
{
    return NULL;
}

bool domain_voice_may(struct domain_voice *v, size_t bytes, uint64_t now_ns)
{
    return false;
}

bool domain_say(const char *name, enum domain_text kind, char *text, size_t bytes,
                struct problem *p)
{
    return false;
}

void domain_tell_fault(const struct domain_cpu *dc, uint64_t address)
{
    fail_msg("there is no fault");
}

void domain_tell_nonsense(const struct domain_cpu *dc, const struct problem *p)
{
    fail_msg("%s", p->message);
}

void domain_tell_stuck(const struct domain_cpu *dc)
{
    told.stuck++;
}

void ring_init_cpu(void)
{
}

void ring_leave(void)
{
}

uint64_t ring_fault_address(void)
{
    return 0;
}

// ---- ring 3, an instruction in each step ----

static bool polls_tags(void)
{
    return irq_get_mode() == IRQ_ADAPTIVE || irq_get_mode() == IRQ_POLL;
}

static void take_word(struct ring3 *p, struct domain_events *e)
{
    uint64_t bits = __atomic_exchange_n(&e->bits[p->word], 0, __ATOMIC_SEQ_CST);
    p->found |= bits;
    if (p->word == RING3_QUEUE_EVENT / 64 && bits & BIT64(RING3_QUEUE_EVENT % 64))
        told.seen = told.sent;
    if (p->word == DOMAIN_EVENT_WAKE / 64 && bits & BIT64(DOMAIN_EVENT_WAKE % 64))
        told.woken = told.asked;
}

static void look_at_tags(struct ring3 *p)
{
    if (p != programs || !polls_tags() || told.seen == told.sent)
        return;
    p->found = true;
    told.seen = told.sent;
}

static unsigned call(struct trap_frame *frame, enum domain_call number, uint64_t rdi)
{
    frame->rax = number;
    frame->rdi = rdi;
    return RING_CALL;
}

// The end of a round: what it calls the kernel for; 0: nothing.
static unsigned last_of_round(struct ring3 *p, struct trap_frame *frame)
{
    if (p->kind == EXITS)
        return call(frame, DOMAIN_CALL_EXIT, 0);
    if (p->kind == WAKES && p->asked < 2) {
        p->asked++;
        told.asked++;
        return call(frame, DOMAIN_CALL_WAKE, 0);
    }
    if (p->until_ns && world.now_ns >= p->until_ns) {
        p->timeouts++;
        p->until_ns = 0;
        return 0;
    }
    if (p->found || irq_get_mode() == IRQ_POLL)
        return 0;
    return call(frame, DOMAIN_CALL_SLEEP, p->until_ns ? p->until_ns : UINT64_MAX);
}

static unsigned run_program(struct ring3 *p, struct domain_events *e, struct trap_frame *frame)
{
    if (p->kind == SPINS)
        return p->asked++ ? 0 : call(frame, DOMAIN_CALL_WAKE, 0);
    switch (p->at) {
    case ROUND:
        e->rounds++;
        p->word = 0;
        p->found = false;
        p->at = TAKE;
        break;
    case TAKE:
        take_word(p, e);
        if (++p->word == DOMAIN_EVENT_WORDS)
            p->at = TAGS;
        break;
    case TAGS:
        look_at_tags(p);
        p->at = LAST;
        break;
    case LAST:
        p->at = ROUND;
        return last_of_round(p, frame);
    }
    return 0;
}

// IRETQ serialises; an interrupt ends the stay between two instructions.
unsigned ring_enter(struct trap_frame *frame, uint64_t cr3, uint64_t gs)
{
    const unsigned n = world.current - 1;
    assert_false(world.enabled);
    assert_int_equal(cr3, ROOT);
    step();
    steps_drain();
    for (;;) {
        step();
        int vector = machine_accept();
        if (vector >= 0)
            return (unsigned)vector;
        assert_false(told.taken_back);
        unsigned end = run_program(&programs[n], &pages[n].events, frame);
        if (end)
            return end;
    }
}
