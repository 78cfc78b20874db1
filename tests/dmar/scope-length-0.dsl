// SPDX-License-Identifier: BSD-2-Clause
// A scope without a length, over which other tools loop.
// expect: dmar-unit-empty dmar-scope-length
// patch: 89=00
#include "server.dsli"
