// SPDX-License-Identifier: BSD-2-Clause
// Domains as the command line has them: what each is made of, and who waits for them.

#include "kernel/domain/domain.h"

#include "kernel/base/report.h"
#include "kernel/domain/leaks.h"
#include "kernel/domain/life.h"
#include "kernel/domain/make.h"
#include "kernel/domain/tell.h"
#include "kernel/pci/pci.h"
#include "kernel/run/loop.h"
#include "kernel/run/smp.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define LOOK_NS (10 * NS_PER_MS)
#define TELL_NS (10 * NS_PER_S)
#define END_NS                                                                                     \
    (30 * NS_PER_S) // a run that failed in a step of a life leaves nobody to take the next one

static struct {
    struct domain_words words[DOMAINS_MAX];
    unsigned count;
    uint64_t places[CPU_MAX / 64];
    struct domain *first;
} domains;

void domains_read(const struct cmdline *c)
{
    struct problem p;
    size_t length;
    const char *text = NULL;
    while ((text = cmdline_next(c, "domain", text, &length)))
        if (!domain_words_add(domains.words, &domains.count, text, length, &p))
            fail_problem(&p);
    domain_words_places(domains.words, domains.count, domains.places);
    if (domains.count)
        smp_keep_back(domains.places);
}

bool domains_are_asked_for(void)
{
    return domains.count;
}

struct domain *domain_first(void)
{
    return domains.first;
}

struct domain *domain_next(const struct domain *d)
{
    return d->next;
}

struct domain *domain_find(const char *name)
{
    struct domain *d = domains.first;
    while (d && strcmp(d->words->name, name) != 0)
        d = d->next;
    return d;
}

const char *domain_name(const struct domain *d)
{
    return d->words->name;
}

// ---- waiting ----

struct wait {
    struct cpu_timer timer;
    bool (*is_over)(const struct domain *d);
    uint64_t tell_ns; // next
    uint64_t end_ns;
    bool done;
};

static bool is_settled(const struct domain *d)
{
    return d->state == DOMAIN_OFF || d->state == DOMAIN_LOST;
}

static bool has_begun(const struct domain *d)
{
    return is_settled(d) || d->state >= DOMAIN_RUNNING;
}

static const struct domain *first_not(bool (*is_over)(const struct domain *d))
{
    const struct domain *d = domains.first;
    while (d && is_over(d))
        d = d->next;
    return d;
}

static void look(struct cpu_timer *timer)
{
    struct wait *w = container_of(timer, struct wait, timer);
    const struct domain *d = first_not(w->is_over);
    uint64_t now = time_ns();
    if (d && now >= w->tell_ns) {
        domain_tell_state(d);
        w->tell_ns = now + TELL_NS;
    }
    w->done = !d || now >= w->end_ns;
    if (!w->done)
        cpu_timer_start(timer, now + LOOK_NS);
}

// Until then at the latest.
static void wait_for(bool (*is_over)(const struct domain *d), uint64_t end_ns)
{
    uint64_t now = time_ns();
    struct wait w = {
        .timer.fn = look, .is_over = is_over, .tell_ns = now + TELL_NS, .end_ns = end_ns
    };
    if (!first_not(is_over))
        return;
    cpu_timer_start(&w.timer, now);
    cpu_run_until(&w.done);
}

// ---- breaches and losses ----

static struct domain *owner_of(const struct pci_dev *dev)
{
    for (struct domain *d = domains.first; d; d = d->next)
        for (unsigned i = 0; i < d->devices_count; i++)
            if (d->devices[i]->dev == dev)
                return d;
    return NULL;
}

// Of what came beside the breach that it ends by people have heard: more may be read until its next life begins.
static bool ends_by_breach(const struct domain *d)
{
    return d->end == DOMAIN_END_FAULT && (d->dying || d->state < DOMAIN_RUNNING);
}

// What was blocked of a function is held against the domain that runs it, once. The function is off the bus at
// once, too: its CPUs may take a while to come back, and each breach is the boot CPU's work. Where it isn't known
// whose it was, it is held against none: nothing got through. Nor is what came late of one that was taken from it.
static bool blocked(struct pci_dev *dev, const struct pci_blocked *what)
{
    struct domain *d = dev ? owner_of(dev) : NULL;
    if (!d || d->state < DOMAIN_PAUSING || d->state > DOMAIN_SILENCING)
        return false;
    if (dev->granted && d->state == DOMAIN_RUNNING && !d->dying) {
        error("domain-dma", "domain %s: %s: the domain ends", d->words->name, what->sentence);
        domain_die(d, DOMAIN_END_FAULT);
    }
    if (dev->granted && d->state == DOMAIN_STOPPING)
        pci_stop_bus_master(dev);
    return ends_by_breach(d);
}

// Its requests under way get no answer any more.
static void lost(struct pci_dev *dev)
{
    struct domain *d = owner_of(dev);
    if (!d || d->state != DOMAIN_RUNNING || d->dying)
        return;
    error("domain-lost",
          "domain %s: %s was reset along with %s, its physical function: the domain ends",
          d->words->name, dev->name, dev->physical->name);
    domain_die(d, DOMAIN_END_FAULT);
}

// ---- the start ----

void domains_start(const struct handoff *h)
{
    struct domain **end = &domains.first;
    struct problem p;
    for (unsigned i = 0; i < domains.count; i++) {
        struct domain *d = domain_make(&domains.words[i], domains.first, h, &p);
        if (!d) {
            error_problem(&p);
            continue;
        }
        *end = d;
        end = &d->next;
    }
    domain_warn_leaks(domains.first);
    pci_on_blocked(blocked);
    pci_on_lost(lost);
    for (struct domain *d = domains.first; d; d = d->next)
        domain_live(d);
    wait_for(has_begun, UINT64_MAX);
}

void domains_wait(void)
{
    wait_for(is_settled, UINT64_MAX);
}

void domains_end(void)
{
    for (struct domain *d = domains.first; d; d = d->next) {
        d->again = false;
        domain_die(d, DOMAIN_END_KILLED);
    }
    wait_for(is_settled, time_ns() + END_NS);
    const struct domain *left = first_not(is_settled);
    if (left)
        warn("domain-end",
             "domain %s did not end within %llu s: the run ends all the same, and its functions "
             "are shut out of memory",
             left->words->name, END_NS / NS_PER_S);
}

// ---- the monitor's ----

void domain_print(const struct domain *d)
{
    domain_tell_state(d);
}

bool domain_start(struct domain *d, struct problem *p)
{
    if (d->state == DOMAIN_LOST)
        return problem_set(p, "domain-lost",
                           "%s has a function that couldn't be silenced: reset the machine",
                           d->words->name);
    if (d->state != DOMAIN_OFF)
        return problem_set(p, "domain-state", "%s runs already, or its end is under way",
                           d->words->name);
    if (!domain_may_have(d, p))
        return false;
    domain_live(d);
    return true;
}

bool domain_kill(struct domain *d, struct problem *p)
{
    if (is_settled(d))
        return problem_set(p, "domain-state", "%s doesn't run", d->words->name);
    d->again = false;
    domain_die(d, DOMAIN_END_KILLED);
    return true;
}
