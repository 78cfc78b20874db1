// SPDX-License-Identifier: BSD-2-Clause
// A unit without an address, as of a switched-off part.
// expect: dmar-unit-zero dmar-rhsa-unit
#define UNIT_BASE 0
#include "server.dsli"
