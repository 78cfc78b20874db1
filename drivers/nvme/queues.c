// SPDX-License-Identifier: BSD-2-Clause
// How many I/O queues a controller gets, and whose they are. Queues come in sets, each with one for
// each CPU: at least one set; as many more as are wanted and as there are queues, interrupt vectors
// (the controller's, and the CPUs' own) and doorbells for; and if wanted, ahead of those, an urgent
// one, which is the last in order. Where there are not even enough for one set, CPUs share what
// there is.
//
// Queue i + 1 uses vector i. The admin queue uses vector 0 too (3.1.3.10) and is polled: an
// interrupt of its own finds nothing to reap. So a controller with a single vector still has an I/O
// queue.

#include "drivers/nvme/setup.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/cmb.h"
#include "drivers/nvme/quirks.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/msi.h"
#include "kernel/x86/vectors.h"
#include "lib/format.h"
#include "lib/mmio.h"

static struct {
    unsigned plain; // sets that aren't urgent
    bool urgent;
} wanted = { .plain = 1 };

void nvme_queues_set_plain(unsigned queues)
{
    wanted.plain = queues;
}

void nvme_queues_set_urgent(bool urgent)
{
    wanted.urgent = urgent;
}

static bool is_urgent(const struct nvme_ctrl *c, unsigned i)
{
    return i >= c->plain_count;
}

// How many queues the CPUs have vectors for, in whole sets, if those that are left are shared with
// the controllers to come. Where that is not even one set, a part of one.
static unsigned vectors_fit(const struct nvme_ctrl *c)
{
    unsigned cpus = cpu_count(), least = VECTORS, all = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        unsigned left = irq_vectors_left(cpu);
        least = MIN(least, left);
        all += left;
    }
    unsigned sets = least / (c->later + 1);
    return sets ? sets * cpus : MIN(MAX(all / (c->later + 1), 1u), cpus);
}

// The CPUs in the order of their APIC ids: those that share a core, and with it an L1 and L2, come side
// by side, then those that share an L3, whatever order firmware lists them in (SDM vol. 3, 10.9.1).
static void order_cpus(struct nvme_ctrl *c)
{
    unsigned cpus = cpu_count();
    c->order = mem_alloc(2 * cpus * sizeof(*c->order), CACHE_LINE, c->dev->node);
    c->rank = c->order + cpus;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        unsigned rank = 0;
        for (unsigned other = 0; other < cpus; other++)
            rank += cpu_apic_id(other) < cpu_apic_id(cpu);
        c->rank[cpu] = rank;
        c->order[rank] = cpu;
    }
}

// The CPU that owns queue i of a set: of those that share it, the first that has a vector left.
static unsigned owner(const struct nvme_ctrl *c, unsigned i, unsigned set_count)
{
    unsigned first = nvme_owner_of_queue(i, cpu_count(), set_count);
    unsigned end = nvme_owner_of_queue(i + 1, cpu_count(), set_count);
    for (unsigned rank = first; rank < end; rank++)
        if (irq_vectors_left(c->order[rank]))
            return c->order[rank];
    return c->order[first]; // where irq_alloc() says what is wrong
}

static bool have_owners(const struct nvme_ctrl *c, unsigned set_count)
{
    for (unsigned i = 0; i < set_count; i++)
        if (!irq_vectors_left(owner(c, i, set_count)))
            return false;
    return true;
}

struct nvme_sqe nvme_queues_ask(unsigned count)
{
    return (struct nvme_sqe){
        .head = NVME_ADMIN_SET_FEATURES,
        .cdw10 = NVME_FEATURE_QUEUES,
        .cdw11 = (uint32_t)(field_put(NVME_QUEUES_NSQ, count - 1) |
                            field_put(NVME_QUEUES_NCQ, count - 1)),
    };
}

unsigned nvme_queues_granted(uint32_t result)
{
    uint64_t least = MIN(field_get(NVME_QUEUES_NSQ, result), field_get(NVME_QUEUES_NCQ, result));
    return (unsigned)least + 1;
}

// Set Features, Number of Queues: the controller may grant fewer than asked for, or more.
static bool ask(struct nvme_ctrl *c, unsigned count, unsigned *granted, struct problem *p)
{
    uint32_t result;
    struct nvme_sqe sqe = nvme_queues_ask(count);
    if (!nvme_admin(c, &sqe, "Set Features, Number of Queues", &result, p))
        return false;
    *granted = MIN(nvme_queues_granted(result), count);
    return true;
}

static struct nvme_queue *make(struct nvme_ctrl *c, unsigned i)
{
    unsigned cpu = owner(c, i % c->set_count, c->set_count);
    size_t doorbell = NVME_DOORBELLS + 2ull * (i + 1) * c->limits.stride;
    struct nvme_qpair_config config = {
        .label = c->label,
        .home = &c->homes[cpu],
        .qid = i + 1,
        .cpu = cpu,
        .urgent = is_urgent(c, i),
        .entries = c->limits.queue_entries,
        .stride = c->limits.stride,
        .node = cpu_node(cpu),
        .dma_node = c->dev->node == NODE_ANY ? cpu_node(cpu) : c->dev->node,
        .doorbell = mmio_at(c->regs, doorbell),
    };
    config.sq = nvme_cmb_take(c, config.entries * sizeof(struct nvme_sqe), &config.sq_address);
    struct nvme_queue *q = nvme_queue_create(c, &config, c->id.max_transfer);
    nvme_move_init(q);
    return q;
}

static uint32_t id_and_size(const struct nvme_qpair *qp)
{
    return (uint32_t)(field_put(NVME_QUEUE_QID, qp->qid) | field_put(NVME_QUEUE_QSIZE, qp->mask));
}

struct nvme_sqe nvme_queue_make_cq(const struct nvme_queue *q)
{
    unsigned vector = q->qp.qid - 1u;
    return (struct nvme_sqe){
        .head = NVME_ADMIN_CREATE_CQ,
        .prp1 = mem_phys(q->qp.ring),
        .cdw10 = id_and_size(&q->qp),
        .cdw11 = (uint32_t)(NVME_CQ_PC | NVME_CQ_IEN | field_put(NVME_CQ_IV, vector)),
    };
}

// The controller fetches from urgent queues first, where it can tell them (3.4.4).
static uint64_t class_of(const struct nvme_queue *q)
{
    if (!q->ctrl->weighted)
        return 0;
    return field_put(NVME_SQ_QPRIO, q->qp.urgent ? NVME_SQ_QPRIO_URGENT : NVME_SQ_QPRIO_MEDIUM);
}

bool nvme_queues_have_classes(const struct nvme_ctrl *c)
{
    return wanted.urgent && c->limits.weighted;
}

struct nvme_sqe nvme_queue_make_sq(const struct nvme_queue *q)
{
    return (struct nvme_sqe){
        .head = NVME_ADMIN_CREATE_SQ,
        .prp1 = q->qp.sq_address,
        .cdw10 = id_and_size(&q->qp),
        .cdw11 = (uint32_t)(NVME_SQ_PC | class_of(q) | field_put(NVME_SQ_CQID, q->qp.qid)),
    };
}

static bool create_sq(struct nvme_ctrl *c, struct nvme_queue *q, struct problem *p)
{
    struct nvme_sqe sqe = nvme_queue_make_sq(q);
    if (nvme_admin(c, &sqe, "Create I/O Submission Queue", NULL, p))
        return true;
    if (!q->qp.sq_is_theirs || c->command.lost)
        return false;
    warn("nvme-cmb", "%s: no more queues in its controller memory buffer: %s; they are in RAM",
         c->label, p->message);
    nvme_cmb_close(c);
    nvme_qpair_use_ram(&q->qp, q->dma_node);
    sqe = nvme_queue_make_sq(q);
    return nvme_admin(c, &sqe, "Create I/O Submission Queue", NULL, p);
}

static bool create(struct nvme_ctrl *c, struct nvme_queue *q, struct problem *p)
{
    struct nvme_sqe cq = nvme_queue_make_cq(q);
    q->has_cq = nvme_admin(c, &cq, "Create I/O Completion Queue", NULL, p);
    q->has_sq = q->has_cq && create_sq(c, q, p);
    return q->has_sq;
}

static bool start_queue(struct nvme_ctrl *c, unsigned i, struct problem *p)
{
    char name[sizeof(c->irqs[0]->name)];
    struct nvme_queue *q = c->queues[i] = make(c, i);

    format_text(name, sizeof(name), "%sq%u%s", c->name, q->qp.qid, is_urgent(c, i) ? "u" : "");
    q->irq = c->irqs[i] = irq_alloc(c->dev, i, q->qp.cpu, nvme_queue_interrupt, q, name, p);
    if (!q->irq)
        return false;
    irq_on_move(q->irq, nvme_queue_moved);
    return (!is_urgent(c, i) || irq_set_urgent(q->irq, true, p)) && create(c, q, p);
}

static bool delete_one(struct nvme_ctrl *c, unsigned i, unsigned opcode, const char *what,
                       struct problem *p)
{
    struct nvme_sqe sqe = {
        .head = opcode,
        .cdw10 = (uint32_t)field_put(NVME_QUEUE_QID, c->queues[i]->qp.qid),
    };
    return nvme_admin(c, &sqe, what, NULL, p);
}

static bool delete_sq(struct nvme_ctrl *c, unsigned i, struct problem *p)
{
    return delete_one(c, i, NVME_ADMIN_DELETE_SQ, "Delete I/O Submission Queue", p);
}

static bool delete_cq(struct nvme_ctrl *c, unsigned i, struct problem *p)
{
    return delete_one(c, i, NVME_ADMIN_DELETE_CQ, "Delete I/O Completion Queue", p);
}

// What there is of it.
static void drop_queue(struct nvme_ctrl *c, unsigned i)
{
    struct problem p;
    if ((c->queues[i]->has_sq && !delete_sq(c, i, &p)) ||
        (c->queues[i]->has_cq && !delete_cq(c, i, &p)))
        warn_problem(&p);
    if (c->irqs[i])
        irq_free(c->irqs[i]);
    c->irqs[i] = NULL;
}

// With the first `made` of its queues: whole sets of them, or CPUs share what there is of one.
static void make_do(struct nvme_ctrl *c, unsigned made, const struct problem *p)
{
    unsigned asked = c->queues_count, used = made - made % c->set_count;
    if (!used)
        c->set_count = used = made;
    for (unsigned i = used; i <= made; i++)
        drop_queue(c, i);
    c->queues_count = used;
    c->plain_count = MIN(c->plain_count, used);
    warn("nvme-fewer-queues", "%s: of %u I/O queues it has %u, since the next failed: %s", c->label,
         asked, used, p->message);
}

// False: not even one.
static bool start_all(struct nvme_ctrl *c, struct problem *p)
{
    for (unsigned i = 0; i < c->queues_count; i++) {
        if (start_queue(c, i, p))
            continue;
        if (!i || c->command.lost)
            return false;
        make_do(c, i, p);
    }
    return true;
}

// A set's queues by CPU.
static struct nvme_queue **by_cpu(const struct nvme_ctrl *c, unsigned set)
{
    unsigned cpus = cpu_count();
    struct nvme_queue **queues = mem_alloc(cpus * sizeof(*queues), CACHE_LINE, c->dev->node);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        queues[cpu] =
            c->queues[set * c->set_count + nvme_queue_for_cpu(c->rank[cpu], cpus, c->set_count)];
    return queues;
}

// There is no channel without queues: whatever number a request has, it leads to one.
static void share(struct nvme_ctrl *c)
{
    unsigned plain_sets = c->plain_count / c->set_count;
    for (unsigned n = 0; n < BLOCK_URGENT; n++)
        c->queue_of[n] = n < plain_sets ? by_cpu(c, n) : c->queue_of[n - plain_sets];
    bool has_urgent = c->queues_count > c->plain_count;
    c->queue_of[BLOCK_URGENT] = has_urgent ? by_cpu(c, plain_sets) : c->queue_of[0];
}

static void warn_of_fewer(const struct nvme_ctrl *c, unsigned granted, bool by_cpus)
{
    unsigned cpus = cpu_count();
    const char *why = by_cpus ? " (all controllers share the CPUs' vectors)" : "";
    if (wanted.urgent && c->queues_count == c->plain_count)
        warn("nvme-no-urgent",
             "%s: no urgent queues: they take two queues and vectors for each CPU, %u, and there "
             "are %u%s; urgent reads use the others",
             c->label, 2 * cpus, granted, why);
    if (c->plain_count < wanted.plain * c->set_count)
        warn("nvme-fewer-queues",
             "%s: nvme.queues=%u%s takes %u queues and vectors, and there are %u%s: each CPU uses "
             "%u",
             c->label, wanted.plain, wanted.urgent ? " with nvme.urgent=1" : "",
             cpus * (wanted.plain + wanted.urgent), granted, why, c->plain_count / c->set_count);
}

// How many queues of those granted are used, and how many are not urgent.
static void split(struct nvme_ctrl *c, unsigned granted, bool by_cpus)
{
    c->set_count = MIN(granted, cpu_count());
    while (c->set_count > 1 && !have_owners(c, c->set_count))
        c->set_count--;
    unsigned sets = c->set_count < cpu_count() ? 1 : granted / cpu_count();
    unsigned urgent_sets = wanted.urgent && sets > 1;
    c->plain_count = MIN(wanted.plain, sets - urgent_sets) * c->set_count;
    c->queues_count = c->plain_count + urgent_sets * c->set_count;
    warn_of_fewer(c, granted, by_cpus);
}

static unsigned wanted_for(const struct nvme_ctrl *c)
{
    if (c->quirks & NVME_QUIRK_ONE_COMMAND)
        return 1;
    return cpu_count() * (wanted.plain + wanted.urgent);
}

bool nvme_queues_start(struct nvme_ctrl *c, struct problem *p)
{
    if (!c->dev->msix.cap || !c->dev->msix.vectors)
        return problem_set(p, "nvme-no-msix", "%s: it has no MSI-X, and nothing else is used here",
                           c->label);
    unsigned granted, most = MIN(nvme_ctrl_queues_fit(c), (unsigned)c->dev->msix.vectors);
    unsigned cpus_most = vectors_fit(c);
    most = MIN(most, wanted_for(c));
    if (!ask(c, MIN(most, cpus_most), &granted, p) || !msix_enable(c->dev, p))
        return false;
    order_cpus(c);
    split(c, granted, granted == cpus_most);
    c->queues = mem_alloc(c->queues_count * sizeof(*c->queues), CACHE_LINE, c->dev->node);
    c->irqs = mem_alloc(c->queues_count * sizeof(*c->irqs), CACHE_LINE, c->dev->node);
    if (!start_all(c, p))
        return false;
    share(c);
    for (unsigned i = 0; i < c->queues_count; i++)
        irq_enable(c->irqs[i]);
    return true;
}

// ---- after a reset ----

static unsigned count_there(const struct nvme_ctrl *c, unsigned among)
{
    unsigned count = 0;
    for (unsigned i = 0; i < among; i++)
        count += c->queues[i]->has_sq;
    return count;
}

static struct nvme_queue *nth_there(const struct nvme_ctrl *c, unsigned n)
{
    unsigned i = 0;
    while (!c->queues[i]->has_sq || n--)
        i++;
    return c->queues[i];
}

// Shared as at the start. Urgent ones, which are the last, stand in only where there are no others.
// Whoever finds one that stands in finds that it is there.
bool nvme_queues_stand_in(struct nvme_ctrl *c)
{
    unsigned there = count_there(c, c->plain_count);
    if (!there && !(there = count_there(c, c->queues_count)))
        return false;
    for (unsigned i = 0; i < c->queues_count; i++)
        if (c->queues[i]->has_sq)
            __atomic_store_n(&c->queues[i]->instead, NULL, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < c->queues_count; i++) {
        struct nvme_queue *q = c->queues[i];
        unsigned rank = c->rank[nvme_qpair_owner(&q->qp)];
        if (!q->has_sq)
            __atomic_store_n(&q->instead,
                             nth_there(c, nvme_queue_for_cpu(rank, cpu_count(), there)),
                             __ATOMIC_RELEASE);
    }
    return true;
}

// ---- the end ----

bool nvme_queues_delete(struct nvme_ctrl *c, struct problem *p)
{
    for (unsigned i = 0; i < c->queues_count; i++)
        if (c->queues[i]->has_sq && !delete_sq(c, i, p))
            return false;
    for (unsigned i = 0; i < c->queues_count; i++)
        if (c->queues[i]->has_cq && !delete_cq(c, i, p))
            return false;
    return true;
}

// Masked, not freed: the tables at the end of a run still show them.
void nvme_queues_stop(struct nvme_ctrl *c)
{
    for (unsigned i = 0; c->irqs && i < c->queues_count; i++)
        if (c->irqs[i])
            irq_disable(c->irqs[i]);
}

// Others may have their vectors.
void nvme_queues_drop(struct nvme_ctrl *c)
{
    for (unsigned i = 0; c->irqs && i < c->queues_count; i++)
        if (c->irqs[i])
            irq_free(c->irqs[i]);
    c->irqs = NULL;
}
