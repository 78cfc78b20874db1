// SPDX-License-Identifier: BSD-2-Clause
// Two affinities of a unit.
// expect: dmar-type-order dmar-rhsa-twice
#include "server.dsli"
#define BASE 0C5FFC000
#define DOMAIN 00000000
#include "rhsa.dsli"
