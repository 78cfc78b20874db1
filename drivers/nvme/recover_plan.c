// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/recover_plan.h"

#include "drivers/nvme/nvme_regs.h"

#define STEP_NS NS_PER_MS            // between looks at CSTS during a reset
#define ABORT_STEP_NS (10 * STEP_NS) // and at what was aborted

static enum nvme_plan_action enter(struct nvme_plan *plan, enum nvme_plan_state state,
                                   uint64_t now_ns, enum nvme_plan_action action)
{
    plan->state = state;
    plan->since_ns = now_ns;
    return action;
}

static bool passed(const struct nvme_plan *plan, uint64_t now_ns, uint64_t ns)
{
    return now_ns - plan->since_ns >= ns;
}

static enum nvme_plan_action give_up(struct nvme_plan *plan, uint64_t now_ns)
{
    return enter(plan, NVME_GONE, now_ns, NVME_DO_REMOVE);
}

// ---- resets ----

static bool may_reset(struct nvme_plan *plan, enum nvme_plan_reason why)
{
    plan->reason = why;
    return plan->resets++ < NVME_RESETS_MOST;
}

static enum nvme_plan_action reset(struct nvme_plan *plan, enum nvme_plan_reason why,
                                   uint64_t now_ns)
{
    if (!may_reset(plan, why))
        return give_up(plan, now_ns);
    return enter(plan, NVME_QUIETING, now_ns, NVME_DO_QUIET);
}

// The queues are quiet already.
static enum nvme_plan_action reset_again(struct nvme_plan *plan, enum nvme_plan_reason why,
                                         uint64_t now_ns)
{
    if (!may_reset(plan, why))
        return give_up(plan, now_ns);
    return enter(plan, NVME_DISABLING, now_ns, NVME_DO_DISABLE);
}

// ---- each state ----

// True: CSTS says that it needs more than patience, and *action is what.
static bool has_failed(struct nvme_plan *plan, const struct nvme_plan_input *in,
                       enum nvme_plan_action *action)
{
    if (in->csts == NVME_ALL_ONES)
        *action = enter(plan, NVME_ABSENT, in->now_ns, NVME_DO_NOTHING);
    else if (in->csts & NVME_CSTS_CFS)
        *action = reset(plan, NVME_WHY_FATAL, in->now_ns);
    else if (!(in->csts & NVME_CSTS_RDY))
        *action = reset(plan, NVME_WHY_NOT_READY, in->now_ns);
    else
        return false;
    return true;
}

static enum nvme_plan_action abort_one(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    plan->late = in->late;
    return enter(plan, NVME_ABORTING, in->now_ns, NVME_DO_ABORT);
}

static enum nvme_plan_action running(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    enum nvme_plan_action action;
    if (in->progress)
        plan->resets = 0;
    if (in->event == NVME_RESET_ASKED)
        return reset(plan, NVME_WHY_ASKED, in->now_ns);
    if (has_failed(plan, in, &action))
        return action;
    if (in->late > NVME_ABORTS_MOST)
        return reset(plan, NVME_WHY_LATE, in->now_ns);
    if (in->late)
        return abort_one(plan, in);
    return NVME_DO_NOTHING;
}

static enum nvme_plan_action absent(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    plan->reason = NVME_WHY_ABSENT;
    if (in->csts != NVME_ALL_ONES)
        return reset(plan, NVME_WHY_ABSENT, in->now_ns);
    if (passed(plan, in->now_ns, plan->limits.absent_ns))
        return give_up(plan, in->now_ns);
    return NVME_DO_NOTHING;
}

// The Abort's own answer says little: what counts is that the command ends.
static enum nvme_plan_action aborting(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    enum nvme_plan_action action;
    if (has_failed(plan, in, &action))
        return action;
    if (!in->late)
        return enter(plan, NVME_RUNNING, in->now_ns, NVME_DO_NOTHING);
    if (in->late < plan->late)
        return abort_one(plan, in);
    if (in->event == NVME_ABORT_FAILED || passed(plan, in->now_ns, plan->limits.abort_ns))
        return reset(plan, NVME_WHY_LATE, in->now_ns);
    return NVME_DO_NOTHING;
}

// All ones, where RDY is set too, are no answer: during a reset some controllers have none for 200 ms
// and more.
static enum nvme_plan_action disabling(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    if (!nvme_plan_reads_csts(plan, in->now_ns))
        return NVME_DO_NOTHING;
    if (!(in->csts & NVME_CSTS_RDY))
        return enter(plan, NVME_CLEARING, in->now_ns, NVME_DO_CLEAR);
    if (!passed(plan, in->now_ns, plan->limits.settle_ns + plan->limits.ready_ns))
        return NVME_DO_NOTHING;
    plan->reason = in->csts == NVME_ALL_ONES ? NVME_WHY_ABSENT : NVME_WHY_STUCK;
    return give_up(plan, in->now_ns);
}

static enum nvme_plan_action enabling(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    bool answers = in->csts != NVME_ALL_ONES;
    if (answers && (in->csts & NVME_CSTS_CFS))
        return reset_again(plan, NVME_WHY_FATAL, in->now_ns);
    if (answers && (in->csts & NVME_CSTS_RDY))
        return enter(plan, NVME_RESTORING, in->now_ns, NVME_DO_RESTORE);
    if (passed(plan, in->now_ns, plan->limits.ready_ns))
        return reset_again(plan, answers ? NVME_WHY_STUCK : NVME_WHY_ABSENT, in->now_ns);
    return NVME_DO_NOTHING;
}

static enum nvme_plan_action restoring(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    if (in->event == NVME_RESTORED)
        return enter(plan, NVME_RUNNING, in->now_ns, NVME_DO_RESUME);
    if (in->event == NVME_NOT_RESTORED)
        return reset_again(plan, NVME_WHY_SETUP, in->now_ns);
    if (in->event == NVME_REPLACED) {
        plan->reason = NVME_WHY_OTHER;
        return give_up(plan, in->now_ns);
    }
    return NVME_DO_NOTHING;
}

// As any reset, but for what was in flight: nothing was.
static enum nvme_plan_action gone(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    if (in->event != NVME_RETURN_ASKED)
        return NVME_DO_NOTHING;
    plan->resets = 0;
    return enter(plan, NVME_DISABLING, in->now_ns, NVME_DO_DISABLE);
}

enum nvme_plan_action nvme_plan_step(struct nvme_plan *plan, const struct nvme_plan_input *in)
{
    if (in->event == NVME_REMOVAL_ASKED && plan->state != NVME_GONE) {
        plan->reason = NVME_WHY_REMOVED;
        return give_up(plan, in->now_ns);
    }
    switch (plan->state) {
    case NVME_RUNNING:
        return running(plan, in);
    case NVME_ABSENT:
        return absent(plan, in);
    case NVME_ABORTING:
        return aborting(plan, in);
    case NVME_QUIETING:
        return in->event == NVME_QUIET ? enter(plan, NVME_DISABLING, in->now_ns, NVME_DO_DISABLE)
                                       : NVME_DO_NOTHING;
    case NVME_DISABLING:
        return disabling(plan, in);
    case NVME_CLEARING:
        return in->event == NVME_CLEARED ? enter(plan, NVME_ENABLING, in->now_ns, NVME_DO_ENABLE)
                                         : NVME_DO_NOTHING;
    case NVME_ENABLING:
        return enabling(plan, in);
    case NVME_RESTORING:
        return restoring(plan, in);
    case NVME_GONE:
        return gone(plan, in);
    }
    return NVME_DO_NOTHING;
}

bool nvme_plan_reads_csts(const struct nvme_plan *plan, uint64_t now_ns)
{
    return plan->state != NVME_DISABLING || passed(plan, now_ns, plan->limits.settle_ns);
}

uint64_t nvme_plan_next_ns(const struct nvme_plan *plan, uint64_t now_ns)
{
    if (!nvme_plan_reads_csts(plan, now_ns))
        return plan->since_ns + plan->limits.settle_ns;
    return now_ns + (plan->state == NVME_ABORTING ? ABORT_STEP_NS : STEP_NS);
}

// ---- pauses ----

bool nvme_pause_holds(struct nvme_pause *pause, uint32_t csts, uint64_t now_ns, uint64_t most_ns)
{
    if (csts == NVME_ALL_ONES || !(csts & NVME_CSTS_PP)) {
        pause->since_ns = 0;
        return false;
    }
    if (!pause->since_ns)
        pause->since_ns = now_ns;
    return now_ns - pause->since_ns < most_ns;
}

// ---- retries ----

bool nvme_may_retry(uint32_t status, unsigned tries)
{
    return !(status & NVME_STATUS_DNR) && tries < NVME_TRIES_MOST;
}

uint64_t nvme_retry_delay_ns(uint32_t status, const uint64_t retry_ms[4])
{
    return retry_ms[field_get(NVME_STATUS_CRD, status)] * NS_PER_MS;
}
