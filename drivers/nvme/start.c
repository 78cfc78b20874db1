// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/start.h"

#include "drivers/nvme/nvme.h"
#include "drivers/nvme/quirks.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/virtual.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "lib/format.h"

static struct {
    struct nvme_ctrl *first, **end;
    unsigned count;
    struct nvme_home *homes;
} nvme;

static void flush(void)
{
    nvme_qpair_flush(&nvme.homes[cpu_index()]);
}

void nvme_start_init(void)
{
    nvme.first = NULL;
    nvme.end = &nvme.first;
    nvme.homes = mem_alloc(cpu_total() * sizeof(*nvme.homes), CACHE_LINE, NODE_ANY);
    loop_set_flush(flush);
}

struct nvme_ctrl *nvme_first(void)
{
    return nvme.first;
}

bool nvme_drives(const struct pci_dev *dev)
{
    return dev->class_code == NVME_PCI_CLASS || nvme_quirk(dev)->kinds & NVME_QUIRK_CLASS;
}

// ---- steps ----

// Watched before there is anybody who submits.
static bool start_queues(struct nvme_ctrl *c, struct problem *p)
{
    if (!nvme_queues_start(c, p))
        return false;
    nvme_recover_start(c);
    return true;
}

static bool start_disks(struct nvme_ctrl *c, struct problem *p)
{
    c->running = start_queues(c, p) && nvme_namespaces_start(c, p);
    return c->running;
}

static bool enable(struct nvme_ctrl *c, struct problem *p)
{
    c->weighted = nvme_queues_have_classes(c);
    return nvme_ctrl_start(c, p);
}

enum { RESET, ENABLE, IDENTIFY, SHARE, DISKS, STEPS };

static bool (*const steps[])(struct nvme_ctrl *c, struct problem *p) = {
    [RESET] = nvme_ctrl_reset,      [ENABLE] = enable,     [IDENTIFY] = nvme_ctrl_identify,
    [SHARE] = nvme_virtual_prepare, [DISKS] = start_disks,
};

bool nvme_start_is_under_way(const struct nvme_ctrl *c)
{
    return !c->failed && c->step < STEPS;
}

bool nvme_start_waits(const struct nvme_ctrl *c)
{
    return (c->step == ENABLE && nvme_ctrl_waits(c, 0)) ||
           (c->step == IDENTIFY && nvme_ctrl_waits(c, NVME_CSTS_RDY));
}

void nvme_start_fail(struct nvme_ctrl *c)
{
    c->failed = true;
    nvme_ctrl_stop(c);
    nvme_queues_stop(c);
}

bool nvme_start_step(struct nvme_ctrl *c, struct problem *p)
{
    if (steps[c->step++](c, p))
        return true;
    nvme_start_fail(c);
    return false;
}

// ---- the list ----

struct nvme_ctrl *nvme_start_add(struct pci_dev *dev, unsigned later)
{
    struct nvme_ctrl *c = mem_alloc(sizeof(*c), CACHE_LINE, dev->node);
    c->dev = dev;
    c->quirks = nvme_quirk(dev)->kinds;
    c->later = later;
    c->homes = nvme.homes;
    format_text(c->name, sizeof(c->name), "nvme%u", nvme.count++);
    format_text(c->label, sizeof(c->label), "%s (%s)", c->name, dev->name);
    *nvme.end = c;
    nvme.end = &c->next;
    return c;
}

void nvme_start_drop(struct nvme_ctrl *c)
{
    nvme_recover_print(c);
    nvme_queues_drop(c);
    c->running = false;
    c->dropped = true;
}
