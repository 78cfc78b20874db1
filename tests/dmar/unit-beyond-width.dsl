// SPDX-License-Identifier: BSD-2-Clause
// An address of 47 bits, where there are 46.
// expect: dmar-unit-address dmar-rhsa-unit
#define UNIT_BASE 400000000000
#include "server.dsli"
