// SPDX-License-Identifier: BSD-2-Clause
// More than a CPU has.
// expect: dmar-width
#define WIDTH 34
#include "server.dsli"
