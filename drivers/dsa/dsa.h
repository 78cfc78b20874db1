// SPDX-License-Identifier: BSD-2-Clause
// Intel Data Streaming Accelerators: found, started, and what they are for is in kernel/run/copy.h.
#pragma once

#include "kernel/base/cmdline.h"
#include "kernel/pci/pci.h"

// The driver's words on the command line.
extern const struct option dsa_options[];

// True for a function that the driver drives.
bool dsa_drives(const struct pci_dev *dev);

// Starts all that there are; what can't be used is warned of. Boot CPU, once.
void dsa_init(const struct cmdline *c);

// Waits for what is in flight and turns all off. Boot CPU.
void dsa_shutdown(void);
