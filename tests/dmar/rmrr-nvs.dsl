// SPDX-License-Identifier: BSD-2-Clause
// It is memory of firmware's, which nobody gets.
// expect:
#define RMRR_BASE 70000000
#define RMRR_LIMIT 70000FFF
#include "server.dsli"
