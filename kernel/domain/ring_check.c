// SPDX-License-Identifier: BSD-2-Clause
// app=selftest test=ring: enters ring 3 on the last CPU, and looks how it comes back from all that a program
// may do there (ring_check.asm): each ends its own stay, and the CPU goes on. Then a program runs while
// timers, messages and NMIs come.

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/stop.h"
#include "kernel/cpu/timer.h"
#include "kernel/domain/memory.h"
#include "kernel/domain/ring.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"
#include "lib/string.h"

#define CODE_AT 0x400000ull
#define DATA_AT 0x401000ull
#define INTERRUPTS_LEAST 50u // of each kind, while a program runs
#define TIMER_NS (100 * 1000ull)
#define WAIT_NS (60 * NS_PER_S)

// ring_check.asm
struct ring_case {
    const char *begin, *end;
    uint32_t vector, other_vector, error, calls;
    char name[24];
};
extern const struct ring_case ring_cases[], ring_cases_end[];
extern const char ring_check_code[], ring_check_code_end[];

struct shared { // the program's data page
    uint64_t rounds, stop;
};

static uint64_t tables; // for CR3
static volatile struct shared *shared;

static struct {
    struct trap_frame frame __attribute__((aligned(16)));
    struct cpu_timer start, tick;
    struct cpu_msg begin, message;
    unsigned cpu, ran, failed;
    unsigned ticks, messages, nmis; // that found ring 3
    bool posted, interrupting, done, stop;
    uint64_t began_ns;
} check;

static void make_tables(void)
{
    struct space *space = space_create();
    void *code = domain_pages(space, CODE_AT, PAGE_BYTES, SPACE_CODE, NODE_ANY);
    shared = domain_pages(space, DATA_AT, PAGE_BYTES, SPACE_DATA, NODE_ANY);
    memcpy(code, ring_check_code, (size_t)(ring_check_code_end - ring_check_code));
    tables = space_root(space);
}

// ---- one case: its CPU ----

static uint64_t there(const char *code)
{
    return CODE_AT + (uint64_t)(code - ring_check_code);
}

static void set_frame(const struct ring_case *c)
{
    check.frame = (struct trap_frame){
        .rip = there(c->begin),
        .rsp = DATA_AT + PAGE_BYTES,
        .rdi = DATA_AT,
        .rsi = (uint64_t)set_frame,
        .rdx = (uint64_t)&check,
    };
}

static bool flags_are_clean(void)
{
    return !(read_rflags() & (RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL));
}

static bool is_the_end(const struct ring_case *c, unsigned vector)
{
    const struct trap_frame *f = &check.frame;
    bool is_left = c->end == ring_check_code_end; // by a jump
    return (vector == c->vector || vector == c->other_vector) && f->error == c->error &&
           (is_left || f->rip == there(c->end));
}

static void note(const struct ring_case *c, unsigned end, unsigned calls, bool clean)
{
    const struct trap_frame *f = &check.frame;
    check.ran++;
    if (clean && calls == c->calls && is_the_end(c, end))
        return;
    check.failed++;
    error("ring-case",
          "%s: after %u calls it ended by vector %u, error code 0x%llx, at 0x%llx%s; it was to, "
          "after %u, by vector %u, 0x%x, at 0x%llx",
          c->name, calls, end, (unsigned long long)f->error, (unsigned long long)f->rip,
          clean ? "" : " with its flags still in force", c->calls, c->vector, c->error,
          (unsigned long long)there(c->end));
}

// Where it has gone to, IRETQ can't take it.
static void check_refused(const struct ring_case *c)
{
    unsigned end = ring_run(&check.frame, tables, 0);
    if (end == VECTOR_GENERAL_PROTECTION)
        return;
    check.failed++;
    error("ring-case", "%s: ring 3 was entered at 0x%llx, and left by vector %u", c->name,
          (unsigned long long)check.frame.rip, end);
}

static void run_case(const struct ring_case *c)
{
    unsigned end, calls = 0;
    bool clean = true;
    set_frame(c);
    do {
        end = ring_run(&check.frame, tables, 0);
        clean &= flags_are_clean();
        calls += end == RING_CALL;
    } while (end >= RING_CALL && calls <= c->calls);
    note(c, end, calls, clean);
    if (check.frame.rip >> 47)
        check_refused(c);
}

// ---- what interrupts the last one ----

static void tick(struct cpu_timer *timer)
{
    check.ticks++;
    cpu_timer_start(timer, time_ns() + TIMER_NS);
}

static void take_message(struct cpu_msg *msg)
{
    check.messages++;
    __atomic_store_n(&check.posted, false, __ATOMIC_RELEASE);
}

static void run_all(struct cpu_timer *timer)
{
    const size_t last = (size_t)(ring_cases_end - ring_cases) - 1;
    ring_init_cpu();
    for (size_t i = 0; i < last; i++)
        run_case(&ring_cases[i]);
    *shared = (struct shared){ 0 };
    check.tick.fn = tick;
    cpu_timer_start(&check.tick, time_ns());
    __atomic_store_n(&check.interrupting, true, __ATOMIC_RELEASE);
    run_case(&ring_cases[last]);
    cpu_timer_stop(&check.tick);
    ring_leave();
    __atomic_store_n(&check.done, true, __ATOMIC_RELEASE);
}

// Not from the message itself: what else was posted would wait behind it.
static void begin(struct cpu_msg *msg)
{
    check.start.fn = run_all;
    cpu_timer_start(&check.start, time_ns());
}

// ---- boot CPU ----

static void post(void)
{
    if (__atomic_exchange_n(&check.posted, true, __ATOMIC_ACQUIRE))
        return;
    check.message.fn = take_message;
    cpu_post(check.cpu, &check.message);
}

static void hold(void)
{
    if (!cpu_hold_others())
        return;
    const struct cpu_state *state = cpu_state_of(check.cpu);
    check.nmis += state && (state->frame->cs & 3) == 3;
    cpu_release_others();
}

static bool is_done(void)
{
    return __atomic_load_n(&check.done, __ATOMIC_ACQUIRE);
}

static void interrupt(void)
{
    if (!__atomic_load_n(&check.interrupting, __ATOMIC_ACQUIRE))
        return;
    post();
    hold();
    if (check.ticks >= INTERRUPTS_LEAST && check.messages >= INTERRUPTS_LEAST &&
        check.nmis >= INTERRUPTS_LEAST)
        shared->stop = 1;
}

static void send(bool ok)
{
    char buffer[256];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "test");
    json_text(&j, "name", "ring");
    json_bool(&j, "ok", ok);
    json_text(&j, "status", ok ? "ok" : "failed");
    json_u64(&j, "cases", (uint64_t)(ring_cases_end - ring_cases));
    json_u64(&j, "passed", check.ran - check.failed);
    json_u64(&j, "failed", check.failed);
    json_u64(&j, "timers", check.ticks);
    json_u64(&j, "messages", check.messages);
    json_u64(&j, "nmis", check.nmis);
    report_json(&j);
}

static void run(const struct cmdline *c)
{
    if (cpu_count() < 2) {
        error("ring-cpus", "test=ring needs two CPUs at least, and one is in use: raise cpus=");
        return;
    }
    memset(&check, 0, sizeof(check));
    if (!tables)
        make_tables();
    check.cpu = cpu_count() - 1;
    check.begin.fn = begin;
    cpu_post(check.cpu, &check.begin);
    if (!poll_until((interrupt(), is_done()), WAIT_NS))
        fail("ring-stuck",
             "ring 3 hasn't come to its end within %llu s: %u cases, then %u timers, %u messages, "
             "%u NMIs",
             WAIT_NS / NS_PER_S, check.ran, check.ticks, check.messages, check.nmis);
    send(!check.failed);
    info("ring: %u of %u programs ended as they were to; the last one's %llu rounds were "
         "interrupted by %u timers, %u messages and %u NMIs",
         check.ran - check.failed, check.ran, (unsigned long long)shared->rounds, check.ticks,
         check.messages, check.nmis);
    result_say("ring: %u of %u programs ended as they were to", check.ran - check.failed,
               check.ran);
}

APP(app_ring) = {
    .name = "ring",
    .help = "what ends a stay in ring 3, and that the kernel goes on; also app=selftest test=ring",
    .run = run,
};
