// SPDX-License-Identifier: BSD-2-Clause
// A scope that is longer than its structure.
// expect: dmar-unit-empty dmar-scope-length
// patch: 89=0A
#include "server.dsli"
