// SPDX-License-Identifier: BSD-2-Clause
// Two devices have the same range, which is as it should be; but the order isn't.
// expect: dmar-type-order
#include "server.dsli"
#define RMRR_PATH 1C
#define RMRR_SCOPE 02
#include "rmrr.dsli"
