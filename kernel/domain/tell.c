// SPDX-License-Identifier: BSD-2-Clause
// Lines and JSON objects about a domain's life.

#include "kernel/domain/tell.h"

#include "kernel/base/report.h"
#include "kernel/domain/life.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"

#define LIVES_TOLD 3 // in lines, too; further ones as JSON alone

static const char *const states[] = {
    [DOMAIN_OFF] = "off",
    [DOMAIN_WITHDRAWING] = "being started",
    [DOMAIN_PAUSING] = "pausing",
    [DOMAIN_CLEARING] = "being started",
    [DOMAIN_SETTING_UP] = "being started",
    [DOMAIN_RUNNING] = "running",
    [DOMAIN_STOPPING] = "being ended",
    [DOMAIN_SILENCING] = "being ended",
    [DOMAIN_RETURNING] = "being ended",
    [DOMAIN_LOST] = "lost: a function of its couldn't be silenced",
};

static const struct {
    const char *word, *text;
} ends[] = {
    [DOMAIN_END_EXIT] = { "exit", "by itself" },
    [DOMAIN_END_FAILED] = { "failed", "by itself, as failed" },
    [DOMAIN_END_FAULT] = { "fault", "since it did what it may not" },
    [DOMAIN_END_TIME] = { "time", "since its time was up" },
    [DOMAIN_END_KILLED] = { "killed", "as it was told to" },
    [DOMAIN_END_START] = { "start", "before it began" },
};

static bool is_told(const struct domain *d)
{
    return d->lives <= LIVES_TOLD;
}

// As many as there is room for.
static const char *cpus_text(const struct domain *d, char *to, size_t bytes)
{
    size_t used = 0;
    for (unsigned i = 0; i < d->team.cpus_count && used + 8 < bytes; i++)
        used +=
            (size_t)format_text(to + used, bytes - used, "%s%u", i ? ", " : "", d->seats[i].cpu);
    return to;
}

void domain_tell_start(const struct domain *d)
{
    char cpus[64];
    if (is_told(d))
        info("domain %s: begins on CPU%s %s, with %llu MiB and %u function%s", d->words->name,
             d->team.cpus_count == 1 ? "" : "s", cpus_text(d, cpus, sizeof(cpus)),
             (unsigned long long)(d->words->memory / MIB), d->devices_count,
             d->devices_count == 1 ? "" : "s");
}

// A program that fails says why, as a rule, which counts as an error of the run; what it doesn't say counts, too.
static void tell_silent_failure(const struct domain *d)
{
    if (d->end == DOMAIN_END_FAILED && !report_failed())
        error("domain-failed",
              "domain %s: its program ended as failed and told no error: look at what it printed, "
              "and have it say why",
              d->words->name);
}

// All that is nobody's: an arena that grows takes of the one what it adds to the other.
static uint64_t memory_free(void)
{
    return mem_free_bytes() + mem_dma_bytes() - mem_dma_used();
}

void domain_tell_end(const struct domain *d)
{
    char buffer[256];
    struct json j;
    bool ran = d->state >= DOMAIN_RUNNING;
    uint64_t ms = ran ? (time_ns() - d->began_ns) / NS_PER_MS : 0;
    if (is_told(d))
        info("domain %s: ended after %llu ms, %s", d->words->name, (unsigned long long)ms,
             ends[d->end].text);
    json_begin(&j, buffer, sizeof(buffer), "domain");
    json_text(&j, "name", d->words->name);
    json_u64(&j, "life", d->lives + !ran);
    json_text(&j, "end", ends[d->end].word);
    json_u64(&j, "ms", ms);
    json_u64(&j, "memory_free", memory_free());
    report_json(&j);
    tell_silent_failure(d);
}

void domain_tell_lost(const struct domain *d, const struct domain_device *device)
{
    error("domain-lost",
          "domain %s: %s can't be silenced (%s): its %llu MiB of memory serve nobody any more; "
          "reset the machine",
          d->words->name, device->name, d->problem.message,
          (unsigned long long)(d->words->memory / MIB));
}

void domain_tell_state(const struct domain *d)
{
    char cpus[64];
    info("%-15s  %-13s  CPU%s %-12s  %6llu MiB  %2u function%s  %u %s", d->words->name,
         states[d->state], d->team.cpus_count == 1 ? " " : "s", cpus_text(d, cpus, sizeof(cpus)),
         (unsigned long long)(d->words->memory / MIB), d->devices_count,
         d->devices_count == 1 ? " " : "s", d->lives, d->lives == 1 ? "life" : "lives");
}
