// SPDX-License-Identifier: BSD-2-Clause
// The fence around DMA (dma=). Inside drivers/vtd only; others use vtd.h, and pci_enable().
#pragma once

#include "drivers/vtd/unit.h"

// Chooses tables that all units in use can translate by, and has the DMA arena mapped in them. Boot CPU, once,
// after the units were taken over. "dma-no-translation" names a unit that can't.
bool vtd_fence_plan(struct problem *p);

// All units translate: from now on pci_enable() grants, and pci_stop_bus_master() revokes.
void vtd_fence_raise(void);
bool vtd_fence_is_on(void);
