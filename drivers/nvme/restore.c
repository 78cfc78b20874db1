// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/restore.h"

#include "drivers/nvme/events.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/status.h"
#include "drivers/nvme/virtual.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

// Two steps for each queue come after the first two, then what the host chooses, and then those for virtual
// functions.
enum { IDENTIFY, ASK, QUEUES };

static unsigned choices(const struct nvme_ctrl *c)
{
    return QUEUES + 2 * c->queues_count;
}

static unsigned virtual(const struct nvme_ctrl *c)
{
    return choices(c) + nvme_choices(c);
}

static bool makes_queue(const struct nvme_restore *r)
{
    return r->step >= QUEUES && r->step < choices(r->ctrl);
}

static struct nvme_queue *queue_of(const struct nvme_restore *r)
{
    return r->ctrl->queues[(r->step - QUEUES) / 2];
}

static bool makes_sq(const struct nvme_restore *r)
{
    return (r->step - QUEUES) % 2;
}

static struct nvme_sqe sqe_of(const struct nvme_restore *r)
{
    struct nvme_ctrl *c = r->ctrl;
    if (r->step == IDENTIFY)
        return (struct nvme_sqe){
            .head = NVME_ADMIN_IDENTIFY,
            .prp1 = mem_phys(r->page),
            .cdw10 = NVME_CNS_CONTROLLER,
        };
    if (r->step == ASK)
        return nvme_queues_ask(c->queues_count);
    if (r->step >= virtual(c))
        return nvme_virtual_step(c, r->step - virtual(c));
    if (r->step >= choices(c))
        return nvme_choice(c, r->step - choices(c));
    return makes_sq(r) ? nvme_queue_make_sq(queue_of(r)) : nvme_queue_make_cq(queue_of(r));
}

static void send(struct nvme_restore *r)
{
    struct nvme_sqe sqe = sqe_of(r);
    r->deadline_ns = time_ns() + nvme_admin_deadline_ns();
    if (!nvme_admin_send(r->ctrl, &sqe, &r->command))
        r->state = NVME_RESTORE_FAILED;
}

// Another disk may have come in its place.
static bool is_the_same(struct nvme_restore *r)
{
    struct problem p;
    struct nvme_id id;
    const struct nvme_ctrl *c = r->ctrl;
    if (nvme_parse_controller(c->label, r->page, &id, &p) && !strcmp(id.serial, c->id.serial))
        return true;
    r->other = true;
    warn("nvme-other", "%s: after its reset it is another controller, or none that can be used",
         c->label);
    return false;
}

static void take_grant(struct nvme_restore *r)
{
    r->granted = nvme_queues_granted(r->command.result);
    if (r->granted < r->ctrl->queues_count)
        warn("nvme-fewer-queues", "%s: after its reset it grants %u of its %u queues",
             r->ctrl->label, r->granted, r->ctrl->queues_count);
}

static void queue_answered(const struct nvme_restore *r)
{
    char words[80];
    struct nvme_queue *q = queue_of(r);
    *(makes_sq(r) ? &q->has_sq : &q->has_cq) = !r->command.status;
    if (r->command.status)
        warn("nvme-fewer-queues", "%s: after its reset it refuses to create queue %u: %s",
             r->ctrl->label, q->qp.qid, nvme_status_text(r->command.status, words, sizeof(words)));
}

// One that isn't assigned what it needs doesn't go online, which is told once.
static void virtual_answered(const struct nvme_restore *r)
{
    char words[80];
    struct nvme_sqe sqe = nvme_virtual_step(r->ctrl, r->step - virtual(r->ctrl));
    if (r->command.status && field_get(NVME_VIRTUAL_ACT, sqe.cdw10) == NVME_VIRTUAL_ACT_ONLINE)
        warn("nvme-vfs",
             "%s: after its reset controller %u, of a virtual function, doesn't serve again: %s",
             r->ctrl->label, (unsigned)field_get(NVME_VIRTUAL_CNTLID, sqe.cdw10),
             nvme_status_text(r->command.status, words, sizeof(words)));
}

// It may refuse what the host chooses, and queues as long as there is one.
static bool is_good(struct nvme_restore *r)
{
    char words[80];
    if (r->step >= virtual(r->ctrl)) {
        virtual_answered(r);
        return true;
    }
    if (r->step >= choices(r->ctrl)) {
        nvme_choice_answered(r->ctrl, r->step - choices(r->ctrl), !r->command.status);
        return true;
    }
    if (makes_queue(r)) {
        queue_answered(r);
        return true;
    }
    if (r->command.status) {
        warn("nvme-not-restored", "%s: after its reset it refuses step %u of its set-up: %s",
             r->ctrl->label, r->step, nvme_status_text(r->command.status, words, sizeof(words)));
        return false;
    }
    if (r->step == IDENTIFY)
        return is_the_same(r);
    take_grant(r);
    return true;
}

// A queue that isn't granted, or a submission queue that has no completion queue.
static bool is_left_out(const struct nvme_restore *r)
{
    return makes_queue(r) &&
           (queue_of(r)->qp.qid > r->granted || (makes_sq(r) && !queue_of(r)->has_cq));
}

// False: it can't go on so.
static bool take_step(struct nvme_restore *r)
{
    bool was_before = r->step < choices(r->ctrl);
    do
        r->step++;
    while (is_left_out(r));
    return !was_before || r->step < choices(r->ctrl) || nvme_queues_stand_in(r->ctrl);
}

static void go_on(struct nvme_restore *r)
{
    if (!is_good(r) || !take_step(r)) {
        r->state = NVME_RESTORE_FAILED;
    } else if (r->step < virtual(r->ctrl) + nvme_virtual_steps(r->ctrl)) {
        send(r);
    } else {
        nvme_events_listen(r->ctrl);
        pci_tell_lost(r->ctrl->dev);
        r->state = NVME_RESTORE_DONE;
    }
}

void nvme_restore_init(struct nvme_restore *r, struct nvme_ctrl *c)
{
    r->ctrl = c;
    r->page = mem_alloc_dma(NVME_PAGE, NVME_PAGE, c->dev->node);
}

void nvme_restore_start(struct nvme_restore *r)
{
    struct nvme_ctrl *c = r->ctrl;
    r->state = NVME_RESTORE_GOES_ON;
    r->step = IDENTIFY;
    for (unsigned i = 0; i < c->queues_count; i++)
        c->queues[i]->has_cq = c->queues[i]->has_sq = false;
    r->other = false;
    send(r);
}

enum nvme_restore_state nvme_restore_look(struct nvme_restore *r)
{
    nvme_admin_poll(r->ctrl);
    if (r->state == NVME_RESTORE_GOES_ON && r->command.ended) {
        go_on(r);
    } else if (r->state == NVME_RESTORE_GOES_ON && time_ns() >= r->deadline_ns) {
        warn("nvme-not-restored", "%s: after its reset it doesn't answer step %u of its set-up",
             r->ctrl->label, r->step);
        r->state = NVME_RESTORE_FAILED;
    }
    return r->state;
}
