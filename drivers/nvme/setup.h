// SPDX-License-Identifier: BSD-2-Clause
// From a controller that answers admin commands to I/O queues and block devices. Boot CPU.
#pragma once

#include "drivers/nvme/disk.h"

// ---- queues.c ----

// Wanted for each CPU: so many queues (1 unless set), and an urgent one. Before
// nvme_queues_start().
void nvme_queues_set_plain(unsigned queues);
void nvme_queues_set_urgent(bool urgent);

// Urgent ones are wanted, and the controller has a class for them: CC.AMS is to say so.
bool nvme_queues_have_classes(const struct nvme_ctrl *c);

// Asks for I/O queues, creates them, and gives each CPU its own, as many as there are for all.
bool nvme_queues_start(struct nvme_ctrl *c, struct problem *p);
void nvme_queues_stop(struct nvme_ctrl *c); // after CC.EN = 0 or a shutdown
void nvme_queues_drop(struct nvme_ctrl *c); // the controller is gone for good

// What asks for so many, and what makes one: its completion queue, then its submission queue.
struct nvme_sqe nvme_queues_ask(unsigned count);
struct nvme_sqe nvme_queue_make_cq(const struct nvme_queue *q);
struct nvme_sqe nvme_queue_make_sq(const struct nvme_queue *q);
// Of those asked for, how many the answer's dword 0 grants.
unsigned nvme_queues_granted(uint32_t result);

// After a reset, by what was created (has_sq): says for each that wasn't which one stands in. False:
// there is none.
bool nvme_queues_stand_in(struct nvme_ctrl *c);

// Deletes those there are, submission queues first; false as soon as one can't be.
bool nvme_queues_delete(struct nvme_ctrl *c, struct problem *p);

// Of one set: the queue that serves a CPU, and the CPU that owns a queue, the CPUs being counted by
// APIC id: in even runs, each run's first CPU owning its queue.
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

// ---- namespace.c ----

// What the controller's command sets say of themselves, as far as they do. False: the controller
// doesn't answer any more.
bool nvme_command_sets_identify(struct nvme_ctrl *c, struct problem *p);

// Adds a namespace's block device; to a controller that runs, perhaps a little later. What can't be
// used is named in a warning and passed over. False: it can't be identified.
bool nvme_namespace_add(struct nvme_ctrl *c, uint32_t nsid, struct problem *p);

// A namespace is said to have changed while the controller runs, and this is what Identify says now.
// False: it is new, or in another one's place.
bool nvme_namespace_changed(struct nvme_ctrl *c, uint32_t nsid,
                            const struct nvme_identify_namespace *data);

// The controller is gone, and with it its block devices. Where it returns, each is there again as soon
// as nvme_namespace_changed() finds that it is the same.
void nvme_namespaces_lose(struct nvme_ctrl *c);
