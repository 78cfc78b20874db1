// SPDX-License-Identifier: BSD-2-Clause
// What strict=on watches: the registers that software writes, and the invalidation queue.
#pragma once

#include "lib/bits.h"

// Ahead of QEMU's own unit, which executes commands and the queue's requests in the write itself.
void rules_register_write(uint32_t offset, uint32_t value);
void rules_register_read(uint32_t offset);
void rules_reset(void);
void rules_finish(void); // at exit: what should have followed, but has not

// rules_queue.c: the descriptors from `head` to `tail`, offsets into the queue that `iqa` names.
// Returns whether the whole interrupt entry cache was invalidated.
bool rules_queue(uint64_t iqa, uint32_t head, uint32_t tail);
