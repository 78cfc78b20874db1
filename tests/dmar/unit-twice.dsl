// SPDX-License-Identifier: BSD-2-Clause
// Two units at one place.
// expect: dmar-unit-twice dmar-rhsa-unit
#define UNIT_BASE 0C5FFC000
#include "server.dsli"
