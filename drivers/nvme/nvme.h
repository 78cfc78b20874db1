// SPDX-License-Identifier: BSD-2-Clause
// NVMe over PCIe: brings up every controller, with I/O queue pairs and MSI-X vectors for each CPU
// where there are as many, and adds a block device for each active namespace.
#pragma once

#include "kernel/base/cmdline.h"
#include "lib/problem.h"

// The driver's words of the command line, and taking them. Boot CPU, before nvme_init().
extern const struct option nvme_options[];
void nvme_configure(const struct cmdline *c);

// How long a command may take before it ends with BLOCK_TIMEOUT: 30,000 ms unless set. Boot CPU,
// before nvme_init().
void nvme_set_timeout(uint64_t ms);

// Queue pairs for each CPU, where the controller has so many: 1 unless set. Boot CPU, before
// nvme_init().
void nvme_set_queues(unsigned queues);

// One more for each CPU, whose interrupt is urgent, where the controller has so many. Boot CPU,
// before nvme_init().
void nvme_set_urgent(bool urgent);

// True for the functions that nvme_init() would start. Any CPU.
struct pci_dev;
bool nvme_drives(const struct pci_dev *dev);

// Starts all controllers. One that fails is reported by error() and left disabled; the others go
// on. Boot CPU, after irq_init(). Returns the number of controllers found, working or not.
unsigned nvme_init(void);

// Orderly shutdown of every controller (CC.SHN), each within its deadline. Boot CPU, no I/O left.
void nvme_shutdown(void);

// The controllers, in the order of their names, linked by `next`. Boot CPU.
struct nvme_ctrl *nvme_first(void);

// One console line and one JSON `nvme` for each namespace; a line where there is none.
void nvme_print(void);
