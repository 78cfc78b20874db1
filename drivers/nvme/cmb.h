// SPDX-License-Identifier: BSD-2-Clause
// The Controller Memory Buffer (NVMe Base 2.0, 8.5): memory of the controller's own, behind one of its
// BARs. Submission queues in there need not be fetched from the host's. Boot CPU.
#pragma once

#include "drivers/nvme/ctrl.h"

// It is used where there is one: false unless set. Before any controller starts.
void nvme_cmb_set(bool wanted);

// Of a controller that is disabled: finds it. What can't be used is warned of, and left alone.
void nvme_cmb_find(struct nvme_ctrl *c);

// Tells the controller where it is, or that it is nowhere. Each time before CC.EN is set.
void nvme_cmb_enable(const struct nvme_ctrl *c);

// Takes so many bytes of it, as whole pages; *address is what the controller calls them. NULL: there
// is not so much left.
volatile void *nvme_cmb_take(struct nvme_ctrl *c, uint64_t bytes, uint64_t *address);

// Nothing more is taken.
void nvme_cmb_close(struct nvme_ctrl *c);
