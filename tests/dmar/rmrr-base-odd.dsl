// SPDX-License-Identifier: BSD-2-Clause
// Reserved memory starts within a page.
// expect: dmar-rmrr-align
#define RMRR_BASE 7C000008
#include "server.dsli"
