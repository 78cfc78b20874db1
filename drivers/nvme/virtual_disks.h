// SPDX-License-Identifier: BSD-2-Clause
// Namespaces for controllers of virtual functions. Boot CPU.
#pragma once

#include "drivers/nvme/ctrl.h"

// Of these controllers each that has no namespace gets one that no controller of the subsystem has, as long
// as there are some: told in `namespaces`, 0 for none. What a controller has outlasts the run, so that it
// changes only where allow-write= names the disk, and with nvme_virtual_detach(), by the same arguments, each
// is nobody's again.
void nvme_virtual_attach(struct nvme_ctrl *c, const uint16_t *ids, unsigned count,
                         uint32_t *namespaces);
void nvme_virtual_detach(struct nvme_ctrl *c, const uint16_t *ids, unsigned count,
                         const uint32_t *namespaces);
