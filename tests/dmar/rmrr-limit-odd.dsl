// SPDX-License-Identifier: BSD-2-Clause
// Reserved memory ends within a page.
// expect: dmar-rmrr-align
#define RMRR_LIMIT 7C7FFFFE
#include "server.dsli"
