// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/slot_plan.h"

#define LOOK_NS NS_PER_S
#define STEP_NS (10 * NS_PER_MS)
#define SETTLE_NS (100 * NS_PER_MS) // from the link's being up to the first request (6.6.1),
#define UNTOLD_NS NS_PER_S          // or from power, where the port doesn't tell of the link
#define RISE_NS (5 * NS_PER_S)      // for all of it; a function has a second to answer (2.3.1.1)

static enum nvme_slot_action enter(struct nvme_slot_plan *plan, enum nvme_slot_state state,
                                   uint64_t now_ns, enum nvme_slot_action action)
{
    plan->state = state;
    plan->since_ns = now_ns;
    return action;
}

static bool is_there(const struct pci_slot_look *look)
{
    return look->present || look->link;
}

// A link that falls with the power has nothing to say.
static bool has_changed(const struct pci_slot_look *look)
{
    return look->swapped || (look->relinked && look->power);
}

static enum nvme_slot_action power_on(struct nvme_slot_plan *plan, uint64_t now_ns)
{
    plan->begun_ns = now_ns;
    return enter(plan, NVME_SLOT_RISING, now_ns, NVME_SLOT_DO_POWER_ON);
}

// Of a slot with power in which nothing is used, the button says that it is to be off.
static enum nvme_slot_action idle(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    plan->changed |= has_changed(&in->look);
    if (in->in_use)
        return in->look.pressed ? enter(plan, NVME_SLOT_REMOVING, in->now_ns, NVME_SLOT_DO_REMOVE)
                                : NVME_SLOT_DO_NOTHING;
    bool changed = plan->changed;
    plan->changed = false;
    if (is_there(&in->look) && (changed || (in->look.pressed && !in->look.power)))
        return power_on(plan, in->now_ns);
    return in->look.pressed && in->look.power ? NVME_SLOT_DO_POWER_OFF : NVME_SLOT_DO_NOTHING;
}

// Asked again until all have heard: one that is in the middle of something doesn't.
static enum nvme_slot_action removing(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    if (in->in_use)
        return NVME_SLOT_DO_REMOVE;
    plan->changed = false;
    return enter(plan, NVME_SLOT_IDLE, in->now_ns, NVME_SLOT_DO_POWER_OFF);
}

// True: it ends here, with *action.
static bool has_ended(struct nvme_slot_plan *plan, const struct nvme_slot_input *in,
                      enum nvme_slot_action *action)
{
    if (!is_there(&in->look))
        *action = enter(plan, NVME_SLOT_IDLE, in->now_ns, NVME_SLOT_DO_POWER_OFF);
    else if (in->now_ns - plan->begun_ns >= RISE_NS)
        *action = enter(plan, NVME_SLOT_IDLE, in->now_ns, NVME_SLOT_DO_GIVE_UP);
    else
        return false;
    return true;
}

static enum nvme_slot_action rising(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    if (in->look.link)
        return enter(plan, NVME_SLOT_SETTLING, in->now_ns, NVME_SLOT_DO_NOTHING);
    return NVME_SLOT_DO_NOTHING;
}

// A link that falls again has to rise anew.
static enum nvme_slot_action settling(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    if (!in->look.link)
        return enter(plan, NVME_SLOT_RISING, in->now_ns, NVME_SLOT_DO_NOTHING);
    if (in->now_ns - plan->since_ns >= (in->look.tells_link ? SETTLE_NS : UNTOLD_NS))
        return enter(plan, NVME_SLOT_PROBING, in->now_ns, NVME_SLOT_DO_NOTHING);
    return NVME_SLOT_DO_NOTHING;
}

static enum nvme_slot_action probing(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    if (!in->look.link)
        return enter(plan, NVME_SLOT_RISING, in->now_ns, NVME_SLOT_DO_NOTHING);
    if (in->answers)
        return enter(plan, NVME_SLOT_RETURNING, in->now_ns, NVME_SLOT_DO_RETURN);
    return NVME_SLOT_DO_NOTHING;
}

// None came back: whatever is there is new.
static enum nvme_slot_action returning(struct nvme_slot_plan *plan,
                                       const struct nvme_slot_input *in)
{
    if (in->busy)
        return NVME_SLOT_DO_NOTHING;
    if (in->in_use)
        return enter(plan, NVME_SLOT_IDLE, in->now_ns, NVME_SLOT_DO_WELCOME);
    return enter(plan, NVME_SLOT_STARTING, in->now_ns, NVME_SLOT_DO_SCAN);
}

static enum nvme_slot_action starting(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    if (in->busy)
        return NVME_SLOT_DO_START;
    return enter(plan, NVME_SLOT_IDLE, in->now_ns, NVME_SLOT_DO_NOTHING);
}

enum nvme_slot_action nvme_slot_step(struct nvme_slot_plan *plan, const struct nvme_slot_input *in)
{
    enum nvme_slot_action action;
    bool rises = plan->state >= NVME_SLOT_RISING && plan->state <= NVME_SLOT_PROBING;
    if (plan->state > NVME_SLOT_PROBING)
        plan->changed |= has_changed(&in->look); // it may be another by now
    if (rises && has_ended(plan, in, &action))
        return action;
    switch (plan->state) {
    case NVME_SLOT_IDLE:
        return idle(plan, in);
    case NVME_SLOT_REMOVING:
        return removing(plan, in);
    case NVME_SLOT_RISING:
        return rising(plan, in);
    case NVME_SLOT_SETTLING:
        return settling(plan, in);
    case NVME_SLOT_PROBING:
        return probing(plan, in);
    case NVME_SLOT_RETURNING:
        return returning(plan, in);
    case NVME_SLOT_STARTING:
        return starting(plan, in);
    }
    return NVME_SLOT_DO_NOTHING;
}

uint64_t nvme_slot_wait_ns(const struct nvme_slot_plan *plan)
{
    return plan->state == NVME_SLOT_IDLE ? LOOK_NS : STEP_NS;
}
