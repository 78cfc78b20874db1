// SPDX-License-Identifier: BSD-2-Clause
// Virtual functions of a controller (NVMe Base 2.0, 8.26): each has a controller of its own, secondary to
// the physical function's, which shares out what it has. They are turned on once, when all controllers
// that are there at the start run, and off at the end. Boot CPU.
#pragma once

#include "drivers/nvme/ctrl.h"
#include "drivers/nvme/nvme_virtual_regs.h"

// How many of each controller, as far as it can have them; 0: none. Before any starts.
void nvme_virtual_set(unsigned count);

// A step of the controller's start, once it answers admin commands: plans who gets what, and has the
// primary give up what it takes. What is wrong with that is told, and there are none. False: the
// controller can't be used any more.
bool nvme_virtual_prepare(struct nvme_ctrl *c, struct problem *p);

// Turns them on. False: there are none. PCI_VIRTUAL_NS later: has their controllers serve, and finds their
// functions, of which those with controllers that do so are to be started like any others.
bool nvme_virtual_turn_on(struct nvme_ctrl *c);
void nvme_virtual_find(struct nvme_ctrl *c);
bool nvme_virtual_serves(const struct nvme_ctrl *c, unsigned index);

// No controller is asked to have any from now on; says so if none could.
void nvme_virtual_end_start(void);

// A reset of the primary takes all of them offline: the commands, so many, by which it has them serve again.
unsigned nvme_virtual_steps(const struct nvme_ctrl *c);
struct nvme_sqe nvme_virtual_step(const struct nvme_ctrl *c, unsigned step);

// When their controllers are shut down: off again, and the primary has what it had. A controller without
// any may come as well.
void nvme_virtual_turn_off(struct nvme_ctrl *c);
