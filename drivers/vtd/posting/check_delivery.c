// SPDX-License-Identifier: BSD-2-Clause
// From a request to each CPU.

#include "drivers/vtd/posting/check.h"
#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/mem/mem.h"

#define SLEEP_NS (20 * NS_PER_MS) // within which an idle CPU has fallen asleep
#define SLEEP_TRIES 20            // what else happens may have woken it

static bool remapped_to(struct rig *r, unsigned cpu, struct verdict *v)
{
    struct irte e = irte_remapped(cpu_apic_id(cpu), r->irqs[cpu]->vector, r->from);
    return rig_write(r, r->entry, e, v) && rig_send(r, v) && rig_expect(r, cpu, 1, v);
}

static bool check_remapped(struct rig *r, struct verdict *v)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (!remapped_to(r, cpu, v))
            return false;
    return true;
}

// By its own descriptor, in the mode that is in force: what the CPU's loop or its notification finds.
// The boot CPU, which is here and not in its loop, looks itself.
static bool arrives_at(const struct rig *r, unsigned cpu)
{
    if (cpu == cpu_index())
        irq_poll();
    return rig_arrived(r, cpu) >= 1;
}

static bool runtime_post(struct rig *r, unsigned cpu, struct verdict *v)
{
    const struct pi_desc *own = irq_pi_desc(cpu);
    if (!own)
        return verdict_skip(v, "the runtime posts to no CPU");
    return rig_write(r, r->entry, irte_posted(mem_phys(own), r->irqs[cpu]->vector, false, r->from),
                     v) &&
           rig_send(r, v);
}

static bool runtime_posted_to(struct rig *r, unsigned cpu, struct verdict *v)
{
    if (!runtime_post(r, cpu, v))
        return false;
    (void)poll_until(arrives_at(r, cpu), RIG_WAIT_NS);
    return rig_expect(r, cpu, 1, v);
}

// ---- awake ----

// Sends itself to the CPU that it is on, which so has work without end.
static struct waker {
    struct cpu_msg msg;
    bool stop, stopped, lost; // once it doesn't stop, it is still about
} waker;

static void stay_awake(struct cpu_msg *msg)
{
    if (__atomic_load_n(&waker.stop, __ATOMIC_ACQUIRE))
        __atomic_store_n(&waker.stopped, true, __ATOMIC_RELEASE);
    else
        cpu_post(cpu_index(), msg);
}

static bool keep_awake(unsigned cpu, struct verdict *v)
{
    if (cpu == cpu_index())
        return true;
    if (waker.lost)
        return verdict_fail(v, "a CPU has not answered since an earlier test");
    waker = (struct waker){ .msg.fn = stay_awake };
    cpu_post(cpu, &waker.msg);
    return true;
}

static bool let_sleep(unsigned cpu, struct verdict *v)
{
    if (cpu == cpu_index())
        return true;
    __atomic_store_n(&waker.stop, true, __ATOMIC_RELEASE);
    waker.lost = !poll_until(__atomic_load_n(&waker.stopped, __ATOMIC_ACQUIRE), RIG_ANSWER_NS);
    return !waker.lost || verdict_fail(v, "CPU %u doesn't answer", cpu);
}

static bool awake_posted_to(struct rig *r, unsigned cpu, struct verdict *v)
{
    if (!keep_awake(cpu, v))
        return false;
    bool ok = runtime_posted_to(r, cpu, v);
    return let_sleep(cpu, v) && ok;
}

static bool check_runtime(struct rig *r, struct verdict *v)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (!awake_posted_to(r, cpu, v))
            return false;
    return true;
}

static bool notified(struct rig *r, unsigned cpu, struct verdict *v)
{
    rig_descriptor(r, cpu, 0);
    return rig_post(r, 0x42, false, v) && rig_expect_posted(r, 0x42, v) && rig_expect(r, cpu, 1, v);
}

static bool check_notified(struct rig *r, struct verdict *v)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (!notified(r, cpu, v))
            return false;
    return true;
}

// ---- asleep ----

// A sleep counts as ended by what was posted only if it was one.
static bool woke(struct rig *r, unsigned cpu, bool *slept, struct verdict *v)
{
    uint64_t sleeps = cpu_stats(cpu)->sleeps;
    (void)poll_until(cpu_stats(cpu)->sleeps != sleeps, SLEEP_NS);
    time_delay_ns(SLEEP_NS);
    uint64_t wakes = cpu_stats(cpu)->wakes;
    if (!runtime_posted_to(r, cpu, v))
        return false;
    *slept = cpu_stats(cpu)->wakes != wakes;
    return true;
}

static bool sleeper_woke(struct rig *r, unsigned cpu, struct verdict *v)
{
    bool slept = false;
    for (unsigned i = 0; i < SLEEP_TRIES && !slept; i++)
        if (!woke(r, cpu, &slept, v))
            return false;
    return slept || verdict_skip(v, "CPU %u was never found asleep", cpu);
}

static bool check_asleep(struct rig *r, struct verdict *v)
{
    if (irq_get_mode() == IRQ_POLL)
        return verdict_skip(v, "irq=poll never sleeps");
    if (cpu_count() < 2)
        return verdict_skip(v, "the boot CPU is awake, and there is no other: raise cpus=");
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++)
        if (!sleeper_woke(r, cpu, v))
            return false;
    return true;
}

const struct posting_check checks_delivery[] = {
    { "remapped", "5.1.5", false, check_remapped },
    { "posted", "5.2.3", true, check_runtime },
    { "notified", "5.2.3", true, check_notified },
    { "asleep", "5.2.3", true, check_asleep },
    { 0 },
};
