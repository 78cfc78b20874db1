// SPDX-License-Identifier: BSD-2-Clause
// What an accelerator tells of itself, and what is late. Boot CPU.
#pragma once

#include "drivers/dsa/device.h"

void dsa_events_init(struct dsa_device *d);

// Handler of its first interrupt: errors, a halt, handles revoked.
void dsa_events_interrupt(void *device);

// A look, once a second.
void dsa_events_look(struct dsa_device *d);
