// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/give_set_up.h"

#include "drivers/nvme/events.h"
#include "drivers/nvme/give_check.h"
#include "drivers/nvme/give_tell.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/shadow.h"
#include "drivers/nvme/status.h"
#include "kernel/base/cpus.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

struct nvme_given_queue {
    uint64_t sq, cq; // the domain's addresses
    struct irq *irq; // NULL: none yet
    struct domain_bell bell;
    struct cpu_msg drain;
    bool drain_again;
    struct nvme_given *given;
};

// ---- room ----

static void make_room(struct nvme_given *g, unsigned queues)
{
    if (queues <= g->room)
        return;
    g->queues = mem_alloc(queues * sizeof(*g->queues), CACHE_LINE, g->ctrl->dev->node);
    g->room = queues;
    for (unsigned i = 0; i < queues; i++)
        g->queues[i].given = g;
}

// The completion queue has one entry more than the controller knows of: qpair.h.
static bool place_queue(const struct nvme_ctrl *c, struct nvme_given_queue *q,
                        struct domain_grant *grant)
{
    uint64_t entries = c->limits.queue_entries;
    q->sq = domain_take_memory(grant, entries * sizeof(struct nvme_io_sqe), NVME_PAGE);
    q->cq = domain_take_memory(grant, (entries + 1) * sizeof(struct nvme_cqe), NVME_PAGE);
    return q->sq && q->cq;
}

static bool place_queues(struct nvme_given *g, struct domain_grant *grant, struct problem *p)
{
    g->count = nvme_give_queues(g->ctrl, grant->cpus);
    make_room(g, g->count);
    for (unsigned i = 0; i < g->count; i++)
        if (!place_queue(g->ctrl, &g->queues[i], grant))
            return problem_set(p, "domain-memory",
                               "%s: its %u queues of %u entries don't fit into the domain's "
                               "memory: give it more (mem=), or take shorter ones (nvme.depth=)",
                               g->ctrl->label, g->count, g->ctrl->limits.queue_entries);
    return true;
}

// ---- enabled, for the kernel alone ----

// Its own memory stays off: the domain's addresses are the domain's.
static bool enable(struct nvme_given *g, struct problem *p)
{
    struct nvme_ctrl *c = g->ctrl;
    if (!pci_set_space(c->dev, NULL))
        return problem_set(p, "domain-disk", "%s: it may still reach what it was granted before",
                           c->label);
    if (!pci_enable(c->dev, p))
        return false;
    c->cmb.off = true;
    nvme_admin_reset(c);
    nvme_ctrl_enable(c);
    c->written_ns = time_ns();
    return true;
}

static bool is_within(uint64_t at, uint64_t bytes, const struct domain_grant *grant)
{
    return at < grant->memory_end && at + bytes > grant->memory_start;
}

// The controller goes on knowing its admin queue by these addresses, and whoever rings its doorbell has it look
// there: the domain, which may ring it, must have nothing there.
static bool is_out_of_reach(const struct nvme_ctrl *c, const struct domain_grant *grant,
                            struct problem *p)
{
    const struct nvme_qpair *q = c->admin;
    uint64_t entries = q->mask + 1u, sq = q->sq_address, cq = mem_phys(q->ring);
    if (!is_within(sq, entries * sizeof(*q->sq), grant) &&
        !is_within(cq, entries * sizeof(*q->ring), grant))
        return true;
    return problem_set(p, "domain-memory",
                       "%s: its admin queue is at 0x%llx and 0x%llx, where a domain with so much "
                       "memory has its own as devices see it: give it less (mem=)",
                       c->label, (unsigned long long)sq, (unsigned long long)cq);
}

bool nvme_given_begin(struct nvme_given *g, struct domain_grant *grant, struct problem *p)
{
    g->enabled = false;
    g->step = g->live = 0;
    return is_out_of_reach(g->ctrl, grant, p) && place_queues(g, grant, p) && enable(g, p);
}

// ---- admin commands, one after the other ----

// Two steps for each queue come after the first two, and then what the host chooses.
enum { IDENTIFY, ASK, QUEUES };

static unsigned choices(const struct nvme_given *g)
{
    return QUEUES + 2 * g->count;
}

// All but shadow doorbells, the last of them: those would be the kernel's memory.
static unsigned steps(const struct nvme_given *g)
{
    return choices(g) + nvme_choices(g->ctrl) - nvme_shadow_offered(g->ctrl);
}

static struct nvme_sqe make_queue(const struct nvme_given *g, unsigned i, bool is_sq)
{
    const struct nvme_given_queue *q = &g->queues[i];
    uint32_t id_and_size =
        (uint32_t)(field_put(NVME_QUEUE_QID, i + 1) |
                   field_put(NVME_QUEUE_QSIZE, g->ctrl->limits.queue_entries - 1));
    if (is_sq)
        return (struct nvme_sqe){
            .head = NVME_ADMIN_CREATE_SQ,
            .prp1 = q->sq,
            .cdw10 = id_and_size,
            .cdw11 = (uint32_t)(NVME_SQ_PC | field_put(NVME_SQ_CQID, i + 1)),
        };
    return (struct nvme_sqe){
        .head = NVME_ADMIN_CREATE_CQ,
        .prp1 = q->cq,
        .cdw10 = id_and_size,
        .cdw11 = (uint32_t)(NVME_CQ_PC | NVME_CQ_IEN | field_put(NVME_CQ_IV, i)),
    };
}

static struct nvme_sqe sqe_of(const struct nvme_given *g)
{
    struct nvme_ctrl *c = g->ctrl;
    if (g->step == IDENTIFY)
        return (struct nvme_sqe){
            .head = NVME_ADMIN_IDENTIFY,
            .prp1 = mem_phys(c->page),
            .cdw10 = NVME_CNS_CONTROLLER,
        };
    if (g->step == ASK)
        return nvme_queues_ask(g->count);
    if (g->step >= choices(g))
        return nvme_choice(c, g->step - choices(g));
    return make_queue(g, (g->step - QUEUES) / 2, (g->step - QUEUES) % 2);
}

static bool send(struct nvme_given *g, struct problem *p)
{
    struct nvme_sqe sqe = sqe_of(g);
    g->deadline_ns = time_ns() + nvme_admin_deadline_ns();
    return nvme_admin_send(g->ctrl, &sqe, &g->command) ||
           problem_set(p, "nvme-admin-timeout", "%s: its admin queue is full", g->ctrl->label);
}

static bool is_the_same(const struct nvme_ctrl *c, struct problem *p)
{
    struct nvme_id id;
    if (!nvme_parse_controller(c->label, c->page, &id, p))
        return false;
    return !strcmp(id.serial, c->id.serial) ||
           problem_set(p, "nvme-other", "%s: it is another disk (serial number %s) than before",
                       c->label, id.serial);
}

// It may refuse what the host chooses.
static bool is_good(struct nvme_given *g, struct problem *p)
{
    char words[80];
    if (g->step >= choices(g)) {
        nvme_choice_answered(g->ctrl, g->step - choices(g), !g->command.status);
        return true;
    }
    if (g->command.status)
        return problem_set(p, "domain-set-up", "%s: it refuses step %u of its set-up: %s",
                           g->ctrl->label, g->step,
                           nvme_status_text(g->command.status, words, sizeof(words)));
    if (g->step == IDENTIFY)
        return is_the_same(g->ctrl, p);
    if (g->step == ASK)
        g->count = MIN(g->count, nvme_queues_granted(g->command.result));
    return true;
}

// ---- the domain's ----

static bool keep_to(struct nvme_ctrl *c, struct pci_space *space, struct problem *p)
{
    if (!pci_stop_bus_master(c->dev) || !pci_set_space(c->dev, space))
        return problem_set(p, "domain-disk", "%s: it can't be kept from the kernel's memory",
                           c->label);
    return pci_enable(c->dev, p);
}

// The CPU that a queue goes to; others' requests for it travel, as in the kernel.
static unsigned owner(const struct nvme_given *g, unsigned i, const struct domain_grant *grant)
{
    return nvme_owner_of_queue(i, grant->cpus, g->count);
}

// The one from its last life, unless that was on another CPU.
static bool has_irq(struct nvme_given *g, unsigned i, unsigned cpu, struct problem *p)
{
    struct nvme_given_queue *q = &g->queues[i];
    char name[sizeof(q->irq->name)];
    if (q->irq && q->irq->cpu == cpu)
        return true;
    if (q->irq)
        irq_free(q->irq);
    format_text(name, sizeof(name), "%sq%ud", g->ctrl->name, i + 1);
    q->irq = irq_alloc(g->ctrl->dev, i, cpu, domain_event, &q->bell, name, p);
    return q->irq;
}

static bool connect(struct nvme_given *g, unsigned i, const struct domain_grant *grant,
                    struct problem *p)
{
    struct nvme_given_queue *q = &g->queues[i];
    const struct domain_seat *seat = &grant->seats[owner(g, i, grant)];
    if (!has_irq(g, i, seat->cpu, p))
        return false;
    q->bell = (struct domain_bell){ .of = seat->of, .event = grant->function };
    irq_rewrite(q->irq); // it may have been the kernel's meanwhile
    irq_enable(q->irq);
    g->live++;
    return true;
}

static struct domain_queue describe(const struct nvme_given *g, unsigned i,
                                    const struct domain_grant *grant)
{
    const struct nvme_ctrl *c = g->ctrl;
    uint64_t offset = NVME_DOORBELLS + 2ull * (i + 1) * c->limits.stride;
    return (struct domain_queue){
        .sq = g->queues[i].sq,
        .cq = g->queues[i].cq,
        .doorbell = DOMAIN_DOORBELLS + grant->function * DOMAIN_DOORBELL_SPAN + offset -
                    nvme_give_first_page(c),
        .entries = c->limits.queue_entries,
        .stride = c->limits.stride,
        .qid = (uint16_t)(i + 1),
        .cpu = (uint16_t)owner(g, i, grant),
        .event = (uint16_t)grant->function,
        .function = (uint16_t)grant->function,
    };
}

static bool tell(const struct nvme_given *g, struct domain_grant *grant, struct problem *p)
{
    bool told = true;
    for (unsigned i = 0; told && i < g->count; i++) {
        struct domain_queue queue = describe(g, i, grant);
        told = domain_tell_queue(grant, &queue);
    }
    return (told && nvme_give_tell_disks(g->ctrl, grant)) ||
           problem_set(p, "domain-info",
                       "%s: the page that tells a domain of its queues and disks is full: give it "
                       "fewer (disks=)",
                       g->ctrl->label);
}

static enum domain_step hand_over(struct nvme_given *g, struct domain_grant *grant,
                                  struct problem *p)
{
    if (!keep_to(g->ctrl, grant->space, p))
        return DOMAIN_FAILED;
    for (unsigned i = 0; i < g->count; i++)
        if (!connect(g, i, grant, p))
            return DOMAIN_FAILED;
    return tell(g, grant, p) ? DOMAIN_DONE : DOMAIN_FAILED;
}

// ---- step by step ----

static enum domain_step waits(bool good)
{
    return good ? DOMAIN_WAITS : DOMAIN_FAILED;
}

static enum domain_step answered(struct nvme_given *g, struct domain_grant *grant,
                                 struct problem *p)
{
    if (!is_good(g, p))
        return DOMAIN_FAILED;
    if (++g->step == steps(g))
        return hand_over(g, grant, p);
    return waits(send(g, p));
}

static enum domain_step see_ready(struct nvme_given *g, struct problem *p)
{
    if (nvme_ctrl_waits(g->ctrl, NVME_CSTS_RDY))
        return DOMAIN_WAITS;
    g->enabled = nvme_ctrl_wait(g->ctrl, NVME_CSTS_RDY, p);
    return waits(g->enabled && send(g, p));
}

enum domain_step nvme_given_go_on(struct nvme_given *g, struct domain_grant *grant,
                                  struct problem *p)
{
    if (!g->enabled)
        return see_ready(g, p);
    nvme_admin_poll(g->ctrl);
    if (g->command.ended)
        return answered(g, grant, p);
    if (time_ns() < g->deadline_ns)
        return DOMAIN_WAITS;
    problem_set(p, "nvme-admin-timeout", "%s: it doesn't answer step %u of its set-up",
                g->ctrl->label, g->step);
    return DOMAIN_FAILED;
}

// ---- the end ----

static void came_back(struct cpu_msg *msg)
{
    container_of(msg, struct nvme_given_queue, drain)->given->out--;
}

// Twice through its loop, which in between runs the handlers of all that had come by the first time.
static void at_cpu(struct cpu_msg *msg)
{
    struct nvme_given_queue *q = container_of(msg, struct nvme_given_queue, drain);
    if (q->drain_again) {
        q->drain_again = false;
        cpu_post(cpu_index(), msg);
        return;
    }
    msg->fn = came_back;
    cpu_post(q->given->home, msg);
}

void nvme_given_drain(struct nvme_given *g)
{
    g->home = cpu_index();
    g->out = g->live;
    for (unsigned i = 0; i < g->live; i++) {
        struct nvme_given_queue *q = &g->queues[i];
        irq_disable(q->irq);
        q->drain_again = true;
        q->drain.fn = at_cpu;
        cpu_post(q->irq->cpu, &q->drain);
    }
}

bool nvme_given_is_drained(const struct nvme_given *g)
{
    return !g->out;
}

void nvme_given_end(struct nvme_given *g)
{
    for (unsigned i = 0; i < g->live; i++)
        g->queues[i].bell.of = NULL;
    g->live = 0;
}
