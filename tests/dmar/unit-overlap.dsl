// SPDX-License-Identifier: BSD-2-Clause
// Eight pages of registers, with the other unit's in them.
// expect: dmar-unit-overlap dmar-rhsa-unit
// patch: 77=03
#define UNIT_BASE 0C5FF8000
#include "server.dsli"
