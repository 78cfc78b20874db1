// SPDX-License-Identifier: BSD-2-Clause
// Firmware's own console, as its Serial Port Console Redirection table (Microsoft, revisions 1 to 4) names it:
// on a server the port that the BMC sends over the network. Pure.
#pragma once

#include "kernel/handoff.h"

// `table` has `length` bytes, as its header says. What keeps it from being followed has a value: what stands
// there in place of what should.
enum handoff_spcr spcr_parse(const void *table, size_t length, struct console_place *out,
                             uint64_t *value);
