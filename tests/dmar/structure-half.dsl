// SPDX-License-Identifier: BSD-2-Clause
// Two bytes are left behind the last structure.
// expect: dmar-structure
// patch: end=0600
#include "server.dsli"
