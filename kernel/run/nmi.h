// SPDX-License-Identifier: BSD-2-Clause
// NMIs: our own, which stop CPUs, and those that nobody asked for.
#pragma once

#include "lib/types.h"

struct trap_frame;

// What an NMI that nobody asked for does once it was told of: the run goes on, or ends failed. Boot
// CPU.
void nmi_set_continue(bool goes_on);

// On its own stack, from trap_handle().
void nmi_take(const struct trap_frame *frame);
