// SPDX-License-Identifier: BSD-2-Clause
// A page doesn't fit.
// expect: dmar-width
#define WIDTH 09
#include "server.dsli"
