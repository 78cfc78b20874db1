// SPDX-License-Identifier: BSD-2-Clause
// What is odd about functions that the specification doesn't explain.
#pragma once

#include "kernel/pci/pci.h"

enum nvme_quirk_kind {
    NVME_QUIRK_CLASS = 1 << 0,            // an NVMe controller, though its class doesn't say so
    NVME_QUIRK_RESET_DELAY = 1 << 1,      // CSTS must not be read for a while after a reset
    NVME_QUIRK_ONE_COMMAND = 1 << 2,      // of I/O at a time: one queue of two entries
    NVME_QUIRK_MQES_64 = 1 << 3,          // CAP.MQES of 0 means 64 entries
    NVME_QUIRK_REFUSED = 1 << 4,          // can't be driven
    NVME_QUIRK_RAID = 1 << 6,             // none itself: NVMe drives may be behind it
    NVME_QUIRK_STRIPE = 1 << 7,           // its vendor's byte of Identify names a boundary
    NVME_QUIRK_LONG_QUEUES = 1 << 8,      // slow with rings of less than 1024 entries
    NVME_QUIRK_ADMIN_PAGE = 1 << 9,       // the admin submission queue must fill whole pages
    NVME_QUIRK_NO_SGL = 1 << 10,          // whatever SGLS says
    NVME_QUIRK_NO_WRITE_ZEROES = 1 << 11, // whatever ONCS says
    NVME_QUIRK_ODD_CNS = 1 << 12,         // answers unknown CNS with something else than an error
    NVME_QUIRK_NO_DESCRIPTORS = 1 << 13,  // Identify, CNS 3, does harm
};

#define NVME_ANY_DEVICE 0xffff // no function has it: reads of absent ones return it

struct nvme_quirk {
    uint16_t vendor, device; // NVME_ANY_DEVICE: all of the vendor's
    unsigned kinds;          // of enum nvme_quirk_kind
    const char *reason;      // for people
};

// The function's, or one without kinds.
const struct nvme_quirk *nvme_quirk(const struct pci_dev *dev);
