// SPDX-License-Identifier: BSD-2-Clause
// Registers start within a page.
// expect: dmar-unit-align dmar-rhsa-unit
#define UNIT_BASE 0CDFFC800
#include "server.dsli"
