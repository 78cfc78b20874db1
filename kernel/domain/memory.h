// SPDX-License-Identifier: BSD-2-Clause
// A domain's memory: pieces of RAM outside of the DMA arena, taken once and its own for the rest of the run,
// at DOMAIN_MEMORY and on for its CPUs and for its functions.
#pragma once

#include "kernel/domain/space.h"
#include "lib/problem.h"
#include "lib/types.h"

struct pci_space;

struct domain_memory {
    void **pieces; // of SPACE_LARGE bytes
    unsigned count;
};

// Takes `bytes` > 0, whole pieces, near the NUMA node, and maps them; `reach` may be NULL. "domain-memory"
// where there isn't so much. Boot CPU.
bool domain_memory_take(struct domain_memory *m, uint64_t bytes, unsigned node, struct space *space,
                        struct pci_space *reach, struct problem *p);

// All of it is zero from now on; while nobody reaches it. Any CPU.
void domain_memory_clear(const struct domain_memory *m);

// Pages that its CPUs alone see: mapped at `virt`, and where the kernel has them. Boot CPU.
void *domain_pages(struct space *space, uint64_t virt, uint64_t bytes, enum space_kind kind,
                   unsigned node);
