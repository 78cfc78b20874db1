// SPDX-License-Identifier: BSD-2-Clause
// The trace: what its rings keep, and what comes out of them.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/cpu/trace.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"

#include <cmocka.h> // last: it makes a macro of fail(), which kernel/report.h declares

#define LINE_MOST 1024 // what the kernel's other JSON lines keep to, and their readers rely on

// ---- the machine ----

static struct cpu cpus[2];
static unsigned current;
static void (*on_this_cpu)(void);

static _Alignas(CACHE_LINE) uint8_t arena[2][128 * KIB]; // of each node, which is its CPU's
static size_t arena_used[2];

static char lines[64][LINE_MOST]; // what was sent or printed
static unsigned lines_count;

struct cpu *this_cpu(void)
{
    void (*hook)(void) = on_this_cpu;
    on_this_cpu = NULL;
    if (hook)
        hook();
    return &cpus[current];
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus[index];
}

unsigned cpu_count(void)
{
    return ARRAY_SIZE(cpus);
}

unsigned cpu_total(void)
{
    return cpu_count();
}

unsigned cpu_node(unsigned cpu)
{
    return cpu;
}

uint64_t time_tsc_hz(void)
{
    return 2000000000;
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    assert_true(node < ARRAY_SIZE(arena));
    void *memory = &arena[node][arena_used[node]];
    arena_used[node] += ALIGN_UP(bytes, CACHE_LINE);
    assert_true(arena_used[node] <= sizeof(arena[0]));
    return memory;
}

static char *new_line(void)
{
    assert_true(lines_count < ARRAY_SIZE(lines));
    return lines[lines_count++];
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    assert_true(strlen(text) < LINE_MOST);
    strcpy(new_line(), text);
}

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    format_text_v(new_line(), LINE_MOST, fmt, args);
    va_end(args);
}

// ---- helpers ----

static void start(unsigned entries)
{
    memset(cpus, 0, sizeof(cpus));
    memset(arena, 0, sizeof(arena));
    memset(&trace_rings, 0, sizeof(trace_rings));
    cpus[1].index = 1;
    current = lines_count = 0;
    memset(arena_used, 0, sizeof(arena_used));
    on_this_cpu = NULL;
    trace_start(entries);
}

static const struct trace_entry *entry(unsigned cpu, uint64_t number)
{
    const struct trace_ring *ring = trace_rings.of[cpu];
    return &ring->entries[number & ring->mask];
}

struct event {
    unsigned long long tsc;
    char kind[16];
    unsigned arg;
};

// The events of a CPU, out of the lines in their order; *lost is what the lines say.
static unsigned read_events(unsigned cpu, struct event *events, unsigned most, unsigned *lost)
{
    char head[64];
    unsigned count = 0;
    snprintf(head, sizeof(head), "{\"type\":\"trace\",\"cpu\":%u,\"tsc_hz\":2000000000,", cpu);
    for (unsigned i = 0; i < lines_count; i++) {
        int used = 0;
        if (strncmp(lines[i], head, strlen(head)))
            continue;
        const char *at = lines[i] + strlen(head);
        assert_int_equal(sscanf(at, "\"lost\":%u,\"events\":[%n", lost, &used), 1);
        assert_true(used > 0);
        for (at += used; *at == '[' || *at == ','; count++) {
            struct event *e = &events[count];
            at += *at == ',';
            used = 0;
            assert_true(count < most);
            assert_int_equal(
                sscanf(at, "[%llu,\"%15[a-z-]\",%u]%n", &e->tsc, e->kind, &e->arg, &used), 3);
            assert_true(used > 0);
            at += used;
        }
        assert_string_equal(at, "]}");
    }
    return count;
}

// ---- the rings ----

static void off_keeps_nothing(void **state)
{
    start(0);
    trace(TRACE_NOTIFY, 1); // there is no ring at all
    assert_int_equal(arena_used[0] + arena_used[1], 0);
    start(16);
    trace_stop();
    trace(TRACE_NOTIFY, 1);
    assert_int_equal(trace_rings.of[0]->next, 0);
    assert_int_equal(entry(0, 0)->kind, TRACE_NONE);
}

static void each_ring_lies_on_the_node_of_its_cpu(void **state)
{
    start(16);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        const uint8_t *ring = (const uint8_t *)trace_rings.of[cpu];
        assert_true(ring >= arena[cpu] && ring < arena[cpu] + sizeof(arena[cpu]));
    }
}

static void each_cpu_keeps_its_own_in_order(void **state)
{
    start(16);
    uint64_t before = rdtsc();
    trace(TRACE_NOTIFY, 0);
    trace(TRACE_POST, 0x21);
    current = 1;
    trace(TRACE_TIMER, 0);
    assert_int_equal(trace_rings.of[0]->next, 2);
    assert_int_equal(trace_rings.of[1]->next, 1);
    assert_int_equal(entry(0, 0)->kind, TRACE_NOTIFY);
    assert_int_equal(entry(0, 1)->kind, TRACE_POST);
    assert_int_equal(entry(0, 1)->arg, 0x21);
    assert_int_equal(entry(1, 0)->kind, TRACE_TIMER);
    assert_in_range(entry(0, 0)->tsc, before, entry(0, 1)->tsc);
    assert_in_range(entry(1, 0)->tsc, entry(0, 1)->tsc, rdtsc());
}

static void sizes_are_rounded_up(void **state)
{
    start(1);
    assert_int_equal(trace_rings.of[1]->mask, 0);
    start(17);
    assert_int_equal(trace_rings.of[0]->mask, 31);
    start(32);
    assert_int_equal(trace_rings.of[0]->mask, 31);
}

static void a_full_ring_keeps_the_newest(void **state)
{
    start(8);
    for (uint32_t i = 0; i < 21; i++)
        trace(TRACE_POST, i);
    assert_int_equal(trace_rings.of[0]->next, 21);
    for (uint32_t i = 13; i < 21; i++)
        assert_int_equal(entry(0, i)->arg, i);
}

static void interrupt(void)
{
    trace(TRACE_TIMER, 0);
    trace(TRACE_EOI, 0);
}

static void an_interrupt_in_the_middle_loses_nothing(void **state)
{
    start(8);
    on_this_cpu = interrupt; // comes when the time is taken, and no slot yet
    trace(TRACE_HANDLER, 0x30);
    assert_int_equal(trace_rings.of[0]->next, 3);
    assert_int_equal(entry(0, 0)->kind, TRACE_TIMER);
    assert_int_equal(entry(0, 1)->kind, TRACE_EOI);
    assert_int_equal(entry(0, 2)->kind, TRACE_HANDLER);
    assert_int_equal(entry(0, 2)->arg, 0x30);
    assert_true(entry(0, 2)->tsc < entry(0, 0)->tsc); // it did begin first
}

// ---- what comes out ----

static void dump_sends_all_of_it_oldest_first(void **state)
{
    struct event events[128];
    unsigned lost = 99;
    start(100); // 128
    for (uint32_t i = 0; i < 100; i++)
        trace(i % 2 ? TRACE_HANDLER_END : TRACE_HANDLER, i);
    trace_stop();
    trace_dump();
    assert_true(lines_count > 1); // it takes several
    assert_int_equal(read_events(0, events, ARRAY_SIZE(events), &lost), 100);
    assert_int_equal(lost, 0);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(events[i].arg, i);
        assert_int_equal(events[i].tsc, entry(0, i)->tsc);
        assert_string_equal(events[i].kind, i % 2 ? "handler-end" : "handler");
    }
    assert_int_equal(read_events(1, events, ARRAY_SIZE(events), &lost), 0);
}

static void dump_says_how_many_were_lost(void **state)
{
    struct event events[8];
    unsigned lost = 0;
    start(8);
    current = 1;
    for (uint32_t i = 0; i < 13; i++)
        trace(TRACE_POST, i);
    trace_stop();
    trace_dump();
    assert_int_equal(read_events(1, events, ARRAY_SIZE(events), &lost), 8);
    assert_int_equal(lost, 5);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(events[i].arg, 5 + i);
}

// report_json() above checks that each line fits.
static void the_longest_events_fit_their_lines(void **state)
{
    struct event events[64];
    unsigned lost;
    start(64);
    for (unsigned i = 0; i < 64; i++)
        trace_rings.of[0]->entries[i] =
            (struct trace_entry){ UINT64_MAX, TRACE_HARVEST_END, UINT32_MAX };
    trace_rings.of[0]->next = UINT32_MAX;
    trace_stop();
    trace_dump();
    assert_int_equal(read_events(0, events, ARRAY_SIZE(events), &lost), 64);
    assert_int_equal(events[63].tsc, UINT64_MAX);
    assert_int_equal(events[63].arg, UINT32_MAX);
    assert_int_equal(lost, UINT32_MAX - 64);
}

static void dump_without_a_trace_says_nothing(void **state)
{
    start(0);
    trace_stop();
    trace_dump();
    trace_print_last(0, 16);
    assert_int_equal(lines_count, 0);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    for (uint32_t a = 0; a < TRACE_KINDS; a++) {
        assert_non_null(trace_kind_name(a));
        for (uint32_t b = 0; b < a; b++)
            assert_string_not_equal(trace_kind_name(a), trace_kind_name(b));
    }
    assert_string_equal(trace_kind_name(TRACE_KINDS), "none");
    assert_string_equal(trace_kind_name(UINT32_MAX), "none");
}

static void a_panic_prints_the_newest(void **state)
{
    start(4);
    for (uint32_t i = 0; i < 6; i++)
        trace(TRACE_POST, i);
    trace_print_last(0, 3);
    assert_false(trace_rings.on);
    assert_int_equal(lines_count, 4);
    assert_non_null(strstr(lines[0], "CPU 0"));
    assert_non_null(strstr(lines[0], "last 3 of 6"));
    for (unsigned i = 0; i < 3; i++) {
        char end[16];
        snprintf(end, sizeof(end), "  post %u", 3 + i);
        assert_string_equal(lines[1 + i] + strlen(lines[1 + i]) - strlen(end), end);
    }
    trace_print_last(0, 3); // it is off now
    assert_int_equal(lines_count, 4);
}

static void a_panic_prints_no_more_than_there_is(void **state)
{
    start(4);
    trace_print_last(0, 16);
    assert_int_equal(lines_count, 0);
    trace(TRACE_SLEEP, 0);
    trace_print_last(0, 16);
    assert_int_equal(lines_count, 2);
    start(4);
    for (uint32_t i = 0; i < 6; i++)
        trace(TRACE_POST, i);
    trace_print_last(0, 16);
    assert_int_equal(lines_count, 5);
}

static void a_panic_tells_the_time_until_now(void **state)
{
    unsigned us = 0, thousandths = 0;
    start(4);
    trace_rings.of[0]->entries[0] = (struct trace_entry){ rdtsc() - 2000000000, TRACE_WAKE, 0 };
    trace_rings.of[0]->next = 1;
    trace_print_last(0, 1);
    assert_int_equal(sscanf(lines[1], " %u.%3u  wake 0", &us, &thousandths), 2);
    assert_in_range(us, 1000000, 31000000); // a second at 2 GHz, and what the host took since
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_keeps_nothing),
        cmocka_unit_test(each_ring_lies_on_the_node_of_its_cpu),
        cmocka_unit_test(each_cpu_keeps_its_own_in_order),
        cmocka_unit_test(sizes_are_rounded_up),
        cmocka_unit_test(a_full_ring_keeps_the_newest),
        cmocka_unit_test(an_interrupt_in_the_middle_loses_nothing),
        cmocka_unit_test(dump_sends_all_of_it_oldest_first),
        cmocka_unit_test(dump_says_how_many_were_lost),
        cmocka_unit_test(the_longest_events_fit_their_lines),
        cmocka_unit_test(dump_without_a_trace_says_nothing),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(a_panic_prints_the_newest),
        cmocka_unit_test(a_panic_prints_no_more_than_there_is),
        cmocka_unit_test(a_panic_tells_the_time_until_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
