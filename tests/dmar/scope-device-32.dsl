// SPDX-License-Identifier: BSD-2-Clause
// A device number that no bus has.
// expect: dmar-scope-path
#define RMRR_PATH 20
#include "server.dsli"
