// SPDX-License-Identifier: BSD-2-Clause
// CPUs, functions, memory and tables for a domain. Where it fails, what was made by then stays unused.

#include "kernel/domain/make.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/domain/life.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "kernel/run/smp.h"
#include "kernel/x86/time.h"
#include "lib/bits.h"
#include "lib/format.h"

// ---- CPUs ----

static bool find_cpus(struct domain *d, struct problem *p)
{
    d->seats = mem_alloc(d->words->cpus_count * sizeof(*d->seats), CACHE_LINE, NODE_ANY);
    for (unsigned place = 0; place < CPU_MAX; place++) {
        if (!(d->words->cpus[place / 64] & BIT64(place % 64)))
            continue;
        unsigned cpu = smp_kept_index(place);
        if (cpu == CPU_MAX)
            return problem_set(p, "domain-cpu",
                               "CPU %u isn't there, or didn't start: name others by "
                               "cpus=",
                               place);
        d->seats[d->team.cpus_count++].cpu = cpu;
    }
    return true;
}

// ---- functions ----

static bool has_device(const struct domain *d, const struct domain_device *device)
{
    for (unsigned i = 0; i < d->devices_count; i++)
        if (d->devices[i] == device)
            return true;
    return false;
}

static const struct domain *owner_of(const struct domain *others,
                                     const struct domain_device *device)
{
    while (others && !has_device(others, device))
        others = others->next;
    return others;
}

// Each, and all of them together: one may reach another past the remapping units.
bool domain_may_have(const struct domain *d, struct problem *p)
{
    struct pci_dev *given[DOMAIN_FUNCTIONS_MAX];
    for (unsigned i = 0; i < d->devices_count; i++) {
        given[i] = d->devices[i]->dev;
        if (!d->devices[i]->ops->check(d->devices[i], d->words, p))
            return false;
    }
    return pci_may_give(given, d->devices_count, p);
}

static bool find_device(struct domain *d, const char *disk, const struct domain *others,
                        struct problem *p)
{
    struct domain_device *device = domain_device_of(disk);
    if (!device)
        return problem_set(p, "domain-disk", "%s is no disk of this machine: see the list above",
                           disk);
    if (has_device(d, device))
        return true;
    const struct domain *owner = owner_of(others, device);
    if (owner)
        return problem_set(p, "domain-function",
                           "%s is on %s, which domain %s has: a function belongs to one alone",
                           disk, device->name, owner->words->name);
    if (d->devices_count == DOMAIN_FUNCTIONS_MAX)
        return problem_set(p, "domain-function", "more than %u functions", DOMAIN_FUNCTIONS_MAX);
    d->devices[d->devices_count++] = device;
    return true;
}

static bool find_devices(struct domain *d, const struct domain *others, struct problem *p)
{
    for (unsigned i = 0; i < d->words->disks_count; i++)
        if (!find_device(d, d->words->disks[i], others, p))
            return false;
    return domain_may_have(d, p);
}

// ---- memory ----

static void map_doorbells(struct domain *d)
{
    for (unsigned i = 0; i < d->devices_count; i++) {
        struct domain_device *device = d->devices[i];
        struct domain_registers r = device->ops->registers(device, d->team.cpus_count);
        space_map(d->space, DOMAIN_DOORBELLS + i * DOMAIN_DOORBELL_SPAN, r.phys, r.bytes,
                  SPACE_REGISTER);
    }
}

static bool make_memory(struct domain *d, struct problem *p)
{
    unsigned node = cpu_node(d->seats[0].cpu);
    d->space = space_create();
    d->reach = d->devices_count ? pci_space_create(p) : NULL;
    if (d->devices_count && !d->reach)
        return false;
    d->info = domain_pages(d->space, DOMAIN_INFO, DOMAIN_INFO_BYTES, SPACE_CONST, node);
    map_doorbells(d);
    return domain_program_map(&d->program, d->space, node, p) &&
           domain_memory_take(&d->memory, d->words->memory, node, d->space, d->reach, p);
}

// ---- its CPUs' pages ----

static void make_cpu(struct domain *d, unsigned i)
{
    unsigned node = cpu_node(d->seats[i].cpu);
    void *events = domain_pages(d->space, domain_events_at(i), PAGE_BYTES, SPACE_DATA, node);
    d->stacks[i] = domain_pages(d->space, domain_stack_top(i) - DOMAIN_STACK_BYTES,
                                DOMAIN_STACK_BYTES, SPACE_DATA, node);
    d->seats[i].of = &d->team.cpus[i];
    domain_cpu_init(d->seats[i].of, &d->team, i, d->seats[i].cpu, events);
}

static void make_team(struct domain *d)
{
    unsigned count = d->team.cpus_count, node = cpu_node(d->seats[0].cpu);
    d->stacks = mem_alloc(count * sizeof(*d->stacks), CACHE_LINE, node);
    d->team = (struct domain_team){
        .name = d->words->name,
        .space = d->space,
        .cpus = mem_alloc(count * sizeof(*d->team.cpus), CACHE_LINE, node),
        .cpus_count = count,
        .patience_ns = d->words->patience_us * NS_PER_US,
        .symbols = &d->program.symbols,
        .over = domain_is_over,
        .is_back = domain_cpu_is_back,
    };
    domain_voice_begin(&d->team.voice, time_ns());
    for (unsigned i = 0; i < count; i++)
        make_cpu(d, i);
}

static bool make(struct domain *d, const struct domain *others, const struct handoff *h,
                 struct problem *p)
{
    if (!domain_program_find(&d->program, h, d->words, p) || !find_cpus(d, p) ||
        !find_devices(d, others, p) || !make_memory(d, p))
        return false;
    make_team(d);
    return true;
}

struct domain *domain_make(const struct domain_words *words, const struct domain *others,
                           const struct handoff *h, struct problem *p)
{
    struct problem why;
    struct domain *d = mem_alloc(sizeof(*d), CACHE_LINE, NODE_ANY);
    d->words = words;
    if (make(d, others, h, &why))
        return d;
    (void)problem_set(p, why.what, "domain %s: %s", words->name, why.message);
    return NULL;
}
