// SPDX-License-Identifier: BSD-2-Clause
// All NVMe controllers of the machine.

#include "drivers/nvme/nvme.h"

#include "drivers/nvme/cmb.h"
#include "drivers/nvme/events.h"
#include "drivers/nvme/generator.h"
#include "drivers/nvme/quirks.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/shadow.h"
#include "drivers/nvme/show.h"
#include "drivers/nvme/slots.h"
#include "drivers/nvme/start.h"
#include "drivers/nvme/virtual.h"
#include "kernel/base/report.h"
#include "kernel/x86/hypervisor.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"

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
    { .name = "nvme.vfs",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = NVME_SECONDARIES_MOST,
      .help = "virtual functions (SR-IOV) of each controller that can have some" },
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
    nvme_virtual_set((unsigned)cmdline_number(c, "nvme.vfs"));
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
    unsigned count = 0;
    for_each_pci_dev (dev) {
        count += nvme_drives(dev);
        warn_if_hiding(dev);
    }
    return count;
}

// Each step for all controllers, before the next one: what takes long, they do side by side.
static void start_all(void)
{
    struct problem p;
    for (bool more = true; more;) {
        more = false;
        for (struct nvme_ctrl *c = nvme_first(); c; c = c->next) {
            if (nvme_start_is_under_way(c) && !nvme_start_step(c, &p))
                error_problem(&p);
            more |= nvme_start_is_under_way(c);
        }
    }
}

// ---- virtual functions ----

static bool turn_on_all(void)
{
    bool any = false;
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        any |= nvme_virtual_turn_on(c);
    return any;
}

static void add_virtual(const struct nvme_ctrl *c)
{
    for_each_pci_dev (dev)
        if (dev->physical == c->dev && !dev->removed && nvme_virtual_serves(c, dev->virtual_index))
            nvme_start_add(dev, 0);
}

// After all others, whose names stay what they are without.
static void start_virtual(void)
{
    bool any = turn_on_all();
    nvme_virtual_end_start();
    if (!any)
        return;
    time_delay_ns(PCI_VIRTUAL_NS);
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next) {
        nvme_virtual_find(c);
        add_virtual(c);
    }
    start_all();
}

// ---- all ----

unsigned nvme_init(void)
{

    nvme_start_init();
    unsigned count = look_around(), left = count;
    for_each_pci_dev (dev)
        if (nvme_drives(dev))
            nvme_start_add(dev, --left);
    start_all();
    start_virtual();
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        if (c->running)
            nvme_generator_add(c);
    nvme_slots_start();
    return count;
}

static void shut_down(struct nvme_ctrl *c)
{
    struct problem p;
    uint32_t csts;

    if (!c->running)
        return;
    c->running = false;
    nvme_recover_print(c);
    if (c->shut_down && c->shut_down(c))
        return;
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

// Virtual functions first, as long as the physical one can turn them off.
void nvme_shutdown(void)
{
    nvme_slots_stop();
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        if (c->dev->physical)
            shut_down(c);
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next) {
        nvme_virtual_turn_off(c);
        shut_down(c);
    }
}

// Nobody should have to guess why there is no disk.
void nvme_print(void)
{
    if (!nvme_first())
        info("NVMe: no PCI function is an NVMe controller (class 01, 08, 02)");
    for (const struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        nvme_show_ctrl(c);
}
