// SPDX-License-Identifier: BSD-2-Clause
// A controller on its way to a domain: enabled with the kernel's admin queue, told of the domain's queues,
// and then kept to the domain's memory. Boot CPU, from its loop.
#pragma once

#include "drivers/nvme/admin.h"
#include "kernel/domain/device.h"

struct nvme_given_queue;

struct nvme_given {
    struct nvme_ctrl *ctrl;
    struct nvme_given_queue *queues;
    unsigned room;  // for queues
    unsigned count; // of queues that there are to be, as far as is known by now
    unsigned live;  // of these, the first that send interrupts
    bool enabled;   // CSTS.RDY has followed
    unsigned step;
    uint64_t deadline_ns; // of the command under way
    struct nvme_admin_command command;
    unsigned home, out; // where CPUs that are asked to drain answer, and how many have not
};

// Begins; the controller is stopped.
bool nvme_given_begin(struct nvme_given *g, struct domain_grant *grant, struct problem *p);
enum domain_step nvme_given_go_on(struct nvme_given *g, struct domain_grant *grant,
                                  struct problem *p);

// Its bus mastering is off: no more interrupts, and has each CPU take those that were under way.
void nvme_given_drain(struct nvme_given *g);
bool nvme_given_is_drained(const struct nvme_given *g);

// What may still come is nobody's.
void nvme_given_end(struct nvme_given *g);
