// SPDX-License-Identifier: BSD-2-Clause
// A type of structure that there isn't.
// expect: dmar-type
// patch: end=0900080000000000
#include "server.dsli"
