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
// Returns which caches were invalidated as a whole.
struct invalidations {
    bool entries, contexts, pages;
};
struct invalidations rules_queue(uint64_t iqa, uint32_t head, uint32_t tail);

// rules_dma.c: the tables for DMA, looked at before the queue is; and what of them was invalidated: all, or
// what a context's source or a domain names (granularity as in descriptors: 1 all, 2 domain, 3 device).
void rules_dma_look(void);
void rules_dma_invalidate_contexts(unsigned granularity, uint16_t domain, uint16_t source);
void rules_dma_invalidate_pages(unsigned granularity, uint16_t domain);
void rules_dma_notice(uint16_t source); // a context that came without the queue, as it may
// The sender has no context, and all that it was seen to have is invalidated.
bool rules_dma_is_absent(uint16_t source);
void rules_dma_forget(void); // there are other tables
void rules_dma_begin(void);  // translation begins
void rules_dma_finish(void); // translation ends: what should have followed, but has not
