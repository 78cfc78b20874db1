// SPDX-License-Identifier: BSD-2-Clause
// All ports take ATS requests, and some.
// expect: dmar-atsr-ports
#define LAST_ATSR_FLAGS 01
#include "server.dsli"
