// SPDX-License-Identifier: BSD-2-Clause
// The affinity of a unit that there isn't.
// expect: dmar-type-order dmar-rhsa-unit
#include "server.dsli"
#define BASE 0FED00000
#define DOMAIN 00000000
#include "rhsa.dsli"
