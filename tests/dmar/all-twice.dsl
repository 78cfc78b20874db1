// SPDX-License-Identifier: BSD-2-Clause
// Two units of a segment take all other devices.
// expect: dmar-all-twice
#define UNIT_FLAGS 01
#include "server.dsli"
