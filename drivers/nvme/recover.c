// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/recover.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/events.h"
#include "drivers/nvme/late.h"
#include "drivers/nvme/restore.h"
#include "drivers/nvme/round.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/watch.h"
#include "kernel/base/report.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci_regs.h"
#include "kernel/x86/time.h"

#define ABSENT_NS NS_PER_S // as long as a function may take after a reset (PCIe Base 6.0, 2.3.1.1)

#define LINK_NS NS_PER_S // between looks at errors of its link

struct abort {
    struct nvme_recover *recover;
    struct nvme_admin_command command;
    bool under_way;
};

struct nvme_recover {
    struct nvme_ctrl *ctrl;
    bool has_errors; // of PCI Express, to look at
    bool returning;  // it was gone, and may be there again
    struct nvme_plan plan;
    struct cpu_timer timer;
    struct nvme_pause pause; // while an admin command is late
    struct nvme_round round;
    enum nvme_plan_event after; // what has happened once all are back
    bool asked;                 // for a look, while a round was under way
    enum nvme_plan_event asked_for;
    struct abort abort[NVME_ABORTS_MOST]; // an earlier one may be answered late
    struct abort *aborting;               // the last one
    struct nvme_restore restore;
    unsigned aborts, resets;
};

static void step(struct nvme_recover *r, enum nvme_plan_event event);

// ---- rounds ----

static void look(struct nvme_recover *r, enum nvme_plan_event event);

static void round_ends(struct nvme_round *round)
{
    struct nvme_recover *r = container_of(round, struct nvme_recover, round);
    enum nvme_plan_event event = r->after;
    bool asked = r->asked;
    r->asked = false;
    step(r, event);
    if (asked)
        look(r, r->asked_for);
}

static void go_round(struct nvme_recover *r, void (*work)(struct nvme_queue *),
                     enum nvme_plan_event after)
{
    r->after = after;
    nvme_round_go(&r->round, work, round_ends);
}

// Has what is late counted, and then takes the next step.
static void look(struct nvme_recover *r, enum nvme_plan_event event)
{
    if (!r->round.out)
        return go_round(r, nvme_late_count, event);
    if (!r->asked || event != NVME_TICK)
        r->asked_for = event;
    r->asked = true;
}

static void end_queue(struct nvme_queue *q)
{
    nvme_queue_quiet(q);
    nvme_queue_end(q);
}

// ---- aborts ----

static void aborted(struct nvme_admin_command *command)
{
    struct abort *a = container_of(command, struct abort, command);
    a->under_way = false;
    if (a == a->recover->aborting && a->recover->plan.state == NVME_ABORTING)
        look(a->recover,
             command->status || command->result & 1 ? NVME_ABORT_FAILED : NVME_ABORT_ENDED);
}

static struct abort *free_abort(struct nvme_recover *r)
{
    for (unsigned i = 0; i < NVME_ABORTS_MOST; i++)
        if (!r->abort[i].under_way)
            return &r->abort[i];
    return NULL;
}

static struct nvme_queue *late_queue(const struct nvme_ctrl *c)
{
    unsigned i = 0;
    while (!c->queues[i]->watch.late)
        i++;
    return c->queues[i];
}

// Its id may be another command's by now: that one is tried again, then.
static void send_abort(struct nvme_recover *r)
{
    const struct nvme_queue *q = late_queue(r->ctrl);
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_ABORT,
        .cdw10 = q->qp.qid | q->watch.late_id << 16,
    };
    struct abort *a = r->aborting = free_abort(r);
    if (!a || !nvme_admin_send(r->ctrl, &sqe, &a->command))
        return look(r, NVME_ABORT_FAILED);
    a->under_way = true;
    r->aborts++;
}

// ---- resets ----

static const char *reason_words(enum nvme_plan_reason reason)
{
    switch (reason) {
    case NVME_WHY_LATE:
        return "it doesn't answer";
    case NVME_WHY_FATAL:
        return "it reports a fatal error (CSTS.CFS)";
    case NVME_WHY_NOT_READY:
        return "it is no longer ready (CSTS.RDY)";
    case NVME_WHY_ABSENT:
        return "its registers read all ones: it was removed, fell off the bus or sleeps";
    case NVME_WHY_STUCK:
        return "its reset doesn't end";
    case NVME_WHY_SETUP:
        return "it can't be set up after a reset";
    case NVME_WHY_REMOVED:
        return "its slot's button was pressed";
    case NVME_WHY_OTHER:
        return "another disk is in its place";
    case NVME_WHY_ASKED:
        break;
    }
    return "as was asked for";
}

static void quiet(struct nvme_recover *r)
{
    r->ctrl->resetting = true;
    warn("nvme-reset", "%s: the controller is reset: %s", r->ctrl->label,
         reason_words(r->plan.reason));
    go_round(r, nvme_queue_quiet, NVME_QUIET);
}

static void take_back(struct nvme_queue *q)
{
    nvme_queue_take_back(q);
    q->watch.late = 0;
    q->watch.progress = false;
}

static void clear(struct nvme_recover *r)
{
    nvme_admin_reset(r->ctrl);
    for (unsigned i = 0; i < NVME_ABORTS_MOST; i++)
        r->abort[i].under_way = false;
    go_round(r, take_back, NVME_CLEARED);
}

static void resume(struct nvme_recover *r)
{
    if (r->returning && !r->ctrl->given)
        warn("nvme-returned", "%s: it is back in its slot, and takes requests again",
             r->ctrl->label);
    r->returning = false;
    r->ctrl->gone = false;
    r->ctrl->resetting = false;
    r->resets++;
    go_round(r, nvme_queue_open, NVME_TICK);
}

// ---- gone ----

// Only a function that can't reach memory may lose its buffers to others.
static void stop_master(struct nvme_ctrl *c)
{
    if (!pci_stop_bus_master(c->dev))
        fail("nvme-master",
             "%s: it can't be kept from writing to memory: its bus mastering stays on", c->label);
}

static void say_gone(const struct nvme_recover *r)
{
    const struct nvme_ctrl *c = r->ctrl;
    if (r->returning)
        warn("nvme-not-back", "%s: it didn't come back%s: %s", c->label,
             c->given ? "" : " to its slot", reason_words(r->plan.reason));
    else if (c->given)
        info("%s: it leaves the kernel for a domain", c->label);
    else if (r->plan.reason == NVME_WHY_REMOVED)
        warn("nvme-removed", "%s: %s: it may be taken out; all its requests end as failed",
             c->label, reason_words(r->plan.reason));
    else
        error("nvme-gone", "%s: the controller is gone: %s; all its requests end as failed",
              c->label, reason_words(r->plan.reason));
}

// What is in its place instead, if anything, is left disabled for whoever tries next.
static void give_up(struct nvme_recover *r)
{
    struct nvme_ctrl *c = r->ctrl;
    c->gone = true;
    c->resetting = true;
    say_gone(r);
    if (r->returning)
        nvme_ctrl_disable(c);
    r->returning = false;
    stop_master(c);
    nvme_namespaces_lose(c);
    pci_tell_lost(c->dev);
    go_round(r, end_queue, NVME_TICK);
}

// ---- steps ----

// One that was given up may no longer reach memory. Where that is refused it stays off, and is given up.
static void enable(struct nvme_recover *r)
{
    struct problem p;
    if (pci_enable(r->ctrl->dev, &p))
        nvme_ctrl_enable(r->ctrl);
    else
        warn_problem(&p);
}

static void act(struct nvme_recover *r, enum nvme_plan_action action)
{
    switch (action) {
    case NVME_DO_NOTHING:
        break;
    case NVME_DO_ABORT:
        return send_abort(r);
    case NVME_DO_QUIET:
        return quiet(r);
    case NVME_DO_DISABLE:
        pci_revive(r->ctrl->dev, time_delay_ns);
        return nvme_ctrl_disable(r->ctrl);
    case NVME_DO_CLEAR:
        return clear(r);
    case NVME_DO_ENABLE:
        return enable(r);
    case NVME_DO_RESTORE:
        return nvme_restore_start(&r->restore);
    case NVME_DO_RESUME:
        return resume(r);
    case NVME_DO_REMOVE:
        return give_up(r);
    }
}

// Unless it is paused: then none is answered.
static bool admin_is_late(const struct nvme_ctrl *c)
{
    uint32_t csts;
    if (!nvme_admin_is_late(c))
        return false;
    nvme_ctrl_alive(c, &csts);
    return !nvme_pause_holds(&c->recover->pause, csts, time_ns(),
                             c->abilities.pause_ms * NS_PER_MS);
}

// As of the last look.
static void add_queues(const struct nvme_ctrl *c, struct nvme_plan_input *in)
{
    if (admin_is_late(c)) // nothing but a reset ends it
        in->late = NVME_ABORTS_MOST + 1;
    for (unsigned i = 0; i < c->queues_count; i++) {
        in->late += c->queues[i]->watch.late;
        in->progress |= c->queues[i]->watch.progress;
    }
}

static void set_timer(struct nvme_recover *r)
{
    uint64_t now = time_ns(), wait = nvme_events_wait_ns(r->ctrl);
    if (!wait && r->has_errors)
        wait = LINK_NS;
    if (r->plan.state == NVME_GONE)
        cpu_timer_stop(&r->timer);
    else if (r->plan.state != NVME_RUNNING)
        cpu_timer_start(&r->timer, nvme_plan_next_ns(&r->plan, now));
    else if (wait)
        cpu_timer_start(&r->timer, now + wait);
}

static void step(struct nvme_recover *r, enum nvme_plan_event event)
{
    struct nvme_plan_input in = { .event = event, .now_ns = time_ns() };
    if (r->plan.state == NVME_ABSENT) {
        pci_errors_look(r->ctrl->dev, in.now_ns);
        pci_revive(r->ctrl->dev, time_delay_ns);
    }
    if (nvme_plan_reads_csts(&r->plan, in.now_ns))
        nvme_ctrl_alive(r->ctrl, &in.csts);
    add_queues(r->ctrl, &in);
    act(r, nvme_plan_step(&r->plan, &in));
    set_timer(r);
}

static void look_at_restore(struct nvme_recover *r)
{
    enum nvme_restore_state state = nvme_restore_look(&r->restore);
    if (state == NVME_RESTORE_DONE)
        step(r, NVME_RESTORED);
    else if (state == NVME_RESTORE_FAILED)
        step(r, r->restore.other ? NVME_REPLACED : NVME_NOT_RESTORED);
}

static void look_again(struct nvme_recover *r)
{
    switch (r->plan.state) {
    case NVME_RUNNING:
        pci_errors_look(r->ctrl->dev, time_ns());
        nvme_events_poll(r->ctrl);
        if (admin_is_late(r->ctrl))
            look(r, NVME_TICK);
        break;
    case NVME_ABORTING:
        nvme_admin_poll(r->ctrl);
        look(r, NVME_TICK);
        break;
    case NVME_RESTORING:
        look_at_restore(r);
        break;
    default:
        step(r, NVME_TICK);
    }
}

static void tick(struct cpu_timer *timer)
{
    struct nvme_recover *r = container_of(timer, struct nvme_recover, timer);
    if (!r->ctrl->running)
        return;
    if (!r->round.out)
        look_again(r);
    set_timer(r);
}

// From a queue's watch, or by an admin command without an answer.
static void reported(struct cpu_msg *msg)
{
    struct nvme_ctrl *c = container_of(msg, struct nvme_ctrl, report);
    c->reported = false;
    if (c->running && c->recover->plan.state == NVME_RUNNING)
        look(c->recover, NVME_TICK);
}

void nvme_recover_reset(struct nvme_ctrl *c)
{
    if (c->running && !c->gone)
        look(c->recover, NVME_RESET_ASKED);
}

// ---- slots ----

void nvme_recover_remove(struct nvme_ctrl *c)
{
    if (c->recover->plan.state != NVME_GONE && !c->recover->round.out)
        step(c->recover, NVME_REMOVAL_ASKED);
}

void nvme_recover_return(struct nvme_ctrl *c)
{
    c->recover->returning = true;
    step(c->recover, NVME_RETURN_ASKED);
}

bool nvme_recover_is_over(const struct nvme_ctrl *c)
{
    return c->recover->plan.state == NVME_GONE && !c->recover->round.out;
}

bool nvme_recover_returns(const struct nvme_ctrl *c)
{
    return c->recover->returning || (c->recover->plan.state == NVME_GONE && c->recover->round.out);
}

// ---- start ----

static void set_limits(struct nvme_recover *r)
{
    const struct nvme_ctrl *c = r->ctrl;
    r->plan.limits = (struct nvme_plan_limits){
        .ready_ns = c->limits.ready_ms * NS_PER_MS,
        .settle_ns = nvme_ctrl_settle_ns(c),
        .abort_ns = nvme_qpair_timeout_ms() * NS_PER_MS / NVME_WATCH_TICKS,
        .absent_ns = ABSENT_NS,
    };
}

void nvme_recover_start(struct nvme_ctrl *c)
{
    struct nvme_recover *r = mem_alloc(sizeof(*r), CACHE_LINE, c->dev->node);
    r->ctrl = c;
    r->has_errors = pci_errors_start(c->dev);
    r->timer.fn = tick;
    for (unsigned i = 0; i < NVME_ABORTS_MOST; i++) {
        r->abort[i].recover = r;
        r->abort[i].command.done = aborted;
    }
    set_limits(r);
    nvme_round_init(&r->round, c);
    nvme_restore_init(&r->restore, c);
    pci_keep(c->dev);
    c->recover = r;
    c->report.fn = reported;
    nvme_watch_start(c);
    nvme_events_start(c);
    set_timer(r);
}

// ---- what people and tools are told ----

static void print_json(const struct nvme_ctrl *c, unsigned retries, unsigned lost, unsigned events)
{
    char text[256];
    struct json j;
    json_begin(&j, text, sizeof(text), "recovery");
    json_text(&j, "device", c->name);
    json_u64(&j, "resets", c->recover->resets);
    json_u64(&j, "aborts", c->recover->aborts);
    json_u64(&j, "retries", retries);
    json_u64(&j, "lost_interrupts", lost);
    json_u64(&j, "events", events);
    json_bool(&j, "gone", c->gone && !c->given);
    report_json(&j);
}

void nvme_recover_print(const struct nvme_ctrl *c)
{
    const struct nvme_recover *r = c->recover;
    unsigned retries = 0, lost = 0, events = nvme_events_count(c);
    for (unsigned i = 0; r && i < c->queues_count; i++) {
        retries += c->queues[i]->retries;
        lost += c->queues[i]->watch.lost_interrupts;
    }
    bool gone = c->gone && !c->given;
    if (!r || !(r->resets || r->aborts || retries || lost || events || gone))
        return;
    info("%s: %u resets, %u aborts, %u retries, %u lost interrupts, %u events%s", c->label,
         r->resets, r->aborts, retries, lost, events, gone ? "; it is gone" : "");
    print_json(c, retries, lost, events);
}
