// SPDX-License-Identifier: BSD-2-Clause
// Port I/O and the time-stamp counter, for the parts of the loader that do without firmware.
#pragma once

#include "lib/types.h"

#define PORT_DEBUG_EXIT 0xf4      // QEMU's isa-debug-exit, where there is one
#define DEBUG_EXIT_FAILED 0x11    // QEMU ends with (value << 1) | 1: 35
#define PORT_CONFIG_ADDRESS 0xcf8 // PCI configuration mechanism #1
#define PORT_CONFIG_DATA 0xcfc

#define PORT_ACCESSORS(bits, suffix)                                                               \
    static inline void port_write##bits(uint16_t port, uint##bits##_t value)                       \
    {                                                                                              \
        __asm__ volatile("out" #suffix " %0, %1" ::"a"(value), "Nd"(port) : "memory");             \
    }                                                                                              \
    static inline uint##bits##_t port_read##bits(uint16_t port)                                    \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile("in" #suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");            \
        return value;                                                                              \
    }
PORT_ACCESSORS(8, b)
PORT_ACCESSORS(16, w)
PORT_ACCESSORS(32, l)
#undef PORT_ACCESSORS

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}
