// SPDX-License-Identifier: BSD-2-Clause

#include "apps/live.h"

#include "apps/latency.h"
#include "kernel/base/cpus.h"
#include "kernel/base/panel.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/muldiv.h"

#define WHAT_BYTES 120
#define LEAST_NS (NS_PER_S / 2) // between two looks

static struct {
    const struct disks *disks;
    char what[WHAT_BYTES];
    struct panel panel;
    struct live_disk *now, *last;
    struct panel_disk *shown;
    struct cpu_stats *stats; // as they were then
    uint8_t *busy;
    uint64_t last_ns, last_tsc;
    uint64_t most_ios; // of a disk, in a second
} live;

bool live_is_shown(void)
{
    return screen_columns();
}

static void *get(size_t count, size_t bytes)
{
    return mem_alloc(count * bytes, CACHE_LINE, NODE_ANY);
}

static void allocate(void)
{
    live.now = get(DISKS_MAX, sizeof(*live.now));
    live.last = get(DISKS_MAX, sizeof(*live.last));
    live.shown = get(DISKS_MAX, sizeof(*live.shown));
    live.stats = get(cpu_count(), sizeof(*live.stats));
    live.busy = get(cpu_count(), sizeof(*live.busy));
}

static void remember_stats(void)
{
    for (unsigned i = 0; i < cpu_count(); i++)
        live.stats[i] = *cpu_stats(i);
    live.last_ns = time_ns();
    live.last_tsc = rdtsc();
}

void live_begin(const char *title, const struct disks *disks, const char *fmt, ...)
{
    va_list args;
    if (!live_is_shown())
        return;
    if (!live.now)
        allocate();
    va_start(args, fmt);
    format_text_v(live.what, sizeof(live.what), fmt, args);
    va_end(args);
    live.disks = disks;
    live.panel.title = title;
    for (size_t i = 0; i < DISKS_MAX; i++)
        live.now[i] = live.last[i] = (struct live_disk){ .permille = LIVE_UNKNOWN };
    remember_stats();
}

void live_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    format_text_v(live.what, sizeof(live.what), fmt, args);
    va_end(args);
}

struct live_disk *live_disk(size_t disk)
{
    return &live.now[disk];
}

struct live_state live_until(uint64_t elapsed_ns, uint64_t end_ns)
{
    uint64_t elapsed = MIN(elapsed_ns, end_ns);
    return (struct live_state){
        .elapsed_ns = elapsed_ns,
        .left_s = DIV_UP(end_ns - elapsed, NS_PER_S),
        .permille = end_ns ? mul_div(elapsed, 1000, end_ns) : LIVE_UNKNOWN,
    };
}

struct live_state live_done(uint64_t elapsed_ns, uint64_t done, uint64_t all)
{
    done = MIN(done, all);
    return (struct live_state){
        .elapsed_ns = elapsed_ns,
        .left_s = done ? DIV_UP(mul_div(elapsed_ns, all - done, done), NS_PER_S) : LIVE_UNKNOWN,
        .permille = all ? mul_div(done, 1000, all) : LIVE_UNKNOWN,
    };
}

// ---- from counts to rates ----

// Counters may begin anew, when a job starts to measure.
static uint64_t since(uint64_t now, uint64_t last)
{
    return now > last ? now - last : 0;
}

static uint64_t per_second(uint64_t count, uint64_t ns)
{
    return ns ? mul_div(count, NS_PER_S, ns) : 0;
}

static void rate_disk(size_t i, uint64_t ns)
{
    const struct live_disk *now = &live.now[i], *last = &live.last[i];
    uint64_t timed = since(now->timed, last->timed);
    live.shown[i] = (struct panel_disk){
        .name = live.disks ? live.disks->list[i]->name : "all disks",
        .ios = per_second(since(now->ios, last->ios), ns),
        .bytes = per_second(since(now->bytes, last->bytes), ns),
        .mean_ns = timed ? latency_ns(since(now->latency_tsc, last->latency_tsc) / timed) : 0,
        .kelvin = now->kelvin,
        .errors = now->errors,
        .permille = now->permille,
    };
    live.most_ios = MAX(live.most_ios, live.shown[i].ios);
    live.panel.errors += now->errors;
    live.last[i] = *now;
}

// A CPU counts idle time when it ends: one that has slept all the while has counted nothing.
static unsigned busy_percent(const struct cpu_stats *now, const struct cpu_stats *last,
                             uint64_t tsc)
{
    uint64_t idle = now->idle_tsc - last->idle_tsc;
    bool counted =
        now->msis != last->msis || now->timers != last->timers || now->ipis != last->ipis || idle;
    return counted && tsc ? 100 - (unsigned)(MIN(idle, tsc) * 100 / tsc) : 0;
}

static void rate_cpus(uint64_t ns, uint64_t tsc)
{
    uint64_t msis = 0, notifications = 0;
    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct cpu_stats *now = cpu_stats(i), *last = &live.stats[i];
        live.busy[i] = (uint8_t)busy_percent(now, last, tsc);
        msis += now->msis - last->msis;
        notifications += now->notifications - last->notifications;
    }
    live.panel.msis = per_second(msis, ns);
    live.panel.notifications = per_second(notifications, ns);
}

static uint64_t bar_of(const struct panel_disk *d)
{
    if (d->permille != LIVE_UNKNOWN)
        return d->permille;
    return live.most_ios ? d->ios * 1000 / live.most_ios : 0;
}

void live_show(const struct live_state *state)
{
    struct panel *p = &live.panel;
    if (!live_is_shown())
        return;
    uint64_t ns = time_ns() - live.last_ns;
    size_t disks = live.disks ? live.disks->count : 1;
    if (state->elapsed_ns && ns < LEAST_NS)
        return;
    p->errors = 0;
    for (size_t i = 0; i < disks; i++)
        rate_disk(i, ns);
    for (size_t i = 0; i < disks; i++)
        live.shown[i].permille = bar_of(&live.shown[i]);
    rate_cpus(ns, rdtsc() - live.last_tsc);
    p->what = live.what;
    p->elapsed_s = state->elapsed_ns / NS_PER_S;
    p->left_s = state->left_s;
    p->permille = state->permille;
    p->disks = live.shown;
    p->disks_count = (unsigned)disks;
    p->busy = live.busy;
    p->cpus = cpu_count();
    panel_show(p);
    remember_stats();
}
