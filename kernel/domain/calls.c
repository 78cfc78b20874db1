// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/domain/calls.h"

#include "kernel/base/cpus.h"
#include "kernel/domain/space.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/mark.h"
#include "lib/string.h"

// The domain may change what is there at any moment: it is copied once, and then looked at.
static bool copy_in(const struct space *space, uint64_t virt, size_t bytes, char *to)
{
    while (bytes) {
        size_t part = MIN(bytes, (size_t)(PAGE_BYTES - virt % PAGE_BYTES));
        const void *from = space_at(space, virt, part, false);
        if (!from)
            return false;
        memcpy(to, from, part);
        virt += part;
        to += part;
        bytes -= part;
    }
    return true;
}

static enum domain_action nonsense(struct problem *p, const char *call, const char *what,
                                   uint64_t value)
{
    (void)problem_set(p, "domain-call", "%s with %s 0x%llx", call, what, (unsigned long long)value);
    return DOMAIN_NONSENSE;
}

static enum domain_action take_exit(struct domain_cpu *dc, struct problem *p)
{
    if (dc->frame.rdi > 1)
        return nonsense(p, "EXIT", "neither 0 nor 1 but", dc->frame.rdi);
    return dc->frame.rdi ? DOMAIN_EXIT_FAILED : DOMAIN_EXIT;
}

static enum domain_action print(struct domain_cpu *dc, struct problem *p)
{
    uint64_t kind = dc->frame.rdi, text = dc->frame.rsi, bytes = dc->frame.rdx;
    if (kind >= DOMAIN_TEXTS)
        return nonsense(p, "PRINT", "a text of kind", kind);
    if (bytes > DOMAIN_TEXT_BYTES || (!bytes && kind != DOMAIN_TEXT_INFO)) // an empty line is one
        return nonsense(p, "PRINT", "a text whose bytes are", bytes);
    if (!domain_voice_may(&dc->team->voice, bytes, time_ns())) {
        dc->frame.rax = (uint64_t)DOMAIN_BUSY;
        return DOMAIN_GO_ON;
    }
    if (!copy_in(dc->team->space, text, bytes, dc->text))
        return nonsense(p, "PRINT", "a text that isn't in its memory, at", text);
    return domain_say(dc->team->name, (enum domain_text)kind, dc->text, bytes, p) ? DOMAIN_GO_ON
                                                                                  : DOMAIN_NONSENSE;
}

// What an app prints while it runs, it prints inside the kernel as well.
static enum domain_action take_print(struct domain_cpu *dc, struct problem *p)
{
    MARK_BEGIN("progress");
    enum domain_action action = print(dc, p);
    MARK_END("progress");
    return action;
}

static enum domain_action take_sleep(struct domain_cpu *dc, struct problem *p)
{
    return DOMAIN_SLEEP;
}

static bool has_cpu(const struct domain_cpu *dc, uint64_t index)
{
    return index < dc->team->cpus_count;
}

static enum domain_action take_wake(struct domain_cpu *dc, struct problem *p)
{
    return has_cpu(dc, dc->frame.rdi) ? DOMAIN_WAKE
                                      : nonsense(p, "WAKE", "a CPU that it hasn't,", dc->frame.rdi);
}

// For the program's tables; it may write whatever it likes there.
static void tell_stats(const struct domain_cpu *dc)
{
    const struct cpu_stats *s = cpu_stats(dc->cpu);
    struct domain_events *to = dc->events;
    to->notifications = s->notifications;
    to->msis = s->msis;
    to->sleeps = s->sleeps;
    to->wakes = s->wakes;
    to->timers = s->timers;
    to->ipis = s->ipis;
}

static enum domain_action take_stats(struct domain_cpu *dc, struct problem *p)
{
    uint64_t index = dc->frame.rdi;
    if (!has_cpu(dc, index))
        return nonsense(p, "STATS", "a CPU that it hasn't,", index);
    tell_stats(&dc->team->cpus[index]);
    return DOMAIN_GO_ON;
}

static enum domain_action take_gs(struct domain_cpu *dc, struct problem *p)
{
    if (dc->frame.rdi >= DOMAIN_END)
        return nonsense(p, "GS", "an address beyond its own,", dc->frame.rdi);
    dc->gs = dc->frame.rdi;
    return DOMAIN_GO_ON;
}

static enum domain_action (*const calls[])(struct domain_cpu *dc, struct problem *p) = {
    [DOMAIN_CALL_EXIT] = take_exit,   [DOMAIN_CALL_PRINT] = take_print,
    [DOMAIN_CALL_SLEEP] = take_sleep, [DOMAIN_CALL_WAKE] = take_wake,
    [DOMAIN_CALL_GS] = take_gs,       [DOMAIN_CALL_STATS] = take_stats,
};
static_assert(ARRAY_SIZE(calls) == DOMAIN_CALLS, "abi.h");

enum domain_action domain_call_take(struct domain_cpu *dc, struct problem *p)
{
    uint64_t number = dc->frame.rax;
    if (number >= DOMAIN_CALLS)
        return nonsense(p, "a call", "the number", number);
    dc->frame.rax = DOMAIN_OK;
    return calls[number](dc, p);
}
