// SPDX-License-Identifier: BSD-2-Clause
// Of fake_machine.h: what apps call of the kernel besides disks and irqs.
#pragma once

#include "tests/host/fake_state.h"

// ---- time, memory, report ----

uint64_t time_tsc_hz(void)
{
    return FAKE_TSC_HZ;
}

uint64_t rdtsc(void)
{
    return fake.tsc += fake.look_tsc;
}

uint64_t time_ns(void)
{
    return rdtsc();
}

// Not a byte more than asked for: what runs over it is seen.
void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    void *at = NULL;
    assert_true(node == NODE_ANY || (node >= FAKE_NODE(0) && node < FAKE_NODE(fake.cpus)));
    assert_int_equal(posix_memalign(&at, MAX(align, (size_t)CACHE_LINE), bytes), 0);
    assert_true(fake.allocations_count < FAKE_ALLOCATIONS);
    fake.allocations[fake.allocations_count++] = (struct fake_memory){ at, bytes, node };
    fake.used_bytes = ALIGN_UP(fake.used_bytes, align) + ALIGN_UP(bytes, CACHE_LINE);
    return memset(at, 0, bytes);
}

// By what was asked for; NODE_ANY for what isn't the app's.
unsigned mem_node(const volatile void *virt)
{
    for (size_t i = 0; i < fake.allocations_count; i++) {
        const struct fake_memory *m = &fake.allocations[i];
        if ((const volatile char *)virt >= m->at && (const volatile char *)virt < m->at + m->bytes)
            return m->node;
    }
    return NODE_ANY;
}

uint64_t mem_free_bytes(void)
{
    return fake.free_bytes;
}

static void fake_append(char *to, size_t bytes, const char *line)
{
    size_t used = strlen(to);
    assert_true(used + strlen(line) + 2 < bytes);
    strcpy(to + used, line);
    strcat(to, "\n");
}

void info(const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    format_text_v(line, sizeof(line), fmt, args);
    va_end(args);
    fake_append(fake.console, sizeof(fake.console), line);
}

static void fake_error(const char *what, const char *message)
{
    fake.errors++;
    format_text(fake.error_what, sizeof(fake.error_what), "%s", what);
    format_text(fake.error_message, sizeof(fake.error_message), "%s", message);
    char line[640];
    format_text(line, sizeof(line), "%s: %s", what, message);
    fake_append(fake.errors_told, sizeof(fake.errors_told), line);
}

void error(const char *what, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    format_text_v(message, sizeof(message), fmt, args);
    va_end(args);
    fake_error(what, message);
}

void error_problem(const struct problem *p)
{
    fake_error(p->what, p->message);
}

void report_send_on(void) // there is no screen
{
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    fake_append(fake.json, sizeof(fake.json), text);
}

// ---- CPUs ----

unsigned cpu_count(void)
{
    return fake.cpus;
}

unsigned cpu_total(void)
{
    return cpu_count();
}

unsigned cpu_node(unsigned cpu)
{
    assert_true(cpu < fake.cpus);
    return FAKE_NODE(cpu);
}

const struct cpu_stats *cpu_stats(unsigned cpu)
{
    return &fake.stats[cpu];
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    for (unsigned i = 0; i < fake.cpus; i++)
        for (struct cpu_msg *m = fake.inbox[i]; m; m = m->next)
            assert_ptr_not_equal(m, msg); // still in an inbox: the list would break
    msg->next = NULL;
    *fake.inbox_end[cpu] = msg;
    fake.inbox_end[cpu] = &msg->next;
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    struct cpu_timer **link = &fake.timers;
    while (*link && *link != timer)
        link = &(*link)->next;
    if (*link)
        *link = timer->next;
    timer->armed = false;
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    cpu_timer_stop(timer);
    timer->due_ns = due_ns;
    timer->cpu = fake.current;
    timer->armed = true;
    timer->next = fake.timers;
    fake.timers = timer;
}

// One at a time.
static void fake_run_timer(void)
{
    for (struct cpu_timer *timer = fake.timers; timer; timer = timer->next)
        if (time_ns() >= timer->due_ns) {
            cpu_timer_stop(timer);
            fake.current = timer->cpu;
            fake.timers_fired++;
            timer->fn(timer);
            return;
        }
}

void trace_stop(void)
{
    fake.trace_stopped = true;
    assert_int_equal(fake.json[0], 0); // the report is no work
    assert_int_equal(fake.in_flight_count, 0);
}

// Each package takes a watt; its counter goes round after a few milliseconds.
bool energy_read(struct energy *out)
{
    assert_false(fake.interrupts_are_off);
    if (!fake.packages)
        return false;
    out->package = 5 + fake.current % fake.packages;
    out->unit = 20;
    out->count = (uint32_t)((fake.tsc - FAKE_TSC_BEGIN) / 1000 * 1048576 / 1000000) - 4000;
    return true;
}

void cpu_begin_batch(void)
{
    fake.batch_tsc[fake.current] = rdtsc();
}

uint64_t cpu_batch_tsc(void)
{
    return fake.batch_tsc[fake.current];
}

static uint32_t fake_random(uint32_t below)
{
    fake.random = fake.random * 1103515245 + 12345;
    return (fake.random >> 8) % below;
}
