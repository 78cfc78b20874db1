// SPDX-License-Identifier: BSD-2-Clause
// What is odd about functions that the specification doesn't explain.
#pragma once

#include "kernel/pci/pci.h"

enum nvme_quirk_kind {
    NVME_QUIRK_CLASS = 1 << 0,       // an NVMe controller, though its class doesn't say so
    NVME_QUIRK_RESET_DELAY = 1 << 1, // CSTS must not be read for a while after a reset
    NVME_QUIRK_ONE_COMMAND = 1 << 2, // of I/O at a time: one queue of two entries
    NVME_QUIRK_MQES_64 = 1 << 3,     // CAP.MQES of 0 means 64 entries
    NVME_QUIRK_REFUSED = 1 << 4,     // can't be driven
    NVME_QUIRK_VMD = 1 << 5,         // none itself: NVMe drives are behind it
    NVME_QUIRK_RAID = 1 << 6,        // none itself: NVMe drives may be behind it
};

struct nvme_quirk {
    uint16_t vendor, device;
    unsigned kinds;     // of enum nvme_quirk_kind
    const char *reason; // for people
};

// The function's, or one without kinds.
const struct nvme_quirk *nvme_quirk(const struct pci_dev *dev);
