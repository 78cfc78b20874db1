// SPDX-License-Identifier: BSD-2-Clause
// Spaces besides the DMA arena: what other functions reach, each by tables and a domain id of its own.
// Boot CPU.
#pragma once

#include "drivers/vtd/unit.h"

// What tables have to be like for all units in use, which translate addresses below `limit`; spaces of an
// earlier plan are no more.
void vtd_spaces_plan(const struct vtd_pages *kind, uint64_t limit);

// An empty one. "domain-ids": no id is left.
struct pci_space *vtd_space_create(struct problem *p);

// Has functions find [at, at + bytes) at `phys`. "domain-map": it can't be there, or something else is;
// or a unit doesn't confirm it.
bool vtd_space_map(struct pci_space *s, uint64_t at, uint64_t phys, uint64_t bytes,
                   struct problem *p);

// Has the units see what was added to the tables. False: one doesn't confirm it.
bool vtd_space_announce(const struct pci_space *s, struct problem *p);

// How many ids the unit knows, 0 among them.
uint32_t vtd_domains(const struct vtd_unit *u);
