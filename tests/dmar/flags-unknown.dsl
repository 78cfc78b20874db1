// SPDX-License-Identifier: BSD-2-Clause
// A flag that no specification has.
// expect: dmar-flags
#define FLAGS 81
#include "server.dsli"
