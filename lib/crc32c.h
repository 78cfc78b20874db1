// SPDX-License-Identifier: BSD-2-Clause
// CRC-32C (Castagnoli), reflected, as in iSCSI and NVMe. Uses the SSE4.2 instruction where it is.
#pragma once

#include "lib/types.h"

// crc: 0 to start, or the result for the bytes before these. Any CPU, any context.
uint32_t crc32c(uint32_t crc, const void *bytes, size_t count);

// The two ways that crc32c() chooses from. The second needs SSE4.2 (crc32c_has_instruction()).
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t count);
uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t count);
bool crc32c_has_instruction(void);
