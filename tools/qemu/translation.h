// SPDX-License-Identifier: BSD-2-Clause
// The guest's tables for DMA, read as the unit would in legacy mode (VT-d 3.4, 9.1, 9.3, 9.8).
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct translation {
    uint64_t root, context, table; // addresses of the tables on the way; 0: there is none
    bool mapped, writable;
    uint64_t memory; // that it leads to, where it is mapped
};

// What the tables in use say of the sender's access to that address.
struct translation translate(uint16_t source, uint64_t address);
