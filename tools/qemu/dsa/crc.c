// SPDX-License-Identifier: BSD-2-Clause
// CRC-32C bit by bit reversed, a byte at a time (RFC 3720, B.4).
#include "tools/qemu/dsa/descriptor.h"

#define POLYNOMIAL 0x82f63b78u // 11EDC6F41h, lowest power first

static uint32_t table[256];

static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[i] = crc;
    }
}

uint32_t dsa_reverse32(uint32_t value)
{
    uint32_t reversed = 0;
    for (int bit = 0; bit < 32; bit++)
        reversed |= (value >> bit & 1) << (31 - bit);
    return reversed;
}

uint32_t dsa_crc32c(uint32_t crc, const uint8_t *data, size_t bytes, bool reverse_bytes)
{
    if (!table[1])
        make_table();
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = reverse_bytes ? (uint8_t)(dsa_reverse32(data[i]) >> 24) : data[i];
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xff];
    }
    return crc;
}
