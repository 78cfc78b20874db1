// SPDX-License-Identifier: BSD-2-Clause
// Device registers: accesses of exactly the width asked for, in program order. Host tests put a
// register-level model of the device behind the same calls.
#pragma once

#include "lib/types.h"

#ifdef ONEBELL_HOST

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes);
void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes);

#define MMIO_ACCESSORS(bits)                                                                       \
    static inline uint##bits##_t mmio_read##bits(const volatile void *reg)                         \
    {                                                                                              \
        return (uint##bits##_t)mmio_model_read(reg, bits / 8);                                     \
    }                                                                                              \
    static inline void mmio_write##bits(volatile void *reg, uint##bits##_t value)                  \
    {                                                                                              \
        mmio_model_write(reg, value, bits / 8);                                                    \
    }

#else

// The memory clobber keeps earlier stores to DMA memory ahead of a doorbell; on x86 no fence is
// needed between write-back stores and an uncached store (SDM vol. 3, 9.2).
#define MMIO_ACCESSORS(bits)                                                                       \
    static inline uint##bits##_t mmio_read##bits(const volatile void *reg)                         \
    {                                                                                              \
        uint##bits##_t value = *(const volatile uint##bits##_t *)reg;                              \
        __asm__ volatile("" ::: "memory");                                                         \
        return value;                                                                              \
    }                                                                                              \
    static inline void mmio_write##bits(volatile void *reg, uint##bits##_t value)                  \
    {                                                                                              \
        __asm__ volatile("" ::: "memory");                                                         \
        *(volatile uint##bits##_t *)reg = value;                                                   \
    }

#endif

MMIO_ACCESSORS(8)
MMIO_ACCESSORS(16)
MMIO_ACCESSORS(32)
MMIO_ACCESSORS(64)
#undef MMIO_ACCESSORS

// Register `offset` bytes into a mapped window.
static inline volatile void *mmio_at(volatile void *window, size_t offset)
{
    return (volatile uint8_t *)window + offset;
}
