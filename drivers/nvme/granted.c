// SPDX-License-Identifier: BSD-2-Clause
// A controller whose admin queue is somebody else's: nothing is asked of it, and where it doesn't answer
// nothing can be done but to say that its disks are gone.

#include "drivers/nvme/granted.h"

#include "drivers/nvme/late.h"
#include "drivers/nvme/round.h"
#include "drivers/nvme/setup.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/domain/event.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "lib/format.h"
#include "lib/string.h"

struct granted {
    struct nvme_ctrl ctrl;
    struct pci_dev dev; // stands for the function: it has a node and no registers
    struct nvme_round end;
    unsigned function;
    struct granted *next;
};

static struct {
    const struct domain_info *info;
    struct nvme_home *homes;
    struct granted *first;
} granted;

static const void *told(uint32_t offset)
{
    return (const uint8_t *)granted.info + offset;
}

static const struct domain_queue *told_queues(void)
{
    return told(granted.info->queues);
}

static const struct domain_disk *told_disks(void)
{
    return told(granted.info->disks);
}

static void flush(void)
{
    nvme_qpair_flush(&granted.homes[cpu_index()]);
}

// ---- the watch ----

// The kernel alone can reset it, or keep it from writing to buffers of what it hasn't answered.
static void end_queue(struct nvme_queue *q)
{
    nvme_queue_quiet(q);
    nvme_queue_end(q);
}

static void ended(struct nvme_round *round)
{
}

static void end_disks(struct cpu_msg *msg)
{
    struct nvme_ctrl *c = container_of(msg, struct nvme_ctrl, report);
    struct granted *g = container_of(c, struct granted, ctrl);
    c->gone = true;
    for (struct nvme_ns *ns = c->namespaces; ns; ns = ns->next)
        block_remove(&ns->dev);
    nvme_round_go(&g->end, end_queue, ended);
}

// Once for each controller; its disks are CPU 0's.
static void give_up(struct nvme_queue *q)
{
    if (atomic_exchange(&q->ctrl->reported, true))
        return;
    nvme_late_tell(q, "its controller's disks are gone, and all their requests end as failed; what "
                      "it has not answered it may still write to");
    cpu_post(0, &q->ctrl->report);
}

static void look(struct nvme_queue *q)
{
    nvme_late_interrupt(q);
    nvme_qpair_age(&q->qp);
    nvme_late_count(q);
    if (q->watch.late)
        give_up(q);
}

static void tick(struct cpu_timer *watch)
{
    nvme_late_tick(watch, look);
}

// ---- queues ----

static bool is_ready(const void *arg)
{
    const struct nvme_queue *q = arg;
    return nvme_qpair_ready(&q->qp);
}

static struct nvme_queue *make_queue(struct nvme_ctrl *c, const struct domain_queue *told_of,
                                     uint64_t max_transfer)
{
    char name[24];
    struct nvme_qpair_config config = {
        .label = c->label,
        .home = &granted.homes[told_of->cpu],
        .qid = told_of->qid,
        .cpu = told_of->cpu,
        .entries = told_of->entries,
        .stride = told_of->stride,
        .node = NODE_ANY,
        .dma_node = NODE_ANY,
        .doorbell = (volatile void *)told_of->doorbell,
        .sq = (volatile void *)told_of->sq,
        .sq_address = told_of->sq,
        .cq = (struct nvme_cqe *)told_of->cq,
    };
    struct nvme_queue *q = nvme_queue_create(c, &config, max_transfer);
    format_text(name, sizeof(name), "%sq%u", c->name, told_of->qid);
    q->qp.watch.fn = tick;
    q->irq = event_irq(told_of->cpu, told_of->event, nvme_queue_interrupt, is_ready, q, name);
    return q;
}

static void make_queues(struct granted *g, uint64_t max_transfer)
{
    struct nvme_ctrl *c = &g->ctrl;
    const struct domain_queue *all = told_queues();
    c->queues = mem_alloc(granted.info->queues_count * sizeof(*c->queues), CACHE_LINE, NODE_ANY);
    for (uint32_t i = 0; i < granted.info->queues_count; i++)
        if (all[i].function == g->function)
            c->queues[c->queues_count++] = make_queue(c, &all[i], max_transfer);
    c->plain_count = c->set_count = c->queues_count;
}

// The kernel has given them to the CPUs by the same rule. There is no channel but one.
static void share_queues(struct nvme_ctrl *c)
{
    unsigned cpus = cpu_count();
    struct nvme_queue **by_cpu = mem_alloc(cpus * sizeof(*by_cpu), CACHE_LINE, NODE_ANY);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        by_cpu[cpu] = c->queues[nvme_queue_for_cpu(cpu, cpus, c->queues_count)];
    for (unsigned n = 0; n < BLOCK_CHANNELS; n++)
        c->queue_of[n] = by_cpu;
}

// ---- controllers ----

static struct granted *make(const struct domain_disk *disk)
{
    struct granted *g = mem_alloc(sizeof(*g), CACHE_LINE, NODE_ANY);
    struct nvme_ctrl *c = &g->ctrl;
    g->function = disk->function;
    g->dev.node = NODE_ANY;
    c->dev = &g->dev;
    memcpy(c->name, disk->controller, sizeof(c->name));
    memcpy(c->label, disk->label, sizeof(c->label));
    c->abilities.sgl = disk->sgl;
    memcpy(c->abilities.retry_ms, disk->retry_ms, sizeof(c->abilities.retry_ms));
    c->homes = granted.homes;
    c->namespaces_end = &c->namespaces;
    c->report.fn = end_disks;
    make_queues(g, disk->max_transfer);
    share_queues(c);
    nvme_round_init(&g->end, c);
    g->next = granted.first;
    granted.first = g;
    return g;
}

static struct nvme_ctrl *controller_of(const struct domain_disk *disk)
{
    struct granted *g = granted.first;
    while (g && g->function != disk->function)
        g = g->next;
    return g ? &g->ctrl : &make(disk)->ctrl;
}

// ---- disks ----

static bool read_zones(const struct block_dev *dev, const void *report, size_t bytes,
                       uint64_t first, struct block_zone *out, size_t most, size_t *count,
                       struct problem *p)
{
    const struct nvme_ns *ns = dev->driver;
    return nvme_parse_zones(dev->name, report, bytes, &ns->zoned, first, out, most, count, p);
}

// As in the kernel: nobody reads the sink, and nobody writes to the zeros.
static void give_metadata(struct nvme_ns *ns)
{
    struct nvme_ctrl *c = ns->ctrl;
    if (!c->metadata_sink) {
        c->metadata_sink = mem_alloc_dma(NVME_METADATA_MAX, NVME_PAGE, NODE_ANY);
        c->metadata_zeros = mem_alloc_dma(NVME_METADATA_MAX, NVME_PAGE, NODE_ANY);
    }
    ns->forms[BLOCK_READ].mptr = mem_phys(c->metadata_sink);
    ns->forms[BLOCK_WRITE].mptr = mem_phys(c->metadata_zeros);
    ns->forms[BLOCK_ZONE_APPEND].mptr = ns->forms[BLOCK_WRITE].mptr;
}

static struct nvme_ns *make_namespace(struct nvme_ctrl *c, const struct domain_disk *disk)
{
    struct nvme_ns *ns = mem_alloc(sizeof(*ns), CACHE_LINE, NODE_ANY);
    ns->head = field_put(NVME_SQE_NSID, disk->nsid);
    memcpy(ns->queue_of, c->queue_of, sizeof(ns->queue_of));
    ns->block_shift = disk->block_shift;
    memcpy(ns->forms, disk->forms, sizeof(ns->forms));
    ns->copy = disk->copy;
    ns->zoned = disk->zoned;
    ns->ctrl = c;
    if (disk->metadata_buffer)
        give_metadata(ns);
    return ns;
}

static void describe(struct nvme_ns *ns, const struct domain_disk *disk)
{
    ns->dev = (struct block_dev){
        .nsid = disk->nsid,
        .block_size = disk->limits.block_size,
        .blocks = disk->blocks,
        .max_transfer = disk->limits.max_transfer,
        .limits = disk->limits,
        .queues = ns->ctrl->queues_count,
        .channels = 1,
        .node = granted.info->node,
        .ops = disk->ops,
        .prepare = nvme_prepare,
        .open_stream = nvme_open_stream,
        .close_stream = nvme_close_stream,
        .read_zones = disk->zoned.zones ? read_zones : NULL,
        .driver = ns,
    };
    memcpy(ns->dev.name, disk->name, sizeof(ns->dev.name));
    memcpy(ns->dev.serial, disk->serial, sizeof(ns->dev.serial));
    memcpy(ns->dev.model, disk->model, sizeof(ns->dev.model));
}

// Nobody has submitted anything yet.
static void prepare_queues(struct nvme_ctrl *c, const struct domain_disk *disk)
{
    for (unsigned i = 0; i < c->queues_count; i++)
        if (disk->zoned.zones)
            nvme_queue_serve_zones(c->queues[i]);
        else if (disk->in_full)
            nvme_queue_write_in_full(c->queues[i]);
}

// The kernel gives nobody a disk that allow-write= doesn't name.
static void add(const struct domain_disk *disk)
{
    struct nvme_ctrl *c = controller_of(disk);
    struct nvme_ns *ns = make_namespace(c, disk);
    describe(ns, disk);
    prepare_queues(c, disk);
    *c->namespaces_end = ns;
    c->namespaces_end = &ns->next;
    block_add(&ns->dev);
    ns->dev.writable = true;
    ns->dev.same_as = block_find(disk->same_as, strlen(disk->same_as));
}

void nvme_granted_init(const struct domain_info *info)
{
    granted.info = info;
    granted.first = NULL;
    granted.homes = mem_alloc(cpu_count() * sizeof(*granted.homes), CACHE_LINE, NODE_ANY);
    loop_set_flush(flush);
    if (info->disks_count && info->disk_bytes != sizeof(struct domain_disk))
        fail("domain-disk",
             "the kernel tells of disks in %u bytes each, and this program was built for %zu: "
             "build it together with the kernel",
             info->disk_bytes, sizeof(struct domain_disk));
    for (uint32_t i = 0; i < info->disks_count; i++) {
        const struct domain_disk *disk = &told_disks()[i];
        nvme_qpair_set_timeout(disk->timeout_ms);
        add(disk);
    }
}
