// SPDX-License-Identifier: BSD-2-Clause
// All accelerators of the machine: the way up, a look each second, and the end.

#include "drivers/dsa/dsa.h"

#include "drivers/dsa/batch.h"
#include "drivers/dsa/events.h"
#include "kernel/base/report.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/msi.h"
#include "kernel/x86/time.h"
#include "lib/format.h"

static struct {
    struct dsa_device *first, **end;
    unsigned count;
    unsigned queues; // dsa.queues
    struct cpu_timer look;
} dsa = { .end = &dsa.first };

const struct option dsa_options[] = {
    { .name = "dsa.queues",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 256,
      .help = "work queues of each accelerator (Intel DSA), a CPU each; 0: as many as there are" },
    { .name = NULL },
};

bool dsa_drives(const struct pci_dev *dev)
{
    return dsa_find_model(dev->vendor, dev->device) != NULL;
}

// ---- for kernel/run/copy.h ----

static void prepare(struct copy_dev *dev, struct copy_req *req)
{
    const struct dsa_device *d = container_of(dev, struct dsa_device, copy);
    dsa_queue_prepare(d->queues[req->cpu % d->count], req);
}

static uint32_t operations(const struct dsa_caps *c)
{
    uint32_t ops = BIT32(COPY_MOVE) | BIT32(COPY_FILL) | BIT32(COPY_NOOP);
    if (dsa_has(c, DSA_CRC))
        ops |= BIT32(COPY_CRC32C);
    if (dsa_has(c, DSA_COMPARE))
        ops |= BIT32(COPY_COMPARE);
    return ops;
}

static void set_batch(struct copy_dev *dev, unsigned count)
{
    const struct dsa_device *d = container_of(dev, struct dsa_device, copy);
    for (unsigned i = 0; i < d->count; i++)
        dsa_batch_set(d->queues[i], MIN(count, dev->batch_most));
}

static unsigned batch_most(const struct dsa_caps *c)
{
    if (!dsa_has(c, DSA_BATCH) || !c->batch_shift)
        return 0;
    return MIN(1u << c->batch_shift, (unsigned)DSA_BATCH_MOST);
}

static void publish(struct dsa_device *d)
{
    d->copy.node = d->dev->node;
    d->copy.queues = d->count;
    d->copy.depth = d->queues[0]->depth;
    d->copy.ops = operations(&d->caps);
    d->copy.most = d->caps.transfer_shift < 32 ? BIT32(d->caps.transfer_shift) : UINT32_MAX;
    d->copy.batch_most = batch_most(&d->caps);
    d->copy.set_batch = d->copy.batch_most ? set_batch : NULL;
    d->copy.prepare = prepare;
    copy_add(&d->copy);
}

// ---- the way up ----

// Each CPU, from the first on, has one, as far as there are; entries are shared out evenly.
static void make_queues(struct dsa_device *d)
{
    unsigned count = MIN(d->caps.queues, cpu_count());
    d->count = dsa.queues ? MIN(count, dsa.queues) : count;
    d->queues = mem_alloc(d->count * sizeof(struct dsa_queue *), CACHE_LINE, d->dev->node);
    for (unsigned i = 0; i < d->count; i++)
        d->queues[i] = dsa_queue_create(d, i, i, d->caps.entries / d->count);
}

static bool make_irqs(struct dsa_device *d, struct problem *p)
{
    char name[24];
    if (!msix_enable(d->dev, p))
        return false;
    format_text(name, sizeof(name), "%s-errors", d->copy.name);
    d->irq = irq_alloc(d->dev, 0, 0, dsa_events_interrupt, d, name, p);
    for (unsigned i = 0; i < d->count && d->irq; i++) {
        struct dsa_queue *q = d->queues[i];
        format_text(name, sizeof(name), "%sq%u", d->copy.name, i);
        q->irq = irq_alloc(d->dev, i + 1, q->cpu, dsa_queue_interrupt, q, name, p);
        if (!q->irq)
            return false;
        irq_on_move(q->irq, dsa_queue_moved);
        irq_enable(q->irq);
    }
    if (d->irq)
        irq_enable(d->irq);
    return d->irq;
}

static void free_irqs(struct dsa_device *d)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->queues[i]->irq)
            irq_free(d->queues[i]->irq);
    if (d->irq)
        irq_free(d->irq);
    d->irq = NULL;
    d->count = 0;
}

static bool start(struct dsa_device *d, struct problem *p)
{
    if (!dsa_device_find(d, p))
        return false;
    make_queues(d);
    dsa_events_init(d);
    return pci_enable(d->dev, p) && make_irqs(d, p) && dsa_device_enable(d, p);
}

// ---- what people and tools see ----

static void print(const struct dsa_device *d)
{
    const struct dsa_caps *c = &d->caps;
    char text[256];
    struct json j;
    info("%s %s: Intel DSA (%s) %u.%u: %u work queue%s of %u entries, %u engine%s, by %s",
         d->copy.name, d->dev->name, d->model, c->major, c->minor, d->count,
         d->count == 1 ? "" : "s", d->copy.depth, c->engines, c->engines == 1 ? "" : "s",
         d->by_stores ? "stores of 8 bytes" : "MOVDIR64B");
    json_begin(&j, text, sizeof(text), "dsa");
    json_text(&j, "name", d->copy.name);
    json_text(&j, "pci", d->dev->name);
    json_u64(&j, "version", c->major << 8 | c->minor);
    json_u64(&j, "queues", d->count);
    json_u64(&j, "depth", d->copy.depth);
    json_u64(&j, "engines", c->engines);
    json_u64(&j, "node", d->dev->node);
    json_bool(&j, "movdir64b", !d->by_stores);
    json_bool(&j, "handles", c->asks_handles);
    report_json(&j);
}

// ---- the whole ----

static void look(struct cpu_timer *timer)
{
    for (struct dsa_device *d = dsa.first; d; d = d->next)
        dsa_events_look(d);
    cpu_timer_start(timer, time_ns() + NS_PER_S);
}

static void add(struct pci_dev *dev)
{
    struct problem p;
    struct dsa_device *d = mem_alloc(sizeof(*d), CACHE_LINE, dev->node);
    d->dev = dev;
    d->model = dsa_find_model(dev->vendor, dev->device);
    format_text(d->copy.name, sizeof(d->copy.name), "dsa%u", dsa.count++);
    format_text(d->label, sizeof(d->label), "%s (%s)", d->copy.name, dev->name);
    if (!start(d, &p)) {
        warn_problem(&p);
        dsa_device_give_up(d);
        free_irqs(d);
        return;
    }
    publish(d);
    print(d);
    *dsa.end = d;
    dsa.end = &d->next;
}

void dsa_init(const struct cmdline *c)
{
    dsa.queues = (unsigned)cmdline_number(c, "dsa.queues");
    for_each_pci_dev (dev)
        if (dsa_drives(dev))
            add(dev);
    dsa.look.fn = look;
    if (dsa.first)
        cpu_timer_start(&dsa.look, time_ns() + NS_PER_S);
}

static void show_errors(const struct dsa_device *d)
{
    if (d->errors || d->revoked)
        info("%s: %u errors told by the device, handles revoked %u times", d->label, d->errors,
             d->revoked);
}

void dsa_shutdown(void)
{
    if (dsa.first)
        cpu_timer_stop(&dsa.look);
    for (struct dsa_device *d = dsa.first; d; d = d->next) {
        show_errors(d);
        copy_remove(&d->copy);
        if (!d->gone && !dsa_device_disable(d))
            warn("dsa-master", "%s: its bus mastering can't be turned off", d->label);
        d->gone = true;
        free_irqs(d);
    }
    dsa_batch_shutdown();
    dsa.first = NULL;
    dsa.end = &dsa.first;
    dsa.count = 0;
}
