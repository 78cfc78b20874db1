// SPDX-License-Identifier: BSD-2-Clause
// Reserved bits of the size are set.
// expect: dmar-unit-reserved
// patch: 77=10
#include "server.dsli"
