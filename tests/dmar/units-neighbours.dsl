// SPDX-License-Identifier: BSD-2-Clause
// Registers that begin where others end, and a unit for all others in another segment.
// expect:
// patch: 170=05 188=06
#include "units.dsli"
#define LENGTH 0010
#define DRHD_FLAGS 01
#define SEGMENT 0001
#define BASE 0FED92000
#include "unit.dsli"
#include "end.dsli"
