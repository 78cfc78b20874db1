// SPDX-License-Identifier: BSD-2-Clause
// The interrupt entry cache of strict=on: an entry stays as it was first used until it is
// invalidated through the queue (VT-d 6.5.2.8).
#pragma once

#include "tools/qemu/irte.h"

// Reads an entry of the table whole, with one access (VT-d 5.1.4). False where QEMU's own unit has
// to report that it can't be had: index out of range (21h) or table unreadable (23h).
bool entry_read(uint16_t index, struct irte *e);

void entry_cache_init(void);
// False unless the entry is cached. `memory` is what the table holds now.
bool entry_cache_find(uint16_t index, struct irte memory, struct irte *e);
// Present ones only: others are never cached while CAP.CM=0. Without entry_cache_init(), nothing.
void entry_cache_add(uint16_t index, struct irte e);
void entry_cache_invalidate(uint16_t index, unsigned mask_bits);
void entry_cache_empty(void);
// Tells of entries that differ from memory when nobody can be about to invalidate them any more.
void entry_cache_check(void);
// How often an entry served a request that memory by then had another one for.
uint64_t entry_cache_stale_uses(void);
