// SPDX-License-Identifier: BSD-2-Clause
// A controller: its registers, and the way from whatever state firmware left it in to answering
// admin commands, and down again (NVMe Base 2.0, 3.5.1 and 3.6.1). Boot CPU, except as noted.
#pragma once

#include <stdatomic.h>

#include "drivers/nvme/identify.h"
#include "drivers/nvme/qpair.h"
#include "kernel/cpu/msg.h"
#include "kernel/pci/pci.h"
#include "kernel/run/block.h"

struct irq;
struct nvme_events;
struct nvme_give;
struct nvme_recover;
struct nvme_ns;
struct nvme_queue;
struct nvme_sampler;
struct nvme_virtual;

struct nvme_admin_command {
    void (*done)(struct nvme_admin_command *command); // may be NULL
    uint32_t result;                                  // dword 0 of its completion
    uint32_t status;                                  // the completion's status field
    bool ended;
    bool lost; // it got no answer: its slot and this structure are the controller's until a reset
    bool patient; // it may go without one for ever
    uint64_t sent_ns;
};

// Memory of the controller's own, for submission queues: cmb.c.
struct nvme_cmb {
    struct nvme_cmb_place place; // bytes 0: none is used
    volatile void *window;
    uint64_t address; // as the controller knows it
    uint64_t taken;   // bytes from its start on
    bool off;         // whatever lies there; a domain has the controller
};

struct nvme_ctrl {
    struct pci_dev *dev;
    unsigned quirks;       // of enum nvme_quirk_kind
    bool weighted;         // queues have classes: some are urgent, and the controller heeds that
    bool refuses_extended; // formats, which it says that it has
    unsigned later;        // controllers that start after this one
    char name[12];         // "nvme0"
    char label[40];        // "nvme0 (0000:00:04.0)", for messages
    volatile void *regs;
    struct nvme_limits limits;
    struct nvme_id id;
    struct nvme_abilities abilities;
    uint32_t version;    // VS
    uint64_t written_ns; // when CC.EN was written last,
    uint64_t settled_ns; // and until when CSTS must not be read then
    bool running;        // brought up, and not yet shut down
    bool resetting;      // takes no commands for now
    bool failed;         // it could not be
    unsigned step;       // start.c: the next one of its way up
    bool dropped;        // its function is no more, or another's
    _Atomic bool gone;   // it failed for good; any CPU
    struct nvme_cmb cmb;
    struct nvme_qpair *admin;
    struct nvme_admin_command command;
    void *shadows; // shadow doorbells, and behind them the controller's side; NULL: not used
    struct warnings *warnings; // too many for a stack
    void *page;                // for Identify data
    struct nvme_home *homes;   // by CPU

    // queues.c
    unsigned *order, *rank; // the CPUs by APIC id, and the place of each there
    struct nvme_queue **queues;
    struct irq **irqs;
    unsigned queues_count; // all; the first plain_count of them are not urgent
    unsigned plain_count;
    unsigned set_count;                           // queues that serve all CPUs once
    struct nvme_queue **queue_of[BLOCK_CHANNELS]; // by channel and CPU

    // namespace.c: what the command sets say of themselves, NULL where they don't; and metadata that
    // nobody wants: where those of reads go, and what those of writes are
    struct nvme_identify_nvm_controller *nvm;
    struct nvme_identify_zoned_controller *zoned;
    void *metadata_sink, *metadata_zeros;

    // ways.c: the log page Asymmetric Namespace Access; NULL: it has none
    uint8_t *ana_log;
    unsigned ana_groups; // that there is room for

    // namespaces.c
    struct nvme_ns *namespaces, **namespaces_end;

    // health.c
    struct nvme_sampler *sampler;
    bool sampling; // its command is under way

    // watch.c, events.c, recover.c
    struct cpu_msg report;
    _Atomic bool reported; // that message is under way
    struct nvme_events *events;
    struct nvme_recover *recover;

    // virtual.c; NULL: it has no virtual functions of ours
    struct nvme_virtual *virtual;

    // give.c
    struct nvme_give *give;
    bool (*shut_down)(struct nvme_ctrl *c); // as nvme_give_shut_down(); NULL: it was never offered
    bool given; // it is not the kernel's for now, though not gone for good

    struct nvme_ctrl *next;
};

// To running and identified, without I/O queues, in three steps: each waits for what the one before
// began, so that several controllers take the time of one. Where one fails, nvme_ctrl_stop() is due.
bool nvme_ctrl_reset(struct nvme_ctrl *c, struct problem *p);
bool nvme_ctrl_start(struct nvme_ctrl *c, struct problem *p);
bool nvme_ctrl_identify(struct nvme_ctrl *c, struct problem *p);

// The steps of a reset (CC.EN), without waiting: CSTS.RDY is to follow each. After the first, CSTS
// must not be read for nvme_ctrl_settle_ns().
void nvme_ctrl_disable(struct nvme_ctrl *c);
void nvme_ctrl_enable(struct nvme_ctrl *c);

// From disabled and off the bus to ready; waits. What its admin queue had in flight is forgotten.
bool nvme_ctrl_restart(struct nvme_ctrl *c, struct problem *p);
uint64_t nvme_ctrl_settle_ns(const struct nvme_ctrl *c);

// Leaves the controller disabled, without bus mastering.
void nvme_ctrl_stop(struct nvme_ctrl *c);

// Orderly shutdown (CC.SHN) of a running controller whose I/O queues are deleted.
void nvme_ctrl_shutdown(struct nvme_ctrl *c);

// I/O queues are to hold so many commands, as far as the controller takes as many; 0: 255. Boot CPU,
// before any starts.
void nvme_ctrl_set_depth(unsigned commands);

// SGLs are used where there are any, for what two pages can't tell: true unless set. Boot CPU, before
// any starts.
void nvme_ctrl_set_sgl(bool wanted);

// CSTS.RDY isn't yet what is waited for, though there is time left for it: a step that waits for that
// would.
bool nvme_ctrl_waits(const struct nvme_ctrl *c, uint32_t wanted);

// Waits for that. False: it didn't come, and the problem says why.
bool nvme_ctrl_wait(struct nvme_ctrl *c, uint32_t wanted, struct problem *p);

// How many I/O queues have their doorbells within BAR 0.
unsigned nvme_ctrl_queues_fit(const struct nvme_ctrl *c);

// CSTS says that the controller runs. Any CPU.
static inline bool nvme_ctrl_alive(const struct nvme_ctrl *c, uint32_t *csts)
{
    *csts = mmio_read32(mmio_at(c->regs, NVME_CSTS));
    return *csts != NVME_ALL_ONES && (*csts & NVME_CSTS_RDY) && !(*csts & NVME_CSTS_CFS);
}
