// SPDX-License-Identifier: BSD-2-Clause
// A controller and its namespaces: bring-up, admin commands, shutdown. Boot CPU, except as noted.
#pragma once

#include <stdatomic.h>

#include "drivers/nvme/identify.h"
#include "drivers/nvme/queue.h"
#include "kernel/irq/irq.h"
#include "kernel/pci/pci.h"

struct nvme_ns {
    // What submission needs: one line.
    uint64_t head; // a Read's first 8 bytes, without the command id
    uint32_t block_shift;
    uint32_t max_shift; // one command takes 1 << max_shift blocks
    // The controller's, by channel and CPU; seldom another than channel 0.
    struct nvme_queue **queue_of[BLOCK_CHANNELS];

    struct nvme_ctrl *ctrl;
    struct nvme_ns *next;
    struct block_dev dev;
};

struct nvme_admin_command {
    struct block_req req;
    uint32_t result; // dword 0 of its completion
    bool ended;
    bool lost; // it never ended: its slot and this structure stay the controller's
};

struct nvme_ctrl {
    struct pci_dev *dev;
    unsigned quirks; // of enum nvme_quirk_kind
    unsigned later;  // controllers that start after this one
    char name[12];   // "nvme0"
    char label[40];  // "nvme0 (0000:00:04.0)", for messages
    volatile void *regs;
    struct nvme_limits limits;
    struct nvme_id id;
    uint32_t version;  // VS
    bool running;      // brought up, and not yet shut down
    _Atomic bool gone; // it failed for good; any CPU
    struct nvme_queue *admin;
    struct nvme_admin_command command;
    void *page; // for Identify data
    struct nvme_queue **queues;
    struct irq **irqs;
    unsigned queues_count; // all; the first plain_count of them are not urgent
    unsigned plain_count;
    unsigned set_count;                           // queues that serve all CPUs once
    struct nvme_queue **queue_of[BLOCK_CHANNELS]; // by channel and CPU
    struct nvme_ns *namespaces, **namespaces_end;
    unsigned namespaces_count;
    struct nvme_cpu *cpus; // by CPU
    struct nvme_ctrl *next;
};

// From whatever state firmware left it in to running I/O queues and known namespaces. On failure
// the controller is left disabled, without bus mastering.
bool nvme_ctrl_start(struct nvme_ctrl *c, struct problem *p);

// Orderly shutdown: I/O queues deleted, CC.SHN, bus mastering off.
void nvme_ctrl_shutdown(struct nvme_ctrl *c);

// CSTS says that the controller runs. Any CPU.
bool nvme_ctrl_alive(const struct nvme_ctrl *c, uint32_t *csts);

// ---- queues.c ----

// How many I/O queues have their doorbells within BAR 0.
unsigned nvme_queues_fit(const struct nvme_ctrl *c);

// The queue for a CPU's request.
static inline struct nvme_queue *nvme_queue_for(const struct nvme_ns *ns,
                                                const struct block_req *req, unsigned cpu)
{
    return ns->queue_of[req->channel][cpu];
}

// Wanted for each CPU: so many queues (1 unless set), and an urgent one. Boot CPU, before
// nvme_queues_start().
void nvme_queues_set_plain(unsigned queues);
void nvme_queues_set_urgent(bool urgent);

// Asks for I/O queues, creates them, and gives each CPU its own, as many as there are for all.
bool nvme_queues_start(struct nvme_ctrl *c, struct problem *p);
void nvme_queues_stop(struct nvme_ctrl *c); // after CC.EN = 0 or a shutdown

// Deletes them, submission queues first; false as soon as one can't be.
bool nvme_queues_delete(struct nvme_ctrl *c, struct problem *p);

// Of one set: the queue that serves a CPU, and the CPU that owns a queue: CPUs in even runs, each
// run's first CPU owning its queue.
static inline unsigned nvme_queue_for_cpu(unsigned cpu, unsigned cpus, unsigned queues)
{
    return (unsigned)((uint64_t)cpu * queues / cpus);
}
static inline unsigned nvme_owner_of_queue(unsigned queue, unsigned cpus, unsigned queues)
{
    return (unsigned)DIV_UP((uint64_t)queue * cpus, queues);
}

// ---- namespaces.c ----

// Finds the active namespaces and adds a block device for each that can be used.
bool nvme_namespaces_start(struct nvme_ctrl *c, struct problem *p);

// ---- admin.c ----

void nvme_admin_start(struct nvme_ctrl *c); // makes the queue in memory

// Runs one admin command to its end by polling. `what` names it for messages; result (may be NULL)
// is dword 0 of its completion. Where it failed, c->command.req.detail is its status.
bool nvme_admin(struct nvme_ctrl *c, struct nvme_sqe *sqe, const char *what, uint32_t *result,
                struct problem *p);
// Identify into c->page.
bool nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, const char *what,
                   struct problem *p);

// ---- watch.c ----

// The controller is gone: says so once, stops its DMA, and has every queue's owner end all its
// requests. Any CPU, from its loop.
void nvme_ctrl_gone(struct nvme_ctrl *c, uint32_t csts);
