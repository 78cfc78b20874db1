// SPDX-License-Identifier: BSD-2-Clause
// Exceptions of ring 3 in words. Pure: runs on the host too.
#pragma once

#include "kernel/base/symbols.h"
#include "kernel/run/trap.h"

#define DOMAIN_FAULT_BYTES 240
#define DOMAIN_PLACE_BYTES 96
#define DOMAIN_CODE_BYTES 4

// The exception that the frame has. `address` is CR2, for a page fault; `code` the first bytes of the
// instruction, NULL where they can't be read.
const char *domain_fault_text(const struct trap_frame *frame, uint64_t address, const uint8_t *code,
                              char to[DOMAIN_FAULT_BYTES]);

// "function+0x12", or the address.
const char *domain_place_text(const struct symbols *symbols, uint64_t address,
                              char to[DOMAIN_PLACE_BYTES]);
