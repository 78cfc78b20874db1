// SPDX-License-Identifier: BSD-2-Clause
// Taking a CPU out of use and back.
//
// Out: on the CPU itself, it is no longer told of as online, and its irqs move to the others. Then one
// message makes the round of all other CPUs: once each has run it, none can still be about to send
// us something, since senders look first and then send without a pause. What has come until then is
// run, the timers go to the boot CPU, and the CPU halts for good: only INIT ends that.
//
// Back: the boot CPU gives it its timers and starts it; then its irqs move home, one after the other.

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_move.h"
#include "kernel/run/hotplug.h"
#include "kernel/run/smp.h"
#include "kernel/x86/apic.h"

static struct {
    struct cpu_msg round;
    unsigned next; // CPU that runs it next
    struct cpu_change *change;
    struct cpu_timer *timers; // the leaving CPU's, for the boot CPU
    unsigned spread;          // where the next irq goes
} leave;

// ---- out: on the CPU that leaves ----

static unsigned another_cpu(void)
{
    do {
        leave.spread = (leave.spread + 1) % cpu_count();
    } while (!cpu_is_online(leave.spread));
    return leave.spread;
}

// One CPU may have no vector left where another has.
static bool move_away(struct irq *irq, struct problem *p)
{
    for (unsigned tries = 1; tries < cpu_count(); tries++)
        if (irq_move_here(irq, another_cpu(), p))
            return true;
    return false;
}

// What can't be moved is left where it is, and the CPU stays.
static bool move_irqs_away(struct problem *p)
{
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq->cpu == cpu_index() && !move_away(irq, p))
            return false;
    return true;
}

// A list that another CPU has let go of. Boot CPU.
static void start_guests(struct cpu_timer *timers)
{
    for (struct cpu_timer *timer = timers, *next; timer; timer = next) {
        next = timer->next;
        timer->armed = false;
        timer->guest = true;
        cpu_timer_start(timer, timer->due_ns);
    }
}

static void tell(struct cpu_msg *msg) // boot CPU
{
    start_guests(leave.timers);
    leave.timers = NULL;
    leave.change->done(leave.change);
}

noreturn void hotplug_halt(struct cpu *cpu)
{
    while (cpu_run_messages(cpu))
        ;
    leave.timers = cpu->timers;
    cpu->timers = NULL;
    leave.round.fn = tell;
    cpu_post(0, &leave.round);
    interrupts_off();
    apic_stop_timer();
    halt_forever();
}

static bool has_irqs(void)
{
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq_is_here(irq))
            return true;
    return false;
}

static void leave_with_irqs(void);

static void go_round(struct cpu_msg *msg)
{
    do {
        leave.next++;
    } while (leave.next < cpu_count() && !cpu_is_online(leave.next));
    if (leave.next < cpu_count())
        cpu_post(leave.next, msg);
    else
        cpu_post_always(leave.change->cpu, msg);
}

static void come_round(struct cpu_msg *msg)
{
    if (cpu_index() != leave.change->cpu)
        go_round(msg);
    else if (has_irqs()) // one was already on its way here: once more
        leave_with_irqs();
    else
        this_cpu()->leaving = true; // the loop ends after this round, then hotplug_halt()
}

static void report_failure(struct cpu_msg *msg) // boot CPU
{
    leave.change->done(leave.change);
}

static void bring_irqs_home(struct cpu_change *change);

static void stay(struct cpu_msg *msg) // boot CPU: some irqs may have left already
{
    bring_irqs_home(leave.change);
}

static void leave_with_irqs(void)
{
    struct cpu_change *change = leave.change;
    struct cpu *cpu = this_cpu();
    __atomic_store_n(&cpu->online, false, __ATOMIC_SEQ_CST);
    change->ok = move_irqs_away(&change->problem);
    if (!change->ok) {
        __atomic_store_n(&cpu->online, true, __ATOMIC_SEQ_CST);
        irq_follow_mode();
        change->msg.fn = stay;
        cpu_post(0, &change->msg);
        return;
    }
    leave.next = UINT32_MAX; // go_round() begins with CPU 0
    leave.round.fn = come_round;
    go_round(&leave.round);
}

static void begin_to_leave(struct cpu_msg *msg)
{
    leave_with_irqs();
}

// The answer to what can't be done comes as any other: later, from the loop.
static bool refuse(struct cpu_change *change, bool online)
{
    if (change->cpu > 0 && change->cpu < cpu_count() && cpu_is_online(change->cpu) == online)
        return false;
    change->ok =
        problem_set(&change->problem, "cpu-change",
                    "CPU %u can't be taken %s: it is the boot CPU, not in use, or so already",
                    change->cpu, online ? "out of use" : "back");
    leave.change = change;
    change->msg.fn = report_failure;
    cpu_post(0, &change->msg);
    return true;
}

void cpu_offline(struct cpu_change *change)
{
    if (refuse(change, true))
        return;
    leave.change = change;
    change->msg.fn = begin_to_leave;
    cpu_post(change->cpu, &change->msg);
}

// ---- back ----

static struct {
    struct cpu_change *change;
    struct irq *irq; // on its way home
    struct irq_move move;
} back;

static void next_irq_home(void);

// One that can't come works where it is.
static void irq_is_home(struct irq_move *move)
{
    if (!move->ok)
        error_problem(&move->problem);
    back.irq = back.irq->next;
    next_irq_home();
}

static void next_irq_home(void)
{
    while (back.irq && (back.irq->home != back.change->cpu || !back.irq->moved))
        back.irq = back.irq->next;
    if (!back.irq) {
        back.change->done(back.change);
        return;
    }
    back.move = (struct irq_move){ .irq = back.irq, .to = back.change->cpu, .done = irq_is_home };
    irq_set_affinity(&back.move);
}

static void bring_irqs_home(struct cpu_change *change) // boot CPU
{
    back.change = change;
    back.irq = irq_first();
    next_irq_home();
}

// While it is away still, so that it never lacks them. Both lists are in order.
static void return_guests(struct cpu *to)
{
    struct cpu_timer **link = &this_cpu()->timers, **end = &to->timers, *timer;
    while ((timer = *link))
        if (timer->cpu == to->index) {
            *link = timer->next;
            timer->next = NULL;
            timer->guest = false;
            *end = timer;
            end = &timer->next;
        } else {
            link = &timer->next;
        }
}

static void come_back(struct cpu_msg *msg)
{
    struct cpu_change *change = container_of(msg, struct cpu_change, msg);
    struct cpu *cpu = cpu_get(change->cpu);
    return_guests(cpu);
    change->ok = smp_start_cpu(change->cpu, &change->problem);
    if (change->ok) {
        bring_irqs_home(change);
        return;
    }
    start_guests(cpu->timers);
    cpu->timers = NULL;
    change->done(change);
}

void cpu_online(struct cpu_change *change)
{
    if (refuse(change, false))
        return;
    change->msg.fn = come_back;
    cpu_post(0, &change->msg);
}
