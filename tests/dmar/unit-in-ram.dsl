// SPDX-License-Identifier: BSD-2-Clause
// Registers lie in free memory.
// expect: dmar-unit-ram dmar-rhsa-unit
#define UNIT_BASE 100000
#include "server.dsli"
