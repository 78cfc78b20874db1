// SPDX-License-Identifier: BSD-2-Clause
// How long a domain's CPU looks on before it calls SLEEP: by the same rule as the kernel's own loop.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "domain/call.h"
#include "domain/cpu.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_config.h"
#include "kernel/run/loop.h"
#include "kernel/run/spin.h"
#include "kernel/x86/time_init.h"

#include "domain/loop.c"

#undef fail
#include <cmocka.h>

#define SPIN_NS 800ull
#define NEVER UINT64_MAX

static struct program_cpu pc;
static struct domain_events events;
static uint64_t tsc, slept_at, comes_at; // when there is something to find
static unsigned finds;                   // in the first round
static bool stop;

struct cpu *this_cpu(void)
{
    return &pc.cpu;
}

uint64_t rdtsc(void)
{
    return tsc++;
}

uint64_t time_tsc_span(uint64_t ns)
{
    return ns;
}

unsigned cpu_run_inbox(struct cpu *cpu)
{
    return 0;
}

unsigned cpu_run_due_timers(struct cpu *cpu)
{
    return 0;
}

void program_take_events(struct program_cpu *cpu)
{
}

bool irq_pending(void)
{
    return tsc >= comes_at;
}

unsigned irq_poll(void)
{
    unsigned found = finds;
    finds = 0;
    stop = irq_pending();
    return found + stop;
}

int64_t domain_call(enum domain_call number, uint64_t a, uint64_t b, uint64_t c)
{
    assert_int_equal(number, DOMAIN_CALL_SLEEP);
    if (!slept_at)
        slept_at = tsc;
    comes_at = tsc;
    return DOMAIN_OK;
}

// Finds so many, then nothing until then: returns how long it looked on before it slept; NEVER: it didn't.
static uint64_t looks_on_after(enum irq_mode mode, unsigned found, uint64_t at)
{
    memset(&pc, 0, sizeof(pc));
    pc.events = &events;
    pc.cpu.irq_mode = (uint8_t)mode;
    irq_set_config(&(struct irq_config){ .mode = mode, .spin_ns = SPIN_NS });
    tsc = 1000;
    slept_at = 0;
    comes_at = at;
    finds = found;
    stop = false;
    cpu_run_until(&stop);
    return slept_at ? slept_at - 1000 : NEVER;
}

static void is_about(uint64_t tsc_cycles, uint64_t wanted)
{
    assert_in_range(tsc_cycles, wanted, wanted + 30);
}

static void the_more_it_found_the_longer(void **state)
{
    is_about(looks_on_after(IRQ_ADAPTIVE, 0, NEVER), 0);
    is_about(looks_on_after(IRQ_ADAPTIVE, 1, NEVER), 0);
    is_about(looks_on_after(IRQ_ADAPTIVE, 2, NEVER), SPIN_NS / SPIN_SHARES);
    is_about(looks_on_after(IRQ_ADAPTIVE, 5, NEVER), SPIN_NS / SPIN_SHARES * 4);
    is_about(looks_on_after(IRQ_ADAPTIVE, 9, NEVER), SPIN_NS);
    is_about(looks_on_after(IRQ_ADAPTIVE, 50, NEVER), SPIN_NS);
}

static void what_comes_meanwhile_costs_no_call(void **state)
{
    assert_int_equal(looks_on_after(IRQ_ADAPTIVE, 9, 1500), NEVER);
    assert_int_equal(pc.cpu.stats.spins, 1);
    assert_in_range(tsc, 1500, 1540);
}

static void each_wait_goes_by_what_came_before_it(void **state)
{
    looks_on_after(IRQ_ADAPTIVE, 9, NEVER);
    assert_int_equal(pc.found, 1); // after the sleep
}

static void only_adaptive_looks_on(void **state)
{
    is_about(looks_on_after(IRQ_POSTED, 9, NEVER), 0);
    is_about(looks_on_after(IRQ_REMAPPED, 9, NEVER), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_it_found_the_longer),
        cmocka_unit_test(what_comes_meanwhile_costs_no_call),
        cmocka_unit_test(each_wait_goes_by_what_came_before_it),
        cmocka_unit_test(only_adaptive_looks_on),
    };
    return cmocka_run_group_tests_name("how long a domain's CPU looks on", tests, NULL, NULL);
}
