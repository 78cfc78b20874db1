// SPDX-License-Identifier: BSD-2-Clause
// The IRQ core and the CPU's loop on a modelled CPU: the test plays the local APIC and the chip.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/apic.h"
#include "kernel/block.h"
#include "kernel/irq.h"
#include "kernel/irq_entry.h"
#include "kernel/irq_move.h"
#include "kernel/mem.h"
#include "kernel/percpu.h"
#include "kernel/time.h"
#include "kernel/time_init.h"

// ---- the machine ----

static struct cpu cpus[2];
static unsigned current;
static uint64_t now_ns, timer_at;
static unsigned eois, ipis, halts, flushes;
static uint64_t mask_writes;
static bool enabled = true; // interrupts
static unsigned notifies;
static uint8_t vector_sent;
static bool time_passes;
static struct msi_msg last_msg;
static bool route_fails;
static void (*on_halt)(void);

struct cpu *this_cpu(void)
{
    return &cpus[current];
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus[index];
}

unsigned cpu_count(void)
{
    return ARRAY_SIZE(cpus);
}

unsigned cpu_index(void)
{
    return current;
}

uint32_t cpu_apic_id(unsigned cpu)
{
    return cpus[cpu].apic_id;
}

unsigned cpu_node(unsigned cpu)
{
    return NODE_ANY;
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    return calloc(1, bytes); // the leak is the test's, see main()
}

uint64_t time_ns(void)
{
    now_ns += time_passes ? 1000 : 0;
    return now_ns;
}

uint64_t time_tsc_at(uint64_t ns)
{
    return ns;
}

void apic_timer_cancel(void)
{
    timer_at = 0;
}

void apic_timer_set(uint64_t tsc)
{
    timer_at = tsc;
}

void apic_send(uint32_t id, uint8_t vector)
{
    if (vector != VECTOR_IPI) {
        notifies += vector == VECTOR_NOTIFY;
        vector_sent = vector;
        return;
    }
    assert_int_equal(vector, VECTOR_IPI);
    assert_int_equal(id, cpus[1].apic_id);
    ipis++;
}

static unsigned requested; // reads for which the old vector stays in IRR
bool apic_is_requested(uint8_t vector)
{
    if (!requested)
        return false;
    if (--requested == 0)
        irq_take_device(vector); // now it is taken
    return requested;
}

bool cpu_is_online(unsigned cpu)
{
    return cpus[cpu].online;
}

void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == X2APIC_EOI)
        eois++;
}

void interrupts_off(void)
{
    enabled = false;
}

void interrupts_on(void)
{
    enabled = true;
}

uint64_t interrupts_save(void)
{
    bool was = enabled;
    enabled = false;
    return was;
}

void interrupts_restore(uint64_t flags)
{
    enabled = flags;
}

uint64_t rdmsr(uint32_t msr)
{
    return 0;
}

static unsigned errors;
void error(const char *what, const char *fmt, ...); // report.h's fail() is a macro of cmocka's
void error(const char *what, const char *fmt, ...)
{
    errors++;
}

void interrupts_on_and_mwait(void)
{
    interrupts_on_and_halt();
}

void cpu_monitor(const volatile void *line)
{
}

uint64_t time_tsc_span(uint64_t ns)
{
    return ns;
}

void interrupts_on_and_halt(void)
{
    enabled = true;
    halts++;
    if (on_halt)
        on_halt();
}

void block_flush(void)
{
    flushes++;
}

void msix_write(struct pci_dev *dev, unsigned index, const struct msi_msg *msg)
{
    last_msg = *msg;
}

void msix_mask(struct pci_dev *dev, unsigned index, bool masked)
{
    mask_writes = mask_writes << 1 | masked;
}

// ---- a chip ----

static bool chip_alloc(struct irq *irq, struct problem *p)
{
    irq->chip_handle = 7;
    return true;
}

static unsigned chip_frees;
static void chip_free(struct irq *irq)
{
    chip_frees++;
}

static bool chip_route(struct irq *irq, struct problem *p)
{
    return !route_fails || problem_set(p, "route", "no route");
}

static void chip_compose(const struct irq *irq, struct msi_msg *msg)
{
    *msg = (struct msi_msg){ .address = 0xfee00000 + irq->chip_handle, .data = irq->vector };
}

static const struct irq_chip chip = { "test", chip_alloc, chip_free, chip_route, chip_compose };
static const struct irq_chip chip_post = { "post", chip_alloc, chip_free, chip_route,
                                           chip_compose };
static uint64_t window_ns;

// ---- helpers ----

static struct pci_dev device;
static unsigned handled[256];
static unsigned order[16], order_count;

static void handler(void *arg)
{
    handled[(uintptr_t)arg]++;
    if (order_count < ARRAY_SIZE(order))
        order[order_count++] = (unsigned)(uintptr_t)arg;
}

static struct irq *new_irq(unsigned cpu, uintptr_t number)
{
    struct problem p;
    struct irq *irq = irq_alloc(&device, 0, cpu, handler, (void *)number, "test", &p);
    assert_non_null(irq);
    return irq;
}

static void start(enum irq_mode mode)
{
    while (irq_first())
        irq_free(irq_first());
    memset(cpus, 0, sizeof(cpus));
    memset(handled, 0, sizeof(handled));
    cpus[1].index = 1;
    cpus[1].apic_id = 300;
    cpus[0].online = cpus[1].online = true;
    requested = errors = 0;
    current = eois = halts = flushes = order_count = chip_frees = notifies = 0;
    enabled = true;
    now_ns = timer_at = 0;
    on_halt = NULL;
    route_fails = false;
    irq_init(&(struct irq_config){
        .mode = mode,
        .chip = &chip,
        .chip_post = mode == IRQ_REMAPPED || mode == IRQ_MSI ? NULL : &chip_post,
        .loops = 3,
        .preempt = true,
        .window_ns = window_ns,
    });
    ipis = 0;
}

static void post(unsigned cpu, uint8_t vector)
{
    if (pi_post(&cpus[cpu].pi, vector, false)) {
        unsigned was = current;
        current = cpu;
        irq_take_notification();
        current = was;
    }
}

// ---- the IRQ core ----

static void a_device_vector_runs_its_handler_from_the_loop(void **state)
{
    start(IRQ_REMAPPED);
    struct irq *irq = new_irq(0, 5);
    irq_take_device(irq->vector);
    assert_int_equal(handled[5], 0); // not in interrupt context
    assert_int_equal(eois, 1);
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(handled[5], 1);
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(cpus[0].stats.msis, 1);
}

static void one_notification_carries_many_vectors(void **state)
{
    start(IRQ_POSTED);
    struct irq *first = new_irq(0, 1), *second = new_irq(0, 2);
    pi_post(&cpus[0].pi, first->vector, false);
    post(0, second->vector); // ON stands: no second notification
    assert_int_equal(cpus[0].stats.notifications, 0);
    irq_take_notification();
    assert_int_equal(eois, 1);
    assert_int_equal(irq_poll(), 2);
    assert_int_equal(handled[1] + handled[2], 2);
    assert_int_equal(cpus[0].stats.msis, 2);
    post(0, first->vector); // ON was cleared: this one notifies again
    assert_int_equal(cpus[0].stats.notifications, 2);
    assert_int_equal(irq_poll(), 1);
}

static void poll_mode_needs_no_notification(void **state)
{
    start(IRQ_POLL);
    struct irq *irq = new_irq(0, 1);
    post(0, irq->vector);
    assert_true(irq_poll());
    assert_int_equal(irq_poll(), 0);
    assert_int_equal(handled[1], 1);
    assert_int_equal(cpus[0].stats.notifications, 0);
    assert_int_equal(cpus[0].stats.msis, 1);
}

static void a_vector_without_irq_is_counted(void **state)
{
    start(IRQ_POSTED);
    post(0, 0x77);
    assert_int_equal(cpus[0].stats.spurious, 1);
    assert_int_equal(cpus[0].stats.msis, 0);
    assert_int_equal(irq_poll(), 0);
    irq_take_device(0x78);
    assert_int_equal(cpus[0].stats.spurious, 2);
}

static void vectors_are_per_cpu_and_run_out_by_name(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    for (unsigned i = VECTOR_DEVICE_FIRST; i <= VECTOR_DEVICE_LAST; i++)
        assert_int_equal(new_irq(0, 1)->vector, i);
    assert_null(irq_alloc(&device, 0, 0, handler, NULL, "late", &p));
    assert_string_equal(p.what, "irq-no-vector");
    assert_non_null(strstr(p.message, "late"));
    assert_int_equal(new_irq(1, 1)->vector, VECTOR_DEVICE_FIRST);
}

static void freeing_gives_the_vector_back(void **state)
{
    start(IRQ_POSTED);
    struct irq *a = new_irq(0, 1), *b = new_irq(0, 2), *c = new_irq(0, 3);
    irq_free(b);
    assert_int_equal(chip_frees, 1);
    assert_int_equal(mask_writes & 1, 1); // masked first
    assert_ptr_equal(irq_first(), a);
    assert_ptr_equal(a->next, c);
    irq_free(c);
    struct irq *d = new_irq(0, 4);
    assert_int_equal(d->vector, VECTOR_DEVICE_FIRST + 1);
    assert_ptr_equal(a->next, d);
}

static void a_failed_route_leaves_nothing_behind(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    route_fails = true;
    assert_null(irq_alloc(&device, 0, 0, handler, NULL, "x", &p));
    assert_string_equal(p.what, "route");
    assert_int_equal(chip_frees, 1);
    assert_null(irq_first());
    assert_null(cpus[0].vectors[VECTOR_DEVICE_FIRST]);
}

static void the_message_comes_from_the_chip(void **state)
{
    start(IRQ_REMAPPED);
    struct irq *irq = new_irq(1, 1);
    assert_int_equal(last_msg.address, 0xfee00007);
    assert_int_equal(last_msg.data, irq->vector);
    irq_enable(irq);
    assert_int_equal(mask_writes & 1, 0);
}

static void plain_msi_names_cpu_and_vector(void **state)
{
    struct problem p;
    struct msi_msg msg;
    start(IRQ_MSI);
    cpus[0].apic_id = 5;
    struct irq irq = { .cpu = 0, .vector = 0x41, .name = "x" };
    assert_true(irq_chip_msi.route(&irq, &p));
    irq_chip_msi.compose(&irq, &msg);
    assert_int_equal(msg.address, 0xfee05000);
    assert_int_equal(msg.data, 0x41);
    irq.cpu = 1; // id 300
    assert_false(irq_chip_msi.route(&irq, &p));
    assert_string_equal(p.what, "msi-apic-id");
}

// ---- adaptive ----

static bool stop;
static void stop_it(struct cpu_timer *timer);

static void adaptive_posts_without_notification_while_awake(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_false(pi_post(&cpus[0].pi, irq->vector, false));
    assert_true(irq_pending());
    assert_true(irq_poll());
    assert_int_equal(handled[1], 1);
    assert_true(enabled);
}

static void a_sleeper_is_notified_and_its_notification_only_wakes(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_true(irq_fall_asleep());
    cpus[0].sleeping = true;
    assert_true(pi_post(&cpus[0].pi, irq->vector, false));
    irq_take_notification();
    assert_true(pi_any(&cpus[0].pi));
    irq_wake_up();
    cpus[0].sleeping = false;
    assert_int_equal(cpus[0].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN), PI_CONTROL_SN);
    irq_poll();
    assert_int_equal(handled[1], 1);
}

// What was posted while SN was set notified nobody: the sleeper must look again.
static void a_post_before_sn_is_cleared_keeps_the_cpu_awake(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    pi_post(&cpus[0].pi, irq->vector, false);
    assert_false(irq_fall_asleep());
    irq_wake_up();
    irq_poll();
    assert_int_equal(handled[1], 1);
}

static void a_sleeper_has_no_window(void **state)
{
    window_ns = 1000;
    start(IRQ_ADAPTIVE);
    irq_wake_up();
    assert_int_equal(timer_at, 1000);
    assert_true(irq_fall_asleep());
    assert_int_equal(timer_at, 0);
    window_ns = 0;
}

// A timer that falls due before the window must not be its end.
static void the_window_outlives_other_timers(void **state)
{
    struct cpu_timer early = { .fn = stop_it };
    window_ns = 1000;
    start(IRQ_ADAPTIVE);
    irq_wake_up();
    cpu_timer_start(&early, 400);
    assert_int_equal(timer_at, 400);
    now_ns = 400;
    irq_take_timer(); // and the loop, busy elsewhere, doesn't run it
    assert_int_equal(timer_at, 1000);
    now_ns = 1000;
    irq_take_timer();
    assert_int_equal(timer_at, 2000);
    cpu_timer_stop(&early);
    window_ns = 0;
}

static void an_urgent_irq_notifies_an_awake_cpu(void **state)
{
    struct problem p;
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_true(irq_set_urgent(irq, true, &p));
    irq_set_immediate(irq);
    irq_raise(irq);
    assert_int_equal(notifies, 1);
    irq_take_notification();
    assert_int_equal(handled[1], 1); // at once
    assert_int_equal(cpus[0].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN), PI_CONTROL_SN);
    assert_int_equal(irq_poll(), 0);
}

static void the_window_harvests_for_a_busy_cpu(void **state)
{
    window_ns = 1000;
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    irq_wake_up();
    assert_int_equal(timer_at, 1000);
    pi_post(&cpus[0].pi, irq->vector, false);
    now_ns = 400;
    irq_take_timer(); // another timer's: too early
    assert_int_equal(cpus[0].stats.windows, 0);
    now_ns = 1000;
    irq_take_timer();
    assert_int_equal(cpus[0].stats.windows, 1);
    assert_int_equal(timer_at, 2000);
    assert_true(cpus[0].ready[0]);
    window_ns = 0;
}

// ---- immediate handlers, and changes at run time ----

static bool seen_enabled;

static void look(void *arg)
{
    seen_enabled = enabled;
    handled[(uintptr_t)arg]++;
}

static void immediate_handlers_run_in_the_harvest_and_can_be_preempted(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = irq_alloc(&device, 0, 0, look, (void *)9, "x", &p);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    enabled = false; // as the interrupt gate leaves it
    irq_take_notification();
    assert_int_equal(handled[9], 1);
    assert_true(seen_enabled);
    assert_false(enabled);
    assert_int_equal(irq_poll(), 0);
    irq_take_device(irq->vector); // a real vector: not in between
    assert_int_equal(handled[9], 2);
    assert_false(seen_enabled);
}

static void immediate_handlers_left_behind_run_with_interrupts_off(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = irq_alloc(&device, 0, 0, look, (void *)9, "x", &p);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    irq_drain_ready(0xee); // another irq's move harvests
    assert_int_equal(handled[9], 0);
    assert_true(irq_pending());
    seen_enabled = true;
    assert_true(irq_poll());
    assert_int_equal(handled[9], 1);
    assert_false(seen_enabled);
    assert_int_equal(irq_poll(), 0);
}

static void delivery_changes_keep_what_is_pending(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = new_irq(0, 1);
    pi_post(&cpus[0].pi, irq->vector, false);
    assert_true(irq_set_posted(irq, false, &p));
    assert_ptr_equal(irq->chip, &chip);
    irq_take_device(irq->vector); // by the new route
    irq_take_notification();      // by the old one
    irq_poll();
    assert_int_equal(handled[1], 1);
    assert_int_equal(irq->counts[0], 2);
    start(IRQ_REMAPPED);
    irq = new_irq(0, 1);
    assert_false(irq_set_posted(irq, true, &p));
    assert_string_equal(p.what, "irq-delivery");
}

// ---- moves ----

static unsigned moved_to;

static void note_moved(void *arg, unsigned cpu)
{
    moved_to = cpu;
}

static struct irq_move move;
static bool move_ended;

static void note_done(struct irq_move *m)
{
    move_ended = true;
}

static void run_messages_of(unsigned cpu)
{
    current = cpu;
    cpu_run_messages(&cpus[cpu]);
}

static struct irq *moving_irq(enum irq_mode mode)
{
    start(mode);
    struct irq *irq = new_irq(0, 1);
    irq_on_move(irq, note_moved);
    move = (struct irq_move){ .irq = irq, .to = 1, .done = note_done };
    move_ended = false;
    moved_to = 99;
    return irq;
}

static void move_it(void)
{
    move_ended = false;
    current = 1; // asked for from another CPU
    irq_set_affinity(&move);
    run_messages_of(0);
    assert_false(move_ended); // told on the CPU that asked
    run_messages_of(1);
    assert_true(move_ended);
    assert_false(move.irq->raising);
}

static void a_move_gives_another_cpu_and_vector(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    struct irq *other = new_irq(1, 2); // has the first vector there
    move_it();
    assert_true(move.ok);
    assert_int_equal(moved_to, 1);
    assert_int_equal(irq->cpu, 1);
    assert_int_equal(irq->vector, other->vector + 1);
    assert_null(cpus[0].vectors[VECTOR_DEVICE_FIRST]);
    assert_int_equal(notifies, 0); // nothing was pending
}

static void what_was_posted_by_the_old_route_is_raised_anew(void **state)
{
    struct irq *irq = moving_irq(IRQ_ADAPTIVE);
    pi_post(&cpus[0].pi, irq->vector, false); // suppressed: nobody knows yet
    move_it();
    current = 0;
    assert_int_equal(irq_poll(), 0); // not on the old CPU
    current = 1;
    assert_true(irq_poll());
    assert_int_equal(handled[1], 1);
}

static void what_was_requested_by_the_old_route_is_raised_anew(void **state)
{
    struct irq *irq = moving_irq(IRQ_REMAPPED);
    requested = 5;
    move_it();
    assert_true(move.ok);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(vector_sent, irq->vector); // the real vector, by IPI, to its new place
}

static void an_interrupt_that_is_never_taken_is_told(void **state)
{
    moving_irq(IRQ_REMAPPED);
    requested = UINT32_MAX;
    time_passes = true;
    move_it();
    time_passes = false;
    assert_true(move.ok); // it has moved
    assert_int_equal(errors, 1);
}

static void a_move_that_can_not_be_changes_nothing(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    cpus[1].online = false;
    current = 0;
    irq_set_affinity(&move);
    run_messages_of(0);
    run_messages_of(0);
    assert_true(move_ended);
    assert_false(move.ok);
    assert_string_equal(move.problem.what, "irq-affinity");
    cpus[1].online = true;
    route_fails = true;
    move_it();
    assert_false(move.ok);
    assert_string_equal(move.problem.what, "route");
    assert_int_equal(irq->cpu, 0);
    assert_int_equal(irq->vector, VECTOR_DEVICE_FIRST);
    assert_null(cpus[1].vectors[VECTOR_DEVICE_FIRST]);
    route_fails = false;
    irq->moved = NULL;
    move_it();
    assert_string_equal(move.problem.what, "irq-fixed");
}

static void a_move_follows_an_irq_that_moved_meanwhile(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    struct irq_move second = { .irq = irq, .to = 0, .done = note_done };
    current = 0;
    irq_set_affinity(&move);
    irq_set_affinity(&second); // arrives at CPU 0, which has it no more
    run_messages_of(0);
    run_messages_of(1);
    run_messages_of(0);
    assert_true(move.ok && second.ok);
    assert_int_equal(irq->cpu, 0);
}

// ---- the loop ----

static unsigned messages[8], messages_count;

struct numbered {
    struct cpu_msg msg;
    unsigned number;
};

static void note(struct cpu_msg *msg)
{
    messages[messages_count++] = container_of(msg, struct numbered, msg)->number;
    stop = messages_count == 3;
}

static void messages_run_in_the_order_sent(void **state)
{
    struct numbered m[3];
    start(IRQ_POSTED);
    stop = false;
    messages_count = 0;
    for (unsigned i = 0; i < 3; i++) {
        m[i] = (struct numbered){ .msg.fn = note, .number = i + 10 };
        cpu_post(0, &m[i].msg);
    }
    cpu_run_until(&stop);
    assert_int_equal(messages_count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(messages[i], i + 10);
    assert_int_equal(ipis, 0); // it was awake
    assert_true(flushes > 0);
}

static void a_message_wakes_a_sleeper(void **state)
{
    struct numbered m = { .msg.fn = note };
    start(IRQ_POSTED);
    cpu_post(1, &m.msg);
    assert_int_equal(ipis, 0);
    cpus[1].inbox = NULL;
    cpus[1].sleeping = true;
    cpu_post(1, &m.msg);
    assert_int_equal(ipis, 1);
}

static void stop_it(struct cpu_timer *timer)
{
    order[order_count++] = (unsigned)timer->due_ns;
    if (order_count == 3)
        stop = true;
}

static void pass_time(void)
{
    now_ns = timer_at;
    irq_take_timer();
}

static void timers_fire_in_order_and_sleep_between(void **state)
{
    struct cpu_timer t[4] = {
        { .fn = stop_it }, { .fn = stop_it }, { .fn = stop_it }, { .fn = stop_it }
    };
    start(IRQ_POSTED);
    stop = false;
    on_halt = pass_time;
    cpu_timer_start(&t[0], 300);
    cpu_timer_start(&t[1], 100);
    cpu_timer_start(&t[2], 200);
    cpu_timer_start(&t[3], 150);
    cpu_timer_stop(&t[3]);
    assert_int_equal(timer_at, 100);
    cpu_timer_start(&t[1], 250); // moved
    cpu_run_until(&stop);
    assert_int_equal(order_count, 3);
    assert_int_equal(order[0], 200);
    assert_int_equal(order[1], 250);
    assert_int_equal(order[2], 300);
    assert_true(halts >= 3);
}

static void stop_the_loop(void *arg)
{
    stop = true;
}

static void msi_at_the_last_moment(void)
{
    fail_msg("it halted with work pending");
}

// An interrupt between the last look at the ready set and the halt must not be slept over.
static void pending_work_is_never_slept_over(void **state)
{
    struct problem p;
    start(IRQ_REMAPPED);
    stop = false;
    on_halt = msi_at_the_last_moment;
    struct irq *irq = irq_alloc(&device, 0, 0, stop_the_loop, NULL, "x", &p);
    irq_take_device(irq->vector);
    cpu_run_until(&stop);
    assert_int_equal(halts, 0);
}

static void wake_by_msi(void)
{
    irq_take_device(irq_first()->vector);
}

static void an_idle_cpu_halts_until_an_msi(void **state)
{
    struct problem p;
    start(IRQ_REMAPPED);
    stop = false;
    on_halt = wake_by_msi;
    irq_alloc(&device, 0, 0, stop_the_loop, NULL, "x", &p);
    cpu_run_until(&stop);
    assert_int_equal(halts, 1);
    assert_int_equal(cpus[0].stats.sleeps, 1);
    assert_true(cpus[0].stats.idle_tsc > 0);
}

static void fault_handler(void)
{
    stop = true;
}

static void a_fault_event_reaches_its_handler(void **state)
{
    start(IRQ_POSTED);
    stop = false;
    irq_set_fault_handler(fault_handler);
    irq_take_fault();
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.faults, 1);
    assert_false(irq_pending());
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0"; // what mem_alloc() gives is never given back
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_vector_runs_its_handler_from_the_loop),
        cmocka_unit_test(one_notification_carries_many_vectors),
        cmocka_unit_test(poll_mode_needs_no_notification),
        cmocka_unit_test(a_vector_without_irq_is_counted),
        cmocka_unit_test(vectors_are_per_cpu_and_run_out_by_name),
        cmocka_unit_test(freeing_gives_the_vector_back),
        cmocka_unit_test(a_failed_route_leaves_nothing_behind),
        cmocka_unit_test(the_message_comes_from_the_chip),
        cmocka_unit_test(plain_msi_names_cpu_and_vector),
        cmocka_unit_test(adaptive_posts_without_notification_while_awake),
        cmocka_unit_test(a_sleeper_is_notified_and_its_notification_only_wakes),
        cmocka_unit_test(a_post_before_sn_is_cleared_keeps_the_cpu_awake),
        cmocka_unit_test(an_urgent_irq_notifies_an_awake_cpu),
        cmocka_unit_test(the_window_harvests_for_a_busy_cpu),
        cmocka_unit_test(a_sleeper_has_no_window),
        cmocka_unit_test(the_window_outlives_other_timers),
        cmocka_unit_test(immediate_handlers_left_behind_run_with_interrupts_off),
        cmocka_unit_test(immediate_handlers_run_in_the_harvest_and_can_be_preempted),
        cmocka_unit_test(delivery_changes_keep_what_is_pending),
        cmocka_unit_test(a_move_gives_another_cpu_and_vector),
        cmocka_unit_test(what_was_posted_by_the_old_route_is_raised_anew),
        cmocka_unit_test(what_was_requested_by_the_old_route_is_raised_anew),
        cmocka_unit_test(an_interrupt_that_is_never_taken_is_told),
        cmocka_unit_test(a_move_that_can_not_be_changes_nothing),
        cmocka_unit_test(a_move_follows_an_irq_that_moved_meanwhile),
        cmocka_unit_test(messages_run_in_the_order_sent),
        cmocka_unit_test(a_message_wakes_a_sleeper),
        cmocka_unit_test(timers_fire_in_order_and_sleep_between),
        cmocka_unit_test(pending_work_is_never_slept_over),
        cmocka_unit_test(an_idle_cpu_halts_until_an_msi),
        cmocka_unit_test(a_fault_event_reaches_its_handler),
    };
    return cmocka_run_group_tests_name("irq and loop", tests, NULL, NULL);
}
