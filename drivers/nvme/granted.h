// SPDX-License-Identifier: BSD-2-Clause
// In a domain: block devices on queues that the kernel has made for it (give.h). Requests take the same
// way as in the kernel; the controller itself is out of reach.
#pragma once

#include "drivers/nvme/disk.h"
#include "kernel/domain/abi.h"

// What the kernel tells of a disk: values alone, of this very build.
struct domain_disk {
    // Of its controller.
    uint32_t function; // as its queues name it
    char controller[sizeof(((struct nvme_ctrl *)0)->name)];
    char label[sizeof(((struct nvme_ctrl *)0)->label)];
    bool sgl;
    uint64_t max_transfer; // of a command, whatever its namespace
    uint64_t retry_ms[4];
    uint64_t timeout_ms; // nvme.timeout=

    // Of the namespace, as struct nvme_ns and struct block_dev have them.
    uint32_t nsid, block_shift, ops;
    uint64_t blocks;
    char name[16], same_as[16];
    char serial[BLOCK_SERIAL_BYTES], model[41];
    struct block_limits limits;
    struct nvme_form forms[BLOCK_OPS]; // without the address of any buffer
    struct nvme_copy copy;
    struct nvme_zoned zoned;
    bool in_full; // its commands have all fields written
    bool metadata_buffer;
};

// Makes all that the page tells of, and adds the disks. CPU 0, before the others have begun.
void nvme_granted_init(const struct domain_info *info);
