// SPDX-License-Identifier: BSD-2-Clause
// A reserved flag is set.
// expect: dmar-unit-reserved
#define UNIT_FLAGS 02
#include "server.dsli"
