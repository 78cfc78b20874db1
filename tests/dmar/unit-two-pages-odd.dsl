// SPDX-License-Identifier: BSD-2-Clause
// Two pages of registers, aligned to one.
// expect: dmar-unit-align dmar-rhsa-unit
// patch: 77=01
#define UNIT_BASE 0CDFFD000
#include "server.dsli"
