// SPDX-License-Identifier: BSD-2-Clause
// A machine for host tests of apps: CPUs that take turns, disks that complete in any order, and
// everything that an app prints kept for the test. Include it once in a test.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trace.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/x86/energy.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/stamp.h"
#include "lib/string.h"

#include <cmocka.h> // last: it makes a macro of fail(), which kernel/report.h declares

#define FAKE_DISKS 4
#define FAKE_CPUS 16
#define FAKE_LBAS 4096
#define FAKE_IN_FLIGHT 4096
#define FAKE_ALLOCATIONS 4096
#define FAKE_TURN 8

struct fake_disk {
    struct block_dev dev; // first: requests point to it
    uint32_t reads[FAKE_LBAS];
    unsigned in_flight, most_in_flight;
    enum block_status bad_status; // of requests that touch bad_lba; BLOCK_OK: of none
    enum block_op bad_op;         // of these; a flush touches all
    uint64_t bad_lba;
    uint8_t *data; // what was written; NULL: stamps are all that there is
    uint32_t writes[FAKE_LBAS], trims[FAKE_LBAS];
    unsigned flushes;
    uint64_t lost_lba, torn_lba, misplaced_lba; // what their writes do, from the second one on
    uint64_t damaged_lba;                       // its data is damaged; NO_LBA: no block's is
    struct block_stream *stream;
    struct block_turn turns[FAKE_TURN]; // that have ended, and that it isn't told of yet
    unsigned turns_count;
};
#define NO_LBA UINT64_MAX

static struct {
    unsigned cpus, current;
    struct cpu_stats stats[FAKE_CPUS];
    struct cpu_msg *inbox[FAKE_CPUS], **inbox_end[FAKE_CPUS];
    struct cpu_timer *timers;
    unsigned timers_fired;
    uint64_t batch_tsc[FAKE_CPUS];
    unsigned batch; // completions that come at once
    uint64_t completed;
    bool has_streams;
    unsigned turn; // reads of a stream that come at once: FAKE_TURN at most
    uint64_t turns;
    uint64_t tsc;         // a nanosecond each: time passes where it is looked at
    uint64_t look_tsc;    // what a look takes
    uint64_t service_tsc; // what a read takes besides

    struct fake_disk disks[FAKE_DISKS];
    struct block_dev *first_disk;
    struct block_req *in_flight[FAKE_IN_FLIGHT];
    size_t in_flight_count;
    bool hold;       // no read completes
    bool no_overlap; // nothing in flight may touch blocks of a write, or of another read
    uint64_t submitted, urgent;
    void (*on_read)(const struct block_req *req); // it was submitted
    void (*on_other)(struct block_req *req);      // carries out what disks here don't know
    uint32_t random;

    struct irq irqs[FAKE_CPUS];
    uint64_t irq_counts[FAKE_CPUS][FAKE_CPUS];
    enum irq_mode mode;
    unsigned packages; // that the CPUs are in by turns; 0: none tells its energy
    bool interrupts_are_off;
    void (*on_interrupts)(void); // they were turned on
    bool msis_at_once;           // a read's MSI comes as it is submitted
    bool late_msis; // once there were reads: as interrupts go off, and while irqs are looked at

    struct fake_memory {
        char *at;
        size_t bytes;
        unsigned node; // as asked for
    } allocations[FAKE_ALLOCATIONS];
    size_t allocations_count;
    uint64_t free_bytes;
    uint64_t used_bytes; // if one piece lies behind the other
    bool trace_stopped;

    char console[1 << 16], json[1 << 16];
    unsigned errors;
    char error_what[64], error_message[512]; // the last one
    char errors_told[1 << 14];               // all
} fake;

#define FAKE_TSC_HZ 1000000000ull
#define FAKE_TSC_BEGIN (1ull << 40)
#define FAKE_LOOK_TSC 1000ull      // a look at the clock
#define FAKE_NODE(cpu) (7 + (cpu)) // each CPU has a NUMA node of its own

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

// ---- disks ----

struct block_dev *block_first(void)
{
    return fake.first_disk;
}

struct block_dev *block_find(const char *name, size_t length)
{
    for (struct block_dev *dev = fake.first_disk; dev; dev = dev->next)
        if (strlen(dev->name) == length && memcmp(dev->name, name, length) == 0)
            return dev;
    return NULL;
}

static void fake_count_msi(void)
{
    fake.stats[fake.current].msis++;
    fake.irqs[fake.current].counts[fake.current]++;
}

static void fake_check_overlap(const struct block_req *a, const struct block_req *b)
{
    assert_ptr_not_equal(a, b);
    if (a->op == BLOCK_FLUSH || b->op == BLOCK_FLUSH)
        return;
    const char *left = a->buffer, *right = b->buffer;
    assert_true(left + (size_t)a->blocks * a->dev->block_size <= right ||
                right + (size_t)b->blocks * b->dev->block_size <= left);
    if (fake.no_overlap && a->dev == b->dev)
        assert_true(a->lba + a->blocks <= b->lba || b->lba + b->blocks <= a->lba);
}

static void fake_check_data(const struct block_req *req)
{
    assert_true(req->blocks > 0);
    assert_true(req->lba < req->dev->blocks && req->blocks <= req->dev->blocks - req->lba);
    assert_int_equal(mem_node(req->buffer), FAKE_NODE(fake.current));
}

static void fake_submit(struct block_port *port, struct block_req *req)
{
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    assert_true(req->op == BLOCK_READ || req->dev->writable || req->op == BLOCK_FLUSH);
    if (req->op != BLOCK_FLUSH)
        fake_check_data(req);
    for (size_t i = 0; i < fake.in_flight_count; i++)
        fake_check_overlap(fake.in_flight[i], req);
    assert_true(fake.in_flight_count < FAKE_IN_FLIGHT);
    assert_int_equal(req->cpu, fake.current);
    req->status = BLOCK_OK;
    fake.in_flight[fake.in_flight_count++] = req;
    fake.submitted++;
    fake.urgent += req->channel == BLOCK_URGENT;
    disk->in_flight++;
    disk->most_in_flight = MAX(disk->most_in_flight, disk->in_flight);
    if (req->op == BLOCK_READ)
        memset(req->buffer, 0xee, (size_t)req->blocks * req->dev->block_size);
    if (fake.msis_at_once)
        fake_count_msi();
    if (fake.on_read)
        fake.on_read(req);
}

static struct block_port fake_port = { .submit = fake_submit };

bool block_prepare(struct block_req *req)
{
    req->cpu = fake.current;
    req->port = &fake_port;
    req->lba_most = req->op == BLOCK_FLUSH ? 0 : req->dev->blocks - req->blocks;
    return true;
}

bool block_open_stream(struct block_req *req, struct block_stream *stream)
{
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    if (!fake.has_streams || disk->stream)
        return false;
    disk->stream = stream;
    return true;
}

void block_close_stream(struct block_req *req)
{
    ((struct fake_disk *)req->dev)->stream = NULL;
}

void block_refuse(struct block_req *req, uint32_t detail)
{
    fail_msg("LBA %lu, %u blocks: refused (%x)", req->lba, req->blocks, detail);
}

static void fake_fill(struct fake_disk *disk, struct block_req *req)
{
    uint32_t size = disk->dev.block_size;
    for (uint32_t i = 0; i < req->blocks; i++) {
        uint8_t *block = (uint8_t *)req->buffer + (size_t)i * size;
        if (disk->data)
            memcpy(block, disk->data + (req->lba + i) * size, size);
        else
            stamp_fill(block, size, stamp_tag(disk->dev.serial, disk->dev.nsid), req->lba + i);
        if (req->lba + i == disk->damaged_lba)
            block[size - 1] ^= 1;
        disk->reads[req->lba + i]++;
    }
}

// A write that is lost, torn or misplaced is one like any other to whom submitted it.
static void fake_store(struct fake_disk *disk, const struct block_req *req)
{
    uint32_t size = disk->dev.block_size;
    for (uint32_t i = 0; i < req->blocks; i++) {
        uint64_t lba = req->lba + i;
        bool second = disk->writes[lba]++ > 0;
        if (second && lba == disk->lost_lba)
            continue;
        bool torn = second && lba == disk->torn_lba, there = second && lba == disk->misplaced_lba;
        memcpy(disk->data + (lba + there) * size, (uint8_t *)req->buffer + (size_t)i * size,
               torn ? size / 2 : size);
    }
}

static void fake_carry_out(struct fake_disk *disk, struct block_req *req)
{
    switch (req->op) {
    case BLOCK_READ:
        return fake_fill(disk, req);
    case BLOCK_WRITE:
        return fake_store(disk, req);
    case BLOCK_DEALLOCATE:
        for (uint32_t i = 0; i < req->blocks; i++)
            disk->trims[req->lba + i]++;
        break;
    case BLOCK_FLUSH:
        disk->flushes++;
        break;
    default:
        if (!fake.on_other)
            fail_msg("operation %d", req->op);
        fake.on_other(req);
    }
}

static bool fake_is_bad(const struct fake_disk *disk, const struct block_req *req)
{
    return disk->bad_status != BLOCK_OK && req->op == disk->bad_op &&
           (req->op == BLOCK_FLUSH ||
            (disk->bad_lba >= req->lba && disk->bad_lba - req->lba < req->blocks));
}

static void fake_take_turn(struct fake_disk *disk, struct block_req *req)
{
    struct block_turn *turns = disk->turns;
    turns[disk->turns_count++].req = req;
    if (disk->turns_count < fake.turn && disk->in_flight)
        return;
    unsigned count = disk->turns_count;
    disk->turns_count = 0;
    if (fake.turn > 1)
        cpu_begin_batch();
    bool all = disk->stream->turn(disk->stream, turns, count);
    fake.turns += count;
    for (unsigned i = 0; i < count; i++) {
        assert_true(turns[i].req || !all);
        if (turns[i].req)
            block_resubmit(turns[i].req);
    }
}

static void fake_complete_one(void)
{
    size_t i = fake_random((uint32_t)fake.in_flight_count);
    struct block_req *req = fake.in_flight[i];
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    bool bad = fake_is_bad(disk, req);
    fake.in_flight[i] = fake.in_flight[--fake.in_flight_count];
    disk->in_flight--;
    fake.tsc += fake.service_tsc;
    fake.current = req->cpu;
    fake.stats[req->cpu].idle_tsc += 10;
    if (fake_random(2))
        fake.stats[req->cpu].notifications++;
    if (!fake.msis_at_once)
        fake_count_msi();
    if (fake.batch <= 1 || fake.completed % fake.batch == 0)
        cpu_begin_batch();
    fake.completed++;
    req->status = bad ? disk->bad_status : BLOCK_OK;
    req->detail = bad ? 0x281 : 0;
    if (!bad)
        fake_carry_out(disk, req);
    if (!bad && disk->stream && disk->stream->done == req->done)
        fake_take_turn(disk, req);
    else
        req->done(req);
}

static bool fake_run_message(unsigned cpu)
{
    struct cpu_msg *msg = fake.inbox[cpu];
    if (!msg)
        return false;
    fake.inbox[cpu] = msg->next;
    if (!msg->next)
        fake.inbox_end[cpu] = &fake.inbox[cpu];
    fake.current = cpu;
    msg->fn(msg);
    return true;
}

// CPUs read their messages late and at different times; nothing else may depend on it.
void cpu_run_until(const bool *stop)
{
    unsigned idle = 0;
    while (!*stop) {
        bool ran = fake_run_message(fake_random(fake.cpus));
        if (fake.in_flight_count && !fake.hold && fake_random(4)) {
            fake_complete_one();
            ran = true;
        }
        fake_run_timer();
        idle = ran ? 0 : idle + 1;
        assert_true(idle < 100000); // nothing left to do, and the app still waits
    }
    fake.current = 0;
}

// ---- interrupts ----

void interrupts_off(void)
{
    assert_false(fake.interrupts_are_off);
    if (fake.late_msis && fake.submitted)
        fake_count_msi();
    fake.interrupts_are_off = true;
}

void interrupts_on(void)
{
    assert_true(fake.interrupts_are_off);
    fake.interrupts_are_off = false;
    if (fake.on_interrupts)
        fake.on_interrupts();
}

struct irq *irq_first(void)
{
    if (fake.late_msis && fake.submitted && !fake.interrupts_are_off) {
        fake_count_msi();
    }
    return &fake.irqs[0];
}

enum irq_mode irq_get_mode(void)
{
    return fake.mode;
}

const char *irq_mode_name(enum irq_mode mode)
{
    return mode == IRQ_POSTED ? "posted" : "remapped";
}

// ---- for tests ----

static void fake_start(unsigned cpus, unsigned disks, uint32_t block_size, uint64_t blocks)
{
    memset(&fake, 0, sizeof(fake));
    fake.cpus = cpus;
    fake.mode = IRQ_POSTED;
    fake.free_bytes = GIB;
    fake.tsc = FAKE_TSC_BEGIN;
    fake.look_tsc = FAKE_LOOK_TSC;
    for (unsigned i = 0; i < cpus; i++) {
        fake.inbox_end[i] = &fake.inbox[i];
        static const struct irq_chip chip = { .name = "VTD-POST" };
        fake.irqs[i] = (struct irq){ .cpu = i,
                                     .chip = &chip,
                                     .vector = (uint8_t)(0x20 + i),
                                     .counts = fake.irq_counts[i],
                                     .next = i + 1 < cpus ? &fake.irqs[i + 1] : NULL };
        format_text(fake.irqs[i].name, sizeof(fake.irqs[i].name), "nvme0q%u", i + 1);
    }
    for (unsigned i = disks; i-- > 0;) {
        struct fake_disk *disk = &fake.disks[i];
        disk->damaged_lba = disk->lost_lba = disk->torn_lba = disk->misplaced_lba = NO_LBA;
        disk->dev = (struct block_dev){
            .nsid = 1,
            .block_size = block_size,
            .blocks = blocks,
            .channels = 1,
            .node = NODE_ANY,
            .next = fake.first_disk,
        };
        format_text(disk->dev.name, sizeof(disk->dev.name), "nvme%un1", i);
        format_text(disk->dev.serial, sizeof(disk->dev.serial), "SERIAL%u", i);
        fake.first_disk = &disk->dev;
    }
}

// What is written to the disk stays there; at first it holds zeros.
static __attribute__((unused)) void fake_writable(struct fake_disk *disk)
{
    disk->dev.writable = true;
    disk->dev.ops = (1u << BLOCK_OPS) - 1;
    disk->data = calloc(disk->dev.blocks, disk->dev.block_size);
}

static int fake_stop(void **state)
{
    for (unsigned i = 0; i < FAKE_DISKS; i++) {
        free(fake.disks[i].data);
        fake.disks[i].data = NULL;
    }
    for (size_t i = 0; i < fake.allocations_count; i++)
        free(fake.allocations[i].at);
    fake.allocations_count = 0;
    return 0;
}

// The one app that the test runs, with its words.
static __attribute__((unused)) void fake_run(const struct app *app, const char *words)
{
    const struct option *const tables[] = { app->options };
    struct cmdline c;
    struct problem p;
    if (!cmdline_parse(words, tables, 1, false, &c, &p))
        fail_msg("%s", p.message);
    app->run(&c);
}

static __attribute__((unused)) void expect_line(const char *where, const char *part)
{
    if (!strstr(where, part))
        fail_msg("\"%s\" isn't in:\n%s", part, where);
}
