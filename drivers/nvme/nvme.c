// SPDX-License-Identifier: BSD-2-Clause
// All NVMe controllers of the machine.

#include "drivers/nvme/nvme.h"

#include "drivers/nvme/cmb.h"
#include "drivers/nvme/events.h"
#include "drivers/nvme/quirks.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/shadow.h"
#include "drivers/nvme/show.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "kernel/x86/hypervisor.h"
#include "kernel/x86/vectors.h"
#include "lib/format.h"

static struct {
    struct nvme_ctrl *first, **end;
    unsigned count;
    struct nvme_home *homes;
} nvme = { .end = &nvme.first };

void nvme_set_timeout(uint64_t ms)
{
    nvme_qpair_set_timeout(ms);
}

void nvme_set_queues(unsigned queues)
{
    nvme_queues_set_plain(queues);
}

void nvme_set_urgent(bool urgent)
{
    nvme_queues_set_urgent(urgent);
}

const struct option nvme_options[] = {
    { .name = "nvme.timeout",
      .kind = OPTION_TIME,
      .fallback = "30s",
      .min = 1000,
      .max = 3600 * 1000000ull,
      .help = "how long a command may take" },
    { .name = "nvme.queues",
      .kind = OPTION_NUMBER,
      .fallback = "1",
      .min = 1,
      .max = VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1,
      .help = "queue pairs of each controller for each CPU" },
    { .name = "nvme.depth",
      .kind = OPTION_NUMBER,
      .fallback = "255",
      .min = 1,
      .max = NVME_QUEUE_ENTRIES_MOST - 1,
      .help = "commands that an I/O queue holds, where the controller takes as many" },
    { .name = "nvme.sgl",
      .kind = OPTION_CHOICE,
      .fallback = "1",
      .choices = "0|1",
      .help = "SGLs, where the controller has them, for long transfers; 0: lists of PRPs" },
    { .name = "nvme.coalesce",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 256,
      .help = "completions for which the controller sends one interrupt; 0: each has its own" },
    { .name = "nvme.coalesce.time",
      .kind = OPTION_TIME,
      .fallback = "100us",
      .max = 25500,
      .help = "how long it waits for them, in steps of 100us" },
    { .name = "nvme.cmb",
      .kind = OPTION_CHOICE,
      .fallback = "auto",
      .choices = "auto|0|1",
      .help = "submission queues in the controller's memory, where there is one; auto: unless a "
              "hypervisor traps it" },
    { .name = "nvme.shadow",
      .kind = OPTION_CHOICE,
      .fallback = "auto",
      .choices = "auto|0|1",
      .help = "shadow doorbells, where there are any; auto: if a hypervisor traps the real ones" },
    { .name = "nvme.urgent",
      .kind = OPTION_CHOICE,
      .fallback = "0",
      .choices = "0|1",
      .help = "one more queue for each CPU, whose interrupt is urgent" },
    { .name = NULL },
};

void nvme_configure(const struct cmdline *c)
{
    nvme_set_timeout(cmdline_number(c, "nvme.timeout") / 1000);
    nvme_set_queues((unsigned)cmdline_number(c, "nvme.queues"));
    nvme_ctrl_set_depth((unsigned)cmdline_number(c, "nvme.depth"));
    nvme_ctrl_set_sgl(cmdline_is(c, "nvme.sgl", "1"));
    nvme_set_coalescing((unsigned)cmdline_number(c, "nvme.coalesce"),
                        cmdline_number(c, "nvme.coalesce.time"));
    nvme_cmb_set(cmdline_is(c, "nvme.cmb", "1") ||
                 (cmdline_is(c, "nvme.cmb", "auto") && !hypervisor_traps()));
    nvme_shadow_set(cmdline_is(c, "nvme.shadow", "1") ||
                    (cmdline_is(c, "nvme.shadow", "auto") && hypervisor_traps()));
    nvme_set_urgent(cmdline_is(c, "nvme.urgent", "1"));
}

static void flush(void)
{
    nvme_qpair_flush(&nvme.homes[cpu_index()]);
}

bool nvme_drives(const struct pci_dev *dev)
{
    return dev->class_code == NVME_PCI_CLASS || nvme_quirk(dev)->kinds & NVME_QUIRK_CLASS;
}

static void warn_if_hiding(const struct pci_dev *dev)
{
    unsigned kinds = nvme_quirk(dev)->kinds;
    if (kinds & NVME_QUIRK_RAID)
        warn("nvme-raid",
             "%s: Intel RAID mode (%04x:%04x, RST) may hide NVMe drives: switch the SATA/NVMe mode "
             "from RAID to AHCI/NVMe in the firmware's set-up",
             dev->name, dev->vendor, dev->device);
}

// The controllers there are; warns of where others hide.
static unsigned look_around(void)
{
    struct pci_dev *dev;
    unsigned count = 0;
    for (size_t i = 0; (dev = pci_get(i)); i++) {
        count += nvme_drives(dev);
        warn_if_hiding(dev);
    }
    return count;
}

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

// Each for all controllers, before the next one: what takes long, they do side by side.
static bool (*const steps[])(struct nvme_ctrl *c, struct problem *p) = {
    nvme_ctrl_reset,
    enable,
    nvme_ctrl_identify,
    start_disks,
};

// One that fails is left disabled, without bus mastering.
static void take_step(struct nvme_ctrl *c, size_t step)
{
    struct problem p;
    if (c->failed || steps[step](c, &p))
        return;
    c->failed = true;
    nvme_ctrl_stop(c);
    nvme_queues_stop(c);
    error_problem(&p);
}

static void add(struct pci_dev *dev, unsigned later)
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
}

unsigned nvme_init(void)
{
    struct nvme_ctrl **first = nvme.end;
    struct pci_dev *dev;

    nvme.homes = mem_alloc(cpu_count() * sizeof(*nvme.homes), CACHE_LINE, NODE_ANY);
    loop_set_flush(flush);
    unsigned left = look_around();
    for (size_t i = 0; (dev = pci_get(i)); i++)
        if (nvme_drives(dev))
            add(dev, --left);
    for (size_t step = 0; step < ARRAY_SIZE(steps); step++)
        for (struct nvme_ctrl *c = *first; c; c = c->next)
            take_step(c, step);
    return nvme.count;
}

struct nvme_ctrl *nvme_first(void)
{
    return nvme.first;
}

static void shut_down(struct nvme_ctrl *c)
{
    struct problem p;
    uint32_t csts;

    if (!c->running)
        return;
    c->running = false;
    nvme_recover_print(c);
    if (c->resetting && !c->gone)
        nvme_ctrl_stop(c);
    else if (!c->gone && nvme_ctrl_alive(c, &csts)) {
        if (!nvme_queues_delete(c, &p))
            warn_problem(&p);
        nvme_ctrl_shutdown(c);
    }
    pci_stop_bus_master(c->dev);
    nvme_queues_stop(c);
}

void nvme_shutdown(void)
{
    for (struct nvme_ctrl *c = nvme.first; c; c = c->next)
        shut_down(c);
}

// ---- what people and tools are told ----

static void print_line(const struct nvme_ctrl *c, const struct block_dev *dev)
{
    char size[16], block[16], transfer[16], urgent[32] = "";
    if (c->queues_count > c->plain_count)
        format_text(urgent, sizeof(urgent), ", and %u urgent", c->queues_count - c->plain_count);
    info("%-10s %s  %-24s %-20s %-8s %9s in blocks of %s, %s a command, %u queue%s of %u%s",
         dev->name, c->dev->name, dev->model, dev->serial, c->id.firmware,
         nvme_size_text(dev->blocks * dev->block_size, size, sizeof(size)),
         nvme_size_text(dev->block_size, block, sizeof(block)),
         nvme_size_text(dev->max_transfer, transfer, sizeof(transfer)), c->plain_count,
         c->plain_count == 1 ? "" : "s", c->limits.queue_entries - 1, urgent);
}

static void print_json(const struct nvme_ctrl *c, const struct block_dev *dev)
{
    char text[1024];
    struct json j;

    json_begin(&j, text, sizeof(text), "nvme");
    json_text(&j, "filename", dev->name);
    json_text(&j, "pci", c->dev->name);
    json_text(&j, "model", dev->model);
    json_text(&j, "serial", dev->serial);
    json_text(&j, "firmware", c->id.firmware);
    json_u64(&j, "nsid", dev->nsid);
    json_u64(&j, "size", dev->blocks * dev->block_size);
    json_u64(&j, "block_size", dev->block_size);
    json_u64(&j, "max_transfer", dev->max_transfer);
    json_u64(&j, "queues", c->plain_count);
    json_u64(&j, "urgent_queues", c->queues_count - c->plain_count);
    json_u64(&j, "queue_depth", c->limits.queue_entries - 1);
    json_u64(&j, "vectors", c->queues_count);
    if (c->dev->node != NODE_ANY)
        json_u64(&j, "node", c->dev->node);
    nvme_show_json(&j, dev->driver);
    report_json(&j);
}

// Nobody should have to guess why there is no disk.
void nvme_print(void)
{
    if (!nvme.first)
        info("NVMe: no PCI function is an NVMe controller (class 01, 08, 02)");
    for (const struct nvme_ctrl *c = nvme.first; c; c = c->next) {
        if (c->running && !c->namespaces)
            info("%s: it has no namespace that can be read", c->label);
        for (const struct nvme_ns *ns = c->running ? c->namespaces : NULL; ns; ns = ns->next) {
            print_line(c, &ns->dev);
            nvme_show_line(ns);
            print_json(c, &ns->dev);
        }
    }
}
