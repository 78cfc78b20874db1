// SPDX-License-Identifier: BSD-2-Clause
// Reserved memory without a limit.
// expect: dmar-short dmar-type-order
// patch: end=01001400000000000000007C0000000000000000
#include "server.dsli"
