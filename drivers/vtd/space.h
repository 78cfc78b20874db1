// SPDX-License-Identifier: BSD-2-Clause
// Spaces: what functions reach, the DMA arena or memory of their own, each by tables and a domain id of its
// own. Boot CPU.
#pragma once

#include "drivers/vtd/unit.h"

// The first space, with id 1. The units in use translate addresses below `limit`, by pages of up to that level; not
// all of them need to snoop. Spaces of before are no more.
struct pci_space *vtd_spaces_begin(unsigned largest, bool snooped, uint64_t limit,
                                   struct problem *p);

// An empty one. "domain-ids": no id is left.
struct pci_space *vtd_space_create(struct problem *p);

// Has functions find [at, at + bytes) at `phys`. "domain-map": it can't be there, or something else is;
// or a unit doesn't confirm it.
bool vtd_space_map(struct pci_space *s, uint64_t at, uint64_t phys, uint64_t bytes,
                   struct problem *p);

// How many ids the unit knows, 0 among them.
uint32_t vtd_domains(const struct vtd_unit *u);
