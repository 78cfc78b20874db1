// SPDX-License-Identifier: BSD-2-Clause
// A program's irqs: bits in the page of a CPU's events, or tags that devices write; and all that is refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "domain/call.h"
#include "domain/cpu.h"
#include "domain/refused.h"
#include "kernel/domain/event.h"
#include "kernel/irq/irq_config.h"
#include "kernel/mem/mem.h"
#include "kernel/run/hotplug.h"

#include "domain/cpus.c"
#include "domain/irq.c"
#include "domain/refused.c"

#undef fail
#include <cmocka.h>

#define CPUS 2

static struct program_cpu both[CPUS];
static struct domain_events pages[CPUS];
static struct domain_info told;
static unsigned current, runs[4];
static bool ready_now[4];
static struct cpu_msg *posted;
static unsigned posted_to;

const struct domain_info *domain_info(void)
{
    return &told;
}

static uint64_t tsc;

uint64_t rdtsc(void)
{
    return tsc++;
}

static unsigned asked_of; // STATS

int64_t domain_call(enum domain_call number, uint64_t a, uint64_t b, uint64_t c)
{
    assert_int_equal(number, DOMAIN_CALL_STATS);
    asked_of = (unsigned)a;
    return DOMAIN_OK;
}

struct cpu *this_cpu(void)
{
    return &both[current].cpu;
}

unsigned cpu_index(void)
{
    return current;
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    posted = msg;
    posted_to = cpu;
}

static _Alignas(CACHE_LINE) uint8_t memory[4096];
static size_t memory_used;

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    void *at = memory + memory_used;
    memory_used += ALIGN_UP(bytes, CACHE_LINE);
    assert_true(memory_used <= sizeof(memory));
    return at;
}

noreturn void fail_problem(const struct problem *p)
{
    fail_msg("%s", p->message);
    __builtin_unreachable();
}

static void handle(void *arg)
{
    runs[(uintptr_t)arg]++;
    ready_now[(uintptr_t)arg] = false;
}

static bool is_ready_now(const void *arg)
{
    return ready_now[(uintptr_t)arg];
}

static struct irq *irq_of(unsigned cpu, unsigned bit, uintptr_t number)
{
    return event_irq(cpu, bit, handle, is_ready_now, (void *)number, "nvme1q3");
}

static void begin_in(enum irq_mode mode)
{
    memset(both, 0, sizeof(both));
    memset(pages, 0, sizeof(pages));
    memset(runs, 0, sizeof(runs));
    memset(ready_now, 0, sizeof(ready_now));
    memset(&cpus, 0, sizeof(cpus));
    memset(memory, 0, sizeof(memory));
    memory_used = 0;
    irqs.first = NULL;
    irqs.end = &irqs.first;
    current = 0;
    tsc = 2; // two CPUs whose times differ in the bit that their numbers do
    told = (struct domain_info){ .irq_mode = mode, .node = 5 };
    irq_set_config(&(struct irq_config){ .mode = mode });
    for (unsigned i = 0; i < CPUS; i++)
        program_add_cpu(&both[i], &pages[i]);
}

static void set(unsigned cpu, unsigned bit)
{
    pages[cpu].bits[bit / 64] |= BIT64(bit % 64);
}

static void bits_run_their_handlers(void **state)
{
    begin_in(IRQ_POSTED);
    struct irq *first = irq_of(0, 0, 0), *second = irq_of(0, 200, 1), *others = irq_of(1, 0, 2);
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
    set(0, 0);
    set(0, 200);
    set(1, 0); // another CPU's
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 2);
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    assert_int_equal(runs[2], 0);
    assert_int_equal(first->counts[0], 1);
    assert_int_equal(second->counts[0], 1);
    current = 1;
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(runs[2], 1);
    assert_int_equal(others->counts[1], 1);
}

static void where_bits_tell_nobody_looks_at_tags(void **state)
{
    begin_in(IRQ_POSTED);
    irq_of(0, 3, 0);
    ready_now[0] = true;
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
    assert_false(both[0].never_sleeps);
}

static void tags_tell_while_the_cpu_is_awake(enum irq_mode mode)
{
    begin_in(mode);
    struct irq *irq = irq_of(0, 3, 0);
    ready_now[0] = true;
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(runs[0], 1);
    assert_int_equal(irq->counts[0], 0); // nothing was sent, as far as anybody knows
    set(0, 3);                           // what it was sent for was found before
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 0);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(runs[0], 1);
    assert_false(irq_pending());
    irq_again(irq);
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(runs[0], 2);
}

static void in_adaptive_and_poll_tags_tell(void **state)
{
    tags_tell_while_the_cpu_is_awake(IRQ_ADAPTIVE);
    tags_tell_while_the_cpu_is_awake(IRQ_POLL);
}

static void what_nobody_tells_of_keeps_its_cpu_awake(void **state)
{
    begin_in(IRQ_POSTED);
    irq_of(1, EVENT_NONE, 0);
    assert_false(both[0].never_sleeps);
    assert_true(both[1].never_sleeps);
    current = 1;
    ready_now[0] = true;
    assert_int_equal(irq_poll(), 1);
}

static void again(void **state)
{
    begin_in(IRQ_POSTED);
    struct irq *told_by = irq_of(0, 70, 0), *looked = irq_of(0, EVENT_NONE, 1);
    irq_again(told_by);
    irq_again(looked); // it is looked at in any case
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(runs[0], 1);
    assert_int_equal(told_by->counts[0], 0);
    assert_false(irq_pending());
}

static void stray_events(void **state)
{
    begin_in(IRQ_POSTED);
    irq_of(0, 1, 0);
    set(0, 2);
    set(0, DOMAIN_EVENT_WAKE);
    assert_int_equal(irq_poll(), 0);
    program_take_events(&both[0]);
    for (unsigned w = 0; w < DOMAIN_EVENT_WORDS; w++)
        assert_int_equal(pages[0].bits[w], 0);
    assert_int_equal(cpu_stats(0)->spurious, 1);
    assert_false(irq_pending());
}

static void what_is_taken_before_a_sleep_is_not_lost(void **state)
{
    begin_in(IRQ_POSTED);
    irq_of(0, 1, 0);
    set(0, 1);
    program_take_events(&both[0]);
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
}

static void all_are_listed(void **state)
{
    begin_in(IRQ_POSTED);
    struct irq *first = irq_of(1, 9, 0), *second = irq_of(0, EVENT_NONE, 1);
    assert_ptr_equal(irq_first(), first);
    assert_ptr_equal(first->next, second);
    assert_null(second->next);
    assert_string_equal(first->name, "nvme1q3");
    assert_string_equal(first->chip->name, "EVENT");
    assert_int_equal(first->cpu, 1);
    assert_int_equal(first->vector, 9);
}

static void counts_come_from_the_page(void **state)
{
    begin_in(IRQ_POSTED);
    pages[1] = (struct domain_events){
        .notifications = 1, .msis = 2, .sleeps = 3, .wakes = 4, .timers = 5, .ipis = 6
    };
    both[1].cpu.stats.idle_tsc = 7; // the program's own
    const struct cpu_stats *stats = cpu_stats(1);
    assert_int_equal(asked_of, 1);
    assert_int_equal(stats->notifications, 1);
    assert_int_equal(stats->msis, 2);
    assert_int_equal(stats->sleeps, 3);
    assert_int_equal(stats->wakes, 4);
    assert_int_equal(stats->timers, 5);
    assert_int_equal(stats->ipis, 6);
    assert_int_equal(stats->idle_tsc, 7);
}

static void cpus_are_what_they_are(void **state)
{
    begin_in(IRQ_POLL);
    assert_int_equal(cpu_count(), CPUS);
    assert_int_equal(cpu_total(), CPUS);
    assert_int_equal(cpu_node(1), 5);
    assert_int_equal(cpu_apic_id(1), 1);
    assert_true(cpu_is_online(1));
    assert_int_equal(both[1].cpu.stack_top, domain_stack_top(1));
    assert_int_equal(both[1].cpu.irq_mode, IRQ_POLL);
    assert_ptr_equal(both[1].cpu.self, &both[1].cpu);
    assert_int_not_equal(both[0].cpu.stack_guard, both[1].cpu.stack_guard);
}

// ---- what is refused ----

static void changed(struct irq_mode_change *change)
{
    assert_false(change->ok);
    runs[0]++;
}

static void moved(struct irq_move *move)
{
    assert_false(move->ok);
    runs[1]++;
}

static void left(struct cpu_change *change)
{
    assert_false(change->ok);
    runs[2]++;
}

static void deliver(unsigned to)
{
    assert_int_equal(posted_to, to);
    posted->fn(posted);
}

static void changes_are_refused_later(void **state)
{
    begin_in(IRQ_POSTED);
    current = 1;
    struct irq_mode_change mode = { .mode = IRQ_POLL, .done = changed };
    irq_set_mode(&mode);
    deliver(0);
    struct irq_move move = { .done = moved };
    irq_set_affinity(&move);
    deliver(1);
    struct cpu_change change = { .cpu = 1, .done = left };
    cpu_offline(&change);
    deliver(0);
    cpu_online(&change);
    deliver(0);
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    assert_int_equal(runs[2], 2);
    assert_string_equal(mode.problem.what, "domain-refused");
    assert_string_equal(move.problem.what, "domain-refused");
    assert_string_equal(change.problem.what, "domain-refused");
}

static void questions_are_refused_at_once(void **state)
{
    struct problem p = { 0 };
    begin_in(IRQ_POSTED);
    assert_null(pci_get(0));
    assert_int_equal(irq_vectors_left(0), 0);
    assert_null(irq_alloc(NULL, 0, 0, handle, NULL, "x", &p));
    assert_string_equal(p.what, "domain-refused");
    assert_false(irq_set_posted(NULL, true, &p));
    assert_false(irq_set_urgent(NULL, true, &p));
    assert_non_null(strstr(p.message, "an irq is to be urgent: not in a domain"));
    assert_false(irq_mode_is_possible(IRQ_POLL, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_run_their_handlers),
        cmocka_unit_test(where_bits_tell_nobody_looks_at_tags),
        cmocka_unit_test(in_adaptive_and_poll_tags_tell),
        cmocka_unit_test(what_nobody_tells_of_keeps_its_cpu_awake),
        cmocka_unit_test(again),
        cmocka_unit_test(stray_events),
        cmocka_unit_test(what_is_taken_before_a_sleep_is_not_lost),
        cmocka_unit_test(all_are_listed),
        cmocka_unit_test(counts_come_from_the_page),
        cmocka_unit_test(cpus_are_what_they_are),
        cmocka_unit_test(changes_are_refused_later),
        cmocka_unit_test(questions_are_refused_at_once),
    };
    return cmocka_run_group_tests_name("a program's irqs", tests, NULL, NULL);
}
