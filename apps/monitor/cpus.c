// SPDX-License-Identifier: BSD-2-Clause
// Commands about CPUs: what they are, their posted-interrupt descriptors, in use or not.

#include "apps/monitor/monitor.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/mem.h"
#include "kernel/run/hotplug.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

// ---- cpus ----

static const char *node_text(unsigned node, char to[12])
{
    format_text(to, 12, node == NODE_ANY ? "-" : "%u", node);
    return to;
}

static bool cpus(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 0, p))
        return false;
    info("CPU  APIC id     node  state          MSIs  notified    timers      IPIs    sleeps  "
         "spurious");
    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct cpu_stats *s = cpu_stats(i);
        char node[12];
        info("%3u  0x%08x  %4s  %-8s  %9lu %9lu %9lu %9lu %9lu %9lu", i, cpu_apic_id(i),
             node_text(cpu_node(i), node), cpu_is_online(i) ? "online" : "offline", s->msis,
             s->notifications, s->timers, s->ipis, s->sleeps, s->spurious);
    }
    return true;
}

COMMAND(command_cpus) = {
    .name = "cpus",
    .help = "CPUs in use, and what each has taken since boot",
    .when = COMMAND_ALWAYS,
    .run = cpus,
};

// ---- pid ----

static const struct command_field control_fields[] = {
    { "ON", PI_CONTROL_ON,
      (const char *const[]){ "no notification is outstanding", "a notification is outstanding",
                             NULL } },
    { "SN", PI_CONTROL_SN,
      (const char *const[]){ "posts notify", "suppressed, but of urgent ones", NULL } },
    { "NV", PI_CONTROL_NV, NULL },
    { "NDST", PI_CONTROL_NDST, NULL },
};

static void print_descriptor(unsigned cpu)
{
    const struct pi_desc *d = irq_pi_desc(cpu);
    info("CPU %u: posted-interrupt descriptor at 0x%llx (VT-d 9.11)", cpu,
         (unsigned long long)mem_phys(d));
    for (unsigned w = 0; w < PI_WORDS; w++)
        info("  PIR %3u:%-3u %016llx", 64 * w + 63, 64 * w,
             (unsigned long long)atomic_load_explicit(&d->pir[w], memory_order_relaxed));
    command_print_fields("  bits 319:256", atomic_load_explicit(&d->control, memory_order_relaxed),
                         control_fields, ARRAY_SIZE(control_fields));
}

static bool pid(const struct command_words *words, struct problem *p)
{
    uint64_t cpu;
    if (!command_at_most(words, 1, p) ||
        !command_number(words, 1, "CPU", cpu_count() - 1, 0, &cpu, p))
        return false;
    if (!irq_pi_desc(0))
        return problem_set(p, "monitor-word", "pid: this machine doesn't post: there are none");
    if (words->count > 1) {
        print_descriptor((unsigned)cpu);
        return true;
    }
    for (unsigned i = 0; i < cpu_count(); i++)
        print_descriptor(i);
    return true;
}

COMMAND(command_pid) = {
    .name = "pid",
    .usage = "[CPU]",
    .help = "posted-interrupt descriptors, raw and decoded",
    .when = COMMAND_ALWAYS,
    .run = pid,
};

// ---- cpu offline, cpu online ----

static bool changed;

static void change_done(struct cpu_change *change)
{
    changed = true;
}

static bool change_cpu(unsigned cpu, bool online, struct problem *p)
{
    static struct cpu_change change;
    change = (struct cpu_change){ .cpu = cpu, .done = change_done };
    changed = false;
    (online ? cpu_online : cpu_offline)(&change);
    monitor_wait(&changed);
    if (!change.ok) {
        *p = change.problem;
        return false;
    }
    info("CPU %u is %s", cpu, online ? "back in use" : "out of use");
    return true;
}

static bool cpu(const struct command_words *words, struct problem *p)
{
    uint64_t index;
    bool online = words->count > 1 && !strcmp(words->word[1], "online");
    if (!command_at_most(words, 2, p) ||
        !command_number(words, 2, "CPU", cpu_count() - 1, 0, &index, p))
        return false;
    if (words->count < 3 || (!online && strcmp(words->word[1], "offline")))
        return problem_set(p, "monitor-word",
                           "cpu: say cpu offline N, or cpu online N; see help cpu");
    return change_cpu((unsigned)index, online, p);
}

static const char *cpu_candidate(const struct command_words *before, size_t i)
{
    static const char *const ways[] = { "offline", "online" };
    return before->count == 1 && i < ARRAY_SIZE(ways) ? ways[i] : NULL;
}

COMMAND(command_cpu) = {
    .name = "cpu",
    .usage = "offline|online N",
    .help = "takes a CPU out of use, or back",
    .more = "Its irqs, with their queues, and its timers go to other CPUs, and come home later.\n"
            "CPU 0 stays. What apps share out over all CPUs stays so: CPU 0 does the part of one "
            "that is\n"
            "out of use, whose column of a job's tables then tells nothing.",
    .run = cpu,
    .candidate = cpu_candidate,
};
