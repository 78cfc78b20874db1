// SPDX-License-Identifier: BSD-2-Clause
// ATSR names no root port, and calls one an endpoint.
// expect: dmar-scope-place dmar-scope-header
#define LAST_ATSR_SCOPE 01
#include "server.dsli"
