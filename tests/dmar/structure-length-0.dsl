// SPDX-License-Identifier: BSD-2-Clause
// A structure without a length, over which other tools loop.
// expect: dmar-structure
// patch: end=00000000
#include "server.dsli"
