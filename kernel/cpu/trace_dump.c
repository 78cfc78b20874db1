// SPDX-License-Identifier: BSD-2-Clause
// What the trace kept: as JSON for tools/trace, and its last entries to people when a CPU panics.

#include "kernel/base/cpus.h"
#include "kernel/cpu/trace.h"

#include "kernel/base/report.h"
#include "kernel/x86/time.h"
#include "lib/muldiv.h"

#define LINE_BYTES 1024
// Room for one more event: 20 digits, a name, 10 digits, what stands around them, and the line's end.
#define EVENT_BYTES 64

static const char *const kind_names[TRACE_KINDS] = {
    [TRACE_NONE] = "none",         [TRACE_NOTIFY] = "notify",
    [TRACE_DEVICE] = "device",     [TRACE_TIMER] = "timer",
    [TRACE_IPI] = "ipi",           [TRACE_FAULT] = "fault",
    [TRACE_EOI] = "eoi",           [TRACE_HARVEST] = "harvest",
    [TRACE_POST] = "post",         [TRACE_HARVEST_END] = "harvest-end",
    [TRACE_CLEAR_ON] = "clear-on", [TRACE_WINDOW] = "window",
    [TRACE_HANDLER] = "handler",   [TRACE_HANDLER_END] = "handler-end",
    [TRACE_SPIN] = "spin",         [TRACE_SLEEP] = "sleep",
    [TRACE_WAKE] = "wake",
};

const char *trace_kind_name(uint32_t kind)
{
    return kind_names[kind < TRACE_KINDS ? kind : TRACE_NONE];
}

// The number of the oldest entry that was not written over.
static uint64_t first_kept(const struct trace_ring *ring)
{
    return ring->next > ring->mask ? ring->next - ring->mask - 1 : 0;
}

static void put_event(struct json *j, const struct trace_entry *entry)
{
    json_open_array(j, NULL);
    json_u64(j, NULL, entry->tsc);
    json_text(j, NULL, trace_kind_name(entry->kind));
    json_u64(j, NULL, entry->arg);
    json_close_array(j);
}

// One line from entry `at` on; returns the first one that did not fit.
static uint64_t send_line(unsigned cpu, const struct trace_ring *ring, uint64_t at, uint64_t end)
{
    char line[LINE_BYTES];
    struct json j;
    json_begin(&j, line, sizeof(line), "trace");
    json_u64(&j, "cpu", cpu);
    json_u64(&j, "tsc_hz", time_tsc_hz());
    json_u64(&j, "lost", first_kept(ring));
    json_open_array(&j, "events");
    for (; at < end && j.used + EVENT_BYTES <= sizeof(line); at++)
        put_event(&j, &ring->entries[at & ring->mask]);
    json_close_array(&j);
    report_json(&j);
    return at;
}

void trace_dump(void)
{
    for (unsigned cpu = 0; cpu < cpu_total(); cpu++) {
        const struct trace_ring *ring = trace_rings.of[cpu];
        if (!ring)
            continue;
        uint64_t end = ring->next;
        for (uint64_t at = first_kept(ring); at < end;)
            at = send_line(cpu, ring, at, end);
    }
}

// An exception between reserving a slot and filling it leaves there what was in it a lap ago.
bool trace_print(unsigned cpu, unsigned count)
{
    const struct trace_ring *ring = trace_rings.of[cpu];
    if (!ring || !ring->next)
        return false;
    uint64_t now = rdtsc(), first = first_kept(ring), end = ring->next;
    if (end - first > count)
        first = end - count;
    info("trace of CPU %u, the last %llu of %llu entries, in us before now:", cpu,
         (unsigned long long)(end - first), (unsigned long long)end);
    for (uint64_t at = first; at < end; at++) {
        const struct trace_entry *entry = &ring->entries[at & ring->mask];
        uint64_t ns = mul_div(now - entry->tsc, NS_PER_S, time_tsc_hz());
        info("  %10llu.%03llu  %s %u", (unsigned long long)(ns / 1000),
             (unsigned long long)(ns % 1000), trace_kind_name(entry->kind), entry->arg);
    }
    return true;
}

void trace_print_last(unsigned cpu, unsigned count)
{
    if (!trace_rings.on || !trace_rings.of[cpu] || !trace_rings.of[cpu]->next)
        return;
    trace_stop();
    (void)trace_print(cpu, count);
}
