// SPDX-License-Identifier: BSD-2-Clause
// A unit whose address nobody filled in.
// expect: dmar-unit-zero dmar-rhsa-unit
#define UNIT_BASE 0FFFFFFFFFFFFFFFF
#include "server.dsli"
