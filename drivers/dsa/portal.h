// SPDX-License-Identifier: BSD-2-Clause
// A descriptor's way to a dedicated work queue: one write of 64 bytes (9.3).
#pragma once

#include "drivers/dsa/dsa_regs.h"
#include "lib/mmio.h"

#ifdef ONEBELL_HOST

void mmio_model_write_line(volatile void *to, const void *line);

static inline void dsa_movdir64b(volatile void *to, const struct dsa_descriptor *d)
{
    mmio_model_write_line(to, d);
}

#else

// Weakly ordered: without the fence it might overtake stores to what the descriptor is about, or to its
// completion record (SDM vol. 2, MOVDIR64B).
static inline void dsa_movdir64b(volatile void *to, const struct dsa_descriptor *d)
{
    __asm__ volatile("sfence\n\tmovdir64b %1, %0" : : "r"(to), "m"(*d) : "memory");
}

#endif

// In their order, uncached.
static inline void dsa_eight_stores(volatile void *to, const struct dsa_descriptor *d)
{
    const uint64_t *words = (const uint64_t *)(const void *)d;
#pragma GCC unroll 8
    for (unsigned i = 0; i < sizeof(*d) / sizeof(*words); i++)
        mmio_write64(mmio_at(to, i * sizeof(*words)), words[i]);
}
