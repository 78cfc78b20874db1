// SPDX-License-Identifier: BSD-2-Clause
// Two pages of registers, aligned to their size.
// expect:
// patch: 77=01
#include "server.dsli"
