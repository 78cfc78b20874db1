// SPDX-License-Identifier: BSD-2-Clause
// A function number that no device has.
// expect: dmar-scope-path
#define RMRR_FUNCTION 08
#include "server.dsli"
