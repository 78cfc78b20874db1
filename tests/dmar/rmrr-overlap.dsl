// SPDX-License-Identifier: BSD-2-Clause
// Two ranges overlap in part.
// expect: dmar-type-order dmar-rmrr-overlap
#include "server.dsli"
#define RMRR_BASE 7C001000
#define RMRR_LIMIT 7C001FFF
#include "rmrr.dsli"
