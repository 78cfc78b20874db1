// SPDX-License-Identifier: BSD-2-Clause
// A root port is named as an endpoint.
// expect: dmar-scope-header
#define UNIT_SCOPE 01
#include "server.dsli"
