// SPDX-License-Identifier: BSD-2-Clause
// The NVMe models as drives that something else has in its PCI tree.
#pragma once

#include "lib/types.h"

struct model;

struct model *drive_new(unsigned number, uint16_t vectors);
// One of its registers. `command`: of its configuration space.
uint64_t drive_read(struct model *m, uint16_t command, size_t offset, unsigned bytes);
void drive_write(struct model *m, uint16_t command, size_t offset, uint64_t value, unsigned bytes);
void drive_work(struct model *m, uint16_t command);    // carries out what it was told to
bool drive_signals(struct model *m, unsigned *vector); // an MSI-X entry that it wants to send
bool drive_holds(uint64_t offset, const void *data, uint64_t bytes); // the drive's data are these
