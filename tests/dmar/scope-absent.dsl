// SPDX-License-Identifier: BSD-2-Clause
// A device that isn't there.
// expect: dmar-scope-absent
#define RMRR_PATH 05
#include "server.dsli"
