// SPDX-License-Identifier: BSD-2-Clause
// Its first page is free memory.
// expect: dmar-rmrr-memory
#define RMRR_BASE 6FFFF000
#include "server.dsli"
