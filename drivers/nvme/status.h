// SPDX-License-Identifier: BSD-2-Clause
// What a completion's status field means, in words. Pure.
#pragma once

#include "lib/types.h"

// Writes e.g. "unrecovered read error (status type 2, code 81h)"; `status` is the field without
// its phase tag (NVMe Base 2.0, 3.3.3.2.1). Returns `to`.
const char *nvme_status_text(uint32_t status, char *to, size_t bytes);
