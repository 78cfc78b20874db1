// SPDX-License-Identifier: BSD-2-Clause
// The fence around DMA (dma=). Inside drivers/vtd only; others use vtd.h, and pci_enable().
#pragma once

#include "drivers/vtd/unit.h"

// Chooses tables that all units in use can translate by, and has the DMA arena mapped in them. What
// `driven` doesn't name and firmware has reserved memory for is to keep that where `keep_reserved` is set.
// Boot CPU, once, after the units were taken over. "dma-no-translation" names a unit that can't.
bool vtd_fence_plan(bool keep_reserved, vtd_is_driven driven, struct problem *p);

// Turns one unit's translation on, with no function granted anything. Its queue runs.
bool vtd_fence_start(struct vtd_unit *u, struct problem *p);

// All units translate: from now on pci_enable() grants, and pci_stop_bus_master() revokes.
void vtd_fence_raise(void);
bool vtd_fence_is_on(void);
