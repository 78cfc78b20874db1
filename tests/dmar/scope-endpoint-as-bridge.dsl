// SPDX-License-Identifier: BSD-2-Clause
// A device is named as a bridge.
// expect: dmar-scope-header
#define RMRR_SCOPE 02
#include "server.dsli"
