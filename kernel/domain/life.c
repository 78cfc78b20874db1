// SPDX-License-Identifier: BSD-2-Clause
// A domain's life, as life.h draws it. No step waits: each is taken anew a little later until it is done,
// so the kernel's own work on the boot CPU goes on meanwhile.

#include "kernel/domain/life.h"

#include "kernel/base/report.h"
#include "kernel/domain/info.h"
#include "kernel/domain/tell.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

// Most functions answer at once; those that take their time are asked less often.
#define SOON_NS (50 * NS_PER_US)
#define LATER_NS NS_PER_MS
#define SOON_FOR_NS (10 * NS_PER_MS)
#define LOOK_NS NS_PER_S

// A program that ends at once is begun again less and less often: each life is told of, and a console takes some
// forty of them a second. As many as a person may want to see one after the other come without a pause.
#define SHORT_NS NS_PER_S
#define SHORT_LIVES_FREE 64u
#define PAUSE_NS NS_PER_MS
#define PAUSE_DOUBLINGS 7u

static void step(struct cpu_timer *timer);

static void go_on_in(struct domain *d, enum domain_state state, uint64_t ns)
{
    d->state = state;
    d->at = 0;
    d->since_ns = time_ns();
    d->step.fn = step;
    cpu_timer_start(&d->step, d->since_ns + ns);
}

static void go_on(struct domain *d, enum domain_state state)
{
    go_on_in(d, state, 0);
}

// ---- the start ----

// On the domain's first CPU: the boot CPU has other things to do.
static void clear(struct cpu_msg *msg)
{
    struct domain *d = container_of(msg, struct domain, clear);
    domain_memory_clear(&d->memory);
    domain_program_renew(&d->program);
    for (unsigned i = 0; i < d->team.cpus_count; i++) {
        memset(d->stacks[i], 0, DOMAIN_STACK_BYTES);
        memset(d->team.cpus[i].events, 0, PAGE_BYTES);
    }
    __atomic_store_n(&d->cleared, true, __ATOMIC_RELEASE);
}

static void begin_clearing(struct domain *d)
{
    d->cleared = false;
    d->clear.fn = clear;
    cpu_post(d->seats[0].cpu, &d->clear);
    go_on(d, DOMAIN_CLEARING);
}

static void begin_life(struct domain *d)
{
    d->dying = false;
    begin_clearing(d);
}

static void begin_pause(struct domain *d)
{
    unsigned more = d->short_lives - SHORT_LIVES_FREE - 1;
    d->dying = false;
    go_on_in(d, DOMAIN_PAUSING, PAUSE_NS << MIN(more, PAUSE_DOUBLINGS));
}

static void begin_setting_up(struct domain *d)
{
    domain_info_begin(d);
    go_on(d, DOMAIN_SETTING_UP);
}

// Of what its functions and the links to them log as errors, people hear while it runs.
static void look(struct cpu_timer *timer)
{
    struct domain *d = container_of(timer, struct domain, look);
    uint64_t now = time_ns();
    for (unsigned i = 0; i < d->taken; i++)
        pci_errors_look(d->devices[i]->dev, now);
    cpu_timer_start(timer, now + LOOK_NS);
}

static void time_is_up(struct cpu_timer *timer)
{
    domain_die(container_of(timer, struct domain, time), DOMAIN_END_TIME);
}

static void run(struct domain *d)
{
    domain_info_end(d);
    d->state = DOMAIN_RUNNING;
    d->began_ns = time_ns();
    d->lives++;
    domain_tell_start(d);
    d->time.fn = time_is_up;
    if (d->words->time_us)
        cpu_timer_start(&d->time, d->began_ns + d->words->time_us * NS_PER_US);
    d->look.fn = look;
    if (d->taken)
        cpu_timer_start(&d->look, d->began_ns + LOOK_NS);
    d->working = d->team.cpus_count;
    for (unsigned i = 0; i < d->team.cpus_count; i++)
        domain_cpu_start(&d->team.cpus[i], d->program.plan.entry);
}

// ---- the end ----

void domain_cpu_is_back(struct domain_team *team)
{
    struct domain *d = container_of(team, struct domain, team);
    if (--d->working)
        return;
    bool is_short = d->end != DOMAIN_END_TIME && time_ns() - d->began_ns < SHORT_NS;
    d->short_lives = is_short ? d->short_lives + 1 : 0;
    domain_tell_end(d);
    go_on(d, DOMAIN_SILENCING);
}

static void end_before_running(struct domain *d)
{
    domain_tell_end(d);
    go_on(d, DOMAIN_SILENCING);
}

static void stop_cpus(struct domain *d)
{
    d->state = DOMAIN_STOPPING;
    cpu_timer_stop(&d->time);
    cpu_timer_stop(&d->look);
    for (unsigned i = 0; i < d->team.cpus_count; i++)
        domain_cpu_stop(&d->team.cpus[i]);
}

void domain_die(struct domain *d, enum domain_end end)
{
    if (d->dying || d->state == DOMAIN_OFF || d->state == DOMAIN_LOST)
        return; // it is on its way, or was
    d->dying = true;
    d->end = end;
    if (d->state == DOMAIN_RUNNING)
        stop_cpus(d);
    else if (d->state == DOMAIN_SETTING_UP)
        end_before_running(d);
    // else when the step that it is at has ended
}

void domain_is_over(struct domain_team *team, enum domain_end why)
{
    domain_die(container_of(team, struct domain, team), why);
}

// Its memory is cleared at the start of the next life, and nobody else has it until then. What reaches it
// for ever keeps it for ever.
static void after_silence(struct domain *d)
{
    if (d->any_lost || !d->again || d->lives >= d->words->lives)
        go_on(d, DOMAIN_RETURNING);
    else if (d->short_lives > SHORT_LIVES_FREE)
        begin_pause(d);
    else
        begin_life(d);
}

// ---- all steps ----

static enum domain_step withdraw(struct domain *d, struct domain_device *device)
{
    enum domain_step taken = device->ops->withdraw(device, &d->problem);
    if (taken == DOMAIN_DONE)
        pci_give(device->dev, d->words->name, time_ns());
    return taken;
}

static enum domain_step silence(struct domain *d, struct domain_device *device)
{
    enum domain_step taken = device->ops->silence(device, &d->problem);
    if (taken != DOMAIN_WAITS)
        pci_errors_look(device->dev, time_ns());
    return taken;
}

static enum domain_step give_back(struct domain *d, struct domain_device *device)
{
    if (d->lost[d->at])
        return DOMAIN_DONE;
    pci_give(device->dev, NULL, time_ns());
    return device->ops->give_back(device, &d->problem);
}

static enum domain_step take(struct domain *d, struct domain_device *device)
{
    switch (d->state) {
    case DOMAIN_WITHDRAWING:
        return withdraw(d, device);
    case DOMAIN_SETTING_UP:
        d->grant.function = d->at;
        return device->ops->set_up(device, &d->grant, &d->problem);
    case DOMAIN_SILENCING:
        return silence(d, device);
    default:
        return give_back(d, device);
    }
}

// What can't be done for one function: no life, but an end that goes on with the others.
static bool goes_on_after(struct domain *d, const struct domain_device *device)
{
    switch (d->state) {
    case DOMAIN_SILENCING:
        d->lost[d->at] = true;
        d->any_lost = true;
        domain_tell_lost(d, device);
        return true;
    case DOMAIN_RETURNING:
        error_problem(&d->problem);
        return true;
    default:
        error_problem(&d->problem);
        d->dying = true;
        d->end = DOMAIN_END_START;
        d->again = false; // the next one could be started no better
        return false;
    }
}

static void next(struct domain *d)
{
    switch (d->state) {
    case DOMAIN_WITHDRAWING:
    case DOMAIN_PAUSING:
        return begin_life(d);
    case DOMAIN_CLEARING:
        return begin_setting_up(d);
    case DOMAIN_SETTING_UP:
        return run(d);
    case DOMAIN_SILENCING:
        return after_silence(d);
    default:
        d->state = d->any_lost ? DOMAIN_LOST : DOMAIN_OFF;
    }
}

// Functions whose turn it is in this state: those that were taken from the kernel.
static unsigned turns(const struct domain *d)
{
    if (d->state == DOMAIN_PAUSING || d->state == DOMAIN_CLEARING)
        return 1;
    return d->state == DOMAIN_WITHDRAWING ? d->devices_count : d->taken;
}

static enum domain_step take_next(struct domain *d)
{
    if (d->state == DOMAIN_CLEARING)
        return __atomic_load_n(&d->cleared, __ATOMIC_ACQUIRE) ? DOMAIN_DONE : DOMAIN_WAITS;
    if (d->state == DOMAIN_PAUSING)
        return DOMAIN_DONE;
    return d->at < turns(d) ? take(d, d->devices[d->at]) : DOMAIN_DONE;
}

static void step_again(struct domain *d)
{
    uint64_t now = time_ns();
    cpu_timer_start(&d->step, now + (now - d->since_ns < SOON_FOR_NS ? SOON_NS : LATER_NS));
}

static void step(struct cpu_timer *timer)
{
    struct domain *d = container_of(timer, struct domain, step);
    enum domain_step taken = take_next(d);
    if (taken == DOMAIN_WAITS)
        return step_again(d);
    bool ok = taken == DOMAIN_DONE || goes_on_after(d, d->devices[d->at]);
    if (d->state == DOMAIN_WITHDRAWING && d->at < d->devices_count)
        d->taken += ok;
    if (d->dying && d->state < DOMAIN_RUNNING)
        return end_before_running(d);
    if (++d->at >= turns(d))
        return next(d);
    cpu_timer_start(timer, time_ns());
}

void domain_live(struct domain *d)
{
    d->dying = false;
    d->taken = 0;
    d->again = true;
    d->short_lives = 0;
    go_on(d, DOMAIN_WITHDRAWING);
}
