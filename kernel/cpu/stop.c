// SPDX-License-Identifier: BSD-2-Clause
// Stops the other CPUs by NMI, whatever they are doing.
//
// A CPU that asks becomes the asker, and is so for good where it stops the others. An NMI of ours
// is announced in its target's stop_asked, so that any other can be told from it, even where it
// comes late.

#include "kernel/cpu/stop.h"

#include "kernel/base/percpu.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"

#define ANSWER_WAIT_NS (100 * NS_PER_MS)

static struct {
    unsigned asker; // index + 1; 0: nobody
    bool for_good;
} stop;

static bool is_asker(void)
{
    return __atomic_load_n(&stop.asker, __ATOMIC_ACQUIRE) == cpu_index() + 1;
}

static bool is_for_good(void)
{
    return __atomic_load_n(&stop.for_good, __ATOMIC_ACQUIRE);
}

// One that only holds the others lets go soon; meanwhile its NMI comes here.
static bool become_asker(void)
{
    unsigned none = 0;
    while (!__atomic_compare_exchange_n(&stop.asker, &none, cpu_index() + 1, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        if (none == cpu_index() + 1)
            return true;
        if (is_for_good())
            return false;
        none = 0;
        cpu_relax();
    }
    return true;
}

static bool all_stand_by(bool wanted)
{
    for (unsigned i = 0; i < cpu_total(); i++)
        if (cpu_get(i) != this_cpu() && cpu_is_online(i) && !cpu_state_of(i) == wanted)
            return false;
    return true;
}

static void send_nmis(void)
{
    for (unsigned i = 0; i < cpu_total(); i++) {
        if (cpu_get(i) == this_cpu() || !cpu_is_online(i) || cpu_state_of(i))
            continue;
        __atomic_store_n(&cpu_get(i)->stop_asked, true, __ATOMIC_RELEASE);
        apic_send_nmi(cpu_apic_id(i));
    }
}

static bool ask(bool for_good)
{
    if (!become_asker())
        return false;
    if (for_good && is_for_good())
        return true; // and all has been done
    __atomic_store_n(&stop.for_good, for_good, __ATOMIC_RELEASE);
    if (!apic_is_ready())
        return true;
    send_nmis();
    (void)poll_until(all_stand_by(true),
                     ANSWER_WAIT_NS); // who doesn't is told of, or doesn't matter
    return true;
}

bool cpu_stop_others(void)
{
    return ask(true);
}

bool cpu_hold_others(void)
{
    return ask(false);
}

void cpu_release_others(void)
{
    __atomic_store_n(&stop.asker, 0, __ATOMIC_RELEASE);
    (void)poll_until(all_stand_by(false), ANSWER_WAIT_NS); // as above
}

static void stand_by(const struct trap_frame *frame)
{
    struct cpu *cpu = this_cpu();
    struct cpu_state state = { .frame = frame };
    if (cpu->held)
        halt_forever(); // it stood by already, in an exception
    mce_read(&state.mce);
    __atomic_store_n(&cpu->held, &state, __ATOMIC_RELEASE);
    while (__atomic_load_n(&stop.asker, __ATOMIC_ACQUIRE)) {
        if (is_for_good())
            halt_forever();
        cpu_relax();
    }
    __atomic_store_n(&cpu->held, NULL, __ATOMIC_RELEASE);
}

bool cpu_stand_by(const struct trap_frame *frame)
{
    bool ours = __atomic_exchange_n(&this_cpu()->stop_asked, false, __ATOMIC_ACQ_REL);
    if (is_asker())
        return true;
    if (!__atomic_load_n(&stop.asker, __ATOMIC_ACQUIRE))
        return ours; // it came late
    stand_by(frame);
    return true;
}

// Whoever asks may do so later only.
noreturn void cpu_stand_by_for_good(const struct trap_frame *frame)
{
    struct cpu *cpu = this_cpu();
    struct cpu_state state = { .frame = frame };
    if (!cpu->held) {
        mce_read(&state.mce);
        __atomic_store_n(&cpu->held, &state, __ATOMIC_RELEASE);
    }
    halt_forever();
}

void cpu_wait_for_others(uint64_t timeout_ns)
{
    (void)poll_until(all_stand_by(true), timeout_ns); // the rest is asked next
}

const struct cpu_state *cpu_state_of(unsigned cpu)
{
    return __atomic_load_n(&cpu_get(cpu)->held, __ATOMIC_ACQUIRE);
}
