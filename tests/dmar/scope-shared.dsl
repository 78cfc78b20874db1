// SPDX-License-Identifier: BSD-2-Clause
// A root port is named by two units.
// expect: dmar-scope-shared
#define UNIT_BUS 10
#include "server.dsli"
