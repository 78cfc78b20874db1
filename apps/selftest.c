// SPDX-License-Identifier: BSD-2-Clause
// app=selftest: what must not lose an interrupt, under full load: irqs move between CPUs, or change
// between posted and remapped, or the mode changes, or CPUs leave and come back, or several of it at once.
// In the end as many reads have completed as were submitted.
#include "apps/selftest.h"

#include "apps/human.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/hotplug.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/random.h"
#include "lib/string.h"

#define MOVERS 8u                   // moves and changes in flight at most
#define STALL_NS (45 * NS_PER_S)    // no read and no step for so long: longer than nvme.timeout
#define AWAY_NS_MAX (2 * NS_PER_MS) // how long a CPU stays away

// In the order of the option's choices.
static const struct selftest_kind kinds[] = {
    { .name = "moves", .steps = "moves", .moves = true },
    { .name = "delivery", .steps = "changes", .changes = true },
    { .name = "modes", .steps = "modes", .modes = true },
    { .name = "offline", .steps = "rounds", .rounds = true },
    { .name = "both", .steps = "rounds", .moves = true, .changes = true, .rounds = true },
    { .name = "all", .steps = "rounds", .moves = true, .modes = true, .rounds = true },
};

static const struct option options[] = {
    LOAD_OPTIONS,
    { .name = "test",
      .kind = OPTION_CHOICE,
      .fallback = "moves",
      .choices = "moves|delivery|modes|offline|both|all|posting|ring",
      .help =
          "irqs move to other CPUs, or change between posted and remapped, or irq= changes, or "
          "CPUs go offline and come back; both: all but changes of irq=; all: with these; "
          "posting: what remapping units do; ring: what programs in ring 3 may do; both without "
          "load" },
    { .name = "unreachable",
      .kind = OPTION_CHOICE,
      .fallback = "1",
      .choices = "0|1",
      .help = "units are also led to an address where nothing is (test=posting)" },
    { .name = "moves",
      .kind = OPTION_NUMBER,
      .fallback = "20000",
      .min = 1,
      .max = 1000000000,
      .help = "moves to do (test=moves)" },
    { .name = "changes",
      .kind = OPTION_NUMBER,
      .fallback = "20000",
      .min = 1,
      .max = 1000000000,
      .help = "changes of delivery to do (test=delivery)" },
    { .name = "modes",
      .kind = OPTION_NUMBER,
      .fallback = "1000",
      .min = 1,
      .max = 1000000000,
      .help = "changes of irq= to do (test=modes)" },
    { .name = "rounds",
      .kind = OPTION_NUMBER,
      .fallback = "1000",
      .min = 1,
      .max = 1000000000,
      .help = "times that a CPU leaves and comes back (test=offline, both or all)" },
    { .name = "seed",
      .kind = OPTION_NUMBER,
      .fallback = "1",
      .max = UINT32_MAX,
      .help = "another one gives other modes, CPUs and pauses" },
    { .name = NULL },
};

// Asks for one move or change after another, from the loop of the CPU where the last one ended.
struct mover {
    struct cpu_msg msg;
    struct irq_move move;
    size_t busy; // index of the irq that it moves or changes
    uint64_t random;
} __attribute__((aligned(CACHE_LINE)));

static struct selftest test;

// ---- the end: boot CPU ----

static void drained(struct load_cpu *cpu)
{
    test.stop = --test.waiting == 0;
}

static void drain(void)
{
    test.waiting = cpu_count();
    for (unsigned i = 0; i < cpu_count(); i++)
        load_pause(&test.load, i, drained);
}

// Only the first failure is told.
static void count_step(uint64_t *count, bool ok, const struct problem *p)
{
    if (!ok && !__atomic_fetch_add(&test.failed, 1, __ATOMIC_RELAXED))
        error_problem(p);
    __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static void start_draining_once_all_ended(void) // movers, and rounds
{
    if (!test.waiting && (!test.kind->rounds || test.rounds_done))
        drain();
}

// ---- the movers ----

static void mover_ended(struct cpu_msg *msg) // boot CPU
{
    test.waiting--;
    start_draining_once_all_ended();
}

// There are more irqs than other movers.
static struct irq *take_irq(struct mover *m)
{
    m->busy = random_below(&m->random, test.irqs_count);
    while (__atomic_exchange_n(&test.busy[m->busy], true, __ATOMIC_ACQUIRE))
        m->busy = (m->busy + 1) % test.irqs_count;
    return test.irqs[m->busy];
}

static bool enough_steps(void)
{
    if (test.kind->rounds)
        return __atomic_load_n(&test.rounds_done, __ATOMIC_RELAXED);
    return __atomic_fetch_add(&test.begun, 1, __ATOMIC_RELAXED) >= test.wanted;
}

static void begin_move(struct mover *m, struct irq *irq);
static void begin_change(struct mover *m, const struct irq *irq);

static void next_step(struct mover *m)
{
    if (enough_steps()) {
        m->msg.fn = mover_ended;
        cpu_post(0, &m->msg);
        return;
    }
    struct irq *irq = take_irq(m);
    if (test.changes && (!test.kind->moves || random_below(&m->random, 2)))
        begin_change(m, irq);
    else
        begin_move(m, irq);
}

static void end_step(struct mover *m)
{
    __atomic_store_n(&test.busy[m->busy], false, __ATOMIC_RELEASE);
    next_step(m);
}

static void first_step(struct cpu_msg *msg)
{
    next_step(container_of(msg, struct mover, msg));
}

// ---- moves ----

// Where CPUs come and go, the irq may have had to move on already.
static void check_move(struct irq_move *move)
{
    if (move->ok && !test.kind->rounds && move->irq->cpu != move->to)
        move->ok = problem_set(&move->problem, "selftest-moves",
                               "%s: it is on CPU %u and not on CPU %u, where it moved",
                               move->irq->name, move->irq->cpu, move->to);
}

static void moved(struct irq_move *move)
{
    check_move(move);
    if (!move->ok && test.kind->rounds && !strcmp(move->problem.what, "irq-affinity"))
        __atomic_fetch_add(&test.refused, 1, __ATOMIC_RELAXED);
    else
        count_step(&test.moves, move->ok, &move->problem);
    end_step(container_of(move, struct mover, move));
}

static void begin_move(struct mover *m, struct irq *irq)
{
    unsigned to = (unsigned)random_below(&m->random, cpu_count() - 1);
    to += to >= irq->cpu; // any but where it is
    m->move = (struct irq_move){ .irq = irq, .to = to, .done = moved };
    irq_set_affinity(&m->move);
}

// ---- changes of delivery: the CPU that the irq goes to ----

static bool change_delivery(struct irq *irq, struct problem *p)
{
    bool posted = strcmp(irq->chip->name, "VTD-POST"); // it is to be
    if (!irq_set_posted(irq, posted, p))
        return false;
    const char *wanted = posted ? "VTD-POST" : "VTD-REMAP";
    return !strcmp(irq->chip->name, wanted) ||
           problem_set(p, "selftest-chip", "%s: it was changed to %s and is %s", irq->name, wanted,
                       irq->chip->name);
}

static void change_here(struct cpu_msg *msg)
{
    struct mover *m = container_of(msg, struct mover, msg);
    struct irq *irq = test.irqs[m->busy];
    struct problem p;
    if (__atomic_load_n(&irq->cpu, __ATOMIC_ACQUIRE) != cpu_index()) {
        begin_change(m, irq); // its CPU has left meanwhile
        return;
    }
    count_step(&test.changed, change_delivery(irq, &p), &p);
    end_step(m);
}

static void begin_change(struct mover *m, const struct irq *irq)
{
    m->msg.fn = change_here;
    cpu_post(__atomic_load_n(&irq->cpu, __ATOMIC_ACQUIRE), &m->msg);
}

// ---- their start: boot CPU ----

static void find_irqs(void)
{
    size_t most = 0;
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        most++;
    test.irqs = mem_alloc(most * sizeof(struct irq *) + 1, CACHE_LINE, NODE_ANY);
    test.busy = mem_alloc(most + 1, CACHE_LINE, NODE_ANY);
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq->moved && !(test.changes && irq->chip->through))
            test.irqs[test.irqs_count++] = irq;
}

static void start_movers(void)
{
    unsigned count = (unsigned)MIN((size_t)MOVERS, test.irqs_count);
    test.movers = mem_alloc(count * sizeof(*test.movers), CACHE_LINE, NODE_ANY);
    test.waiting += count;
    for (unsigned i = 0; i < count; i++) {
        struct mover *m = &test.movers[i];
        *m = (struct mover){ .random = i + 1, .msg.fn = first_step };
        cpu_post(i % cpu_count(), &m->msg);
    }
}

// ---- changes of the mode: boot CPU ----

static void next_mode(void)
{
    if (!enough_steps()) {
        mode_changes_next(&test.mode_changes);
        return;
    }
    test.waiting--;
    start_draining_once_all_ended();
}

static void mode_changed(bool ok, const struct problem *p)
{
    count_step(&test.modes, ok, p);
    next_mode();
}

static void start_mode_changes(void)
{
    test.mode_changes = (struct mode_changes){ .random = test.random, .changed = mode_changed };
    test.waiting++;
    next_mode();
}

// ---- rounds: boot CPU ----

static void next_round(void);

static void check_change(bool online)
{
    struct problem p;
    bool ok = test.change.ok && cpu_is_online(test.change.cpu) == online;
    if (test.change.ok && !ok)
        problem_set(&p, "selftest-offline", "CPU %u is %s though it was to %s", test.change.cpu,
                    online ? "away" : "there", online ? "come back" : "leave");
    if (!ok || online)
        count_step(&test.rounds, ok, test.change.ok ? &p : &test.change.problem);
}

static void is_back(struct cpu_change *change)
{
    check_change(true);
    load_run(&test.load, change->cpu);
    next_round();
}

static void call_back(struct cpu_timer *timer)
{
    test.change.done = is_back;
    cpu_online(&test.change);
}

static void is_away(struct cpu_change *change)
{
    check_change(false);
    if (!test.change.ok) { // it is still there
        load_run(&test.load, change->cpu);
        next_round();
        return;
    }
    test.away.fn = call_back;
    cpu_timer_start(&test.away, time_ns() + random_below(&test.random, AWAY_NS_MAX));
}

static void may_leave(struct load_cpu *cpu)
{
    test.change.done = is_away;
    cpu_offline(&test.change);
}

static void next_round(void)
{
    if (test.begun == test.wanted || test.failed) {
        __atomic_store_n(&test.rounds_done, true, __ATOMIC_RELAXED);
        start_draining_once_all_ended();
        return;
    }
    test.begun++;
    test.change =
        (struct cpu_change){ .cpu = 1 + (unsigned)random_below(&test.random, cpu_count() - 1) };
    load_pause(&test.load, test.change.cpu, may_leave);
}

// ---- the run ----

static void check_stall(uint64_t now, uint64_t progress)
{
    if (progress != test.seen) {
        test.seen = progress;
        test.progress_ns = now;
    }
    if (now - test.progress_ns < STALL_NS)
        return;
    error("selftest-stalled",
          "no read has completed and no step was done for %llu s: %lu of %lu %s",
          STALL_NS / NS_PER_S, selftest_steps(&test), test.wanted, test.kind->steps);
    test.stalled = test.stop = true;
}

static void show_progress(struct cpu_timer *timer)
{
    char reads[HUMAN_BYTES], seconds[HUMAN_BYTES], done[HUMAN_BYTES], wanted[HUMAN_BYTES];
    uint64_t now = time_ns(), completed = load_sum(&test.load).completed;
    info("selftest %s: %s s: %s of %s %s, %s reads", test.kind->name,
         human_ratio(seconds, now - test.began_ns, NS_PER_S, 1),
         human_count(done, selftest_steps(&test)), human_count(wanted, test.wanted),
         test.kind->steps, human_count(reads, completed));
    selftest_live_show(&test);
    check_stall(now, completed + selftest_steps(&test));
    cpu_timer_start(timer, timer->due_ns + NS_PER_S);
}

static void run(void)
{
    test.began_ns = test.progress_ns = time_ns();
    test.progress.fn = show_progress;
    selftest_live_begin(&test);
    cpu_timer_start(&test.progress, test.began_ns + NS_PER_S);
    for (unsigned i = 0; i < cpu_count(); i++)
        load_run(&test.load, i);
    if (test.kind->moves || test.changes)
        start_movers();
    if (test.kind->modes)
        start_mode_changes();
    if (test.kind->rounds)
        next_round();
    cpu_run_until(&test.stop);
    cpu_timer_stop(&test.progress);
}

// What the test needs of the machine.
static bool check_machine(struct problem *p)
{
    const char *name = test.kind->name;
    if (test.kind->changes && !test.kind->rounds && !test.changes)
        return problem_set(p, "selftest-delivery",
                           "test=%s: irq=%s delivers MSIs in one way only, and they can't change: "
                           "use irq=posted, adaptive or poll, where the platform can post",
                           name, irq_mode_name(irq_get_mode()));
    if ((test.kind->moves || test.kind->rounds) && cpu_count() < 2)
        return problem_set(p, "selftest-cpus",
                           "test=%s needs two CPUs at least, and one is in use: raise cpus=", name);
    if (test.kind->modes && !mode_changes_are_possible(p))
        return false;
    find_irqs();
    return test.irqs_count ||
           problem_set(p, "selftest-irqs", "test=%s: there is no irq that can move", name);
}

static bool prepare(const struct cmdline *c, struct problem *p)
{
    const struct selftest_kind *kind = &kinds[cmdline_number(c, "test")];
    test = (struct selftest){
        .kind = kind,
        .changes = kind->changes && irq_mode_posts(irq_get_mode()),
        .wanted = cmdline_number(c, kind->steps),
        .random = cmdline_number(c, "seed"),
    };
    return check_machine(p) && load_prepare(&test.load, c, p);
}

// Those that need more of units, or of the kernel, than an app may have: apps of their own there.
static bool run_other(const struct cmdline *c)
{
    static const char *const names[] = { "posting", "ring" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (cmdline_is(c, "test", names[i])) {
            const struct app *app = app_find(names[i]);
            if (app)
                app->run(c);
            else
                error("selftest-missing", "test=%s isn't in this image", names[i]);
            return true;
        }
    return false;
}

static void selftest_run(const struct cmdline *c)
{
    struct problem p;
    if (run_other(c))
        return;
    if (!prepare(c, &p)) {
        error_problem(&p);
        return;
    }
    info("selftest %s: %lu %s, iodepth %u, on %zu disks, %u CPUs, %s", test.kind->name, test.wanted,
         test.kind->steps, test.load.iodepth, test.load.disks.count, cpu_count(),
         irq_mode_name(irq_get_mode()));
    run();
    selftest_report(&test);
}

APP(app_selftest) = {
    .name = "selftest",
    .help =
        "moves irqs, changes their delivery or irq=, or takes CPUs out and back, under full load",
    .options = options,
    .bare = { "test" },
    .run = selftest_run,
};
