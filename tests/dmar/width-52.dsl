// SPDX-License-Identifier: BSD-2-Clause
// The most that there can be.
// expect:
#define WIDTH 33
#include "server.dsli"
