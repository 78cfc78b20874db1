// SPDX-License-Identifier: BSD-2-Clause
// CRC-32C by the crc32 instruction, which works on general registers, or by a table of 16 entries.
#include "lib/crc32c.h"

#include "lib/bits.h"

#define CPUID_FEATURES 1
#define CPUID_1_ECX_SSE42 BIT32(20)

// Entry n: the remainder of the four bits n (reflected polynomial 0x82f63b78).
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    while (count--) {
        crc ^= *at++;
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

static inline uint64_t step8(uint64_t crc, const void *at)
{
    uint64_t word;
    __builtin_memcpy(&word, at, sizeof(word));
    __asm__("crc32q %1, %0" : "+r"(crc) : "rm"(word));
    return crc;
}

uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint64_t sum = (uint32_t)~crc;
    for (; count >= 32; count -= 32, at += 32) {
        sum = step8(sum, at);
        sum = step8(sum, at + 8);
        sum = step8(sum, at + 16);
        sum = step8(sum, at + 24);
    }
    for (; count >= 8; count -= 8, at += 8)
        sum = step8(sum, at);
    uint32_t rest = (uint32_t)sum;
    for (; count; count--, at++)
        __asm__("crc32b %1, %0" : "+r"(rest) : "rm"(*at));
    return ~rest;
}

bool crc32c_has_instruction(void)
{
    uint32_t eax = CPUID_FEATURES, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ecx & CPUID_1_ECX_SSE42;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t count)
{
    // CPUID is slow, and traps under a hypervisor: asked once. Several CPUs may ask at the same
    // time; they all store the same answer.
    static enum { UNKNOWN, ABSENT, PRESENT } instruction;
    unsigned known = __atomic_load_n(&instruction, __ATOMIC_RELAXED);
    if (known == UNKNOWN) {
        known = crc32c_has_instruction() ? PRESENT : ABSENT;
        __atomic_store_n(&instruction, known, __ATOMIC_RELAXED);
    }
    return known == PRESENT ? crc32c_by_instruction(crc, bytes, count)
                            : crc32c_by_table(crc, bytes, count);
}
