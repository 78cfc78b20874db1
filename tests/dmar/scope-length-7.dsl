// SPDX-License-Identifier: BSD-2-Clause
// A scope with half a pair.
// expect: dmar-unit-empty dmar-scope-length
// patch: 89=07
#include "server.dsli"
