// SPDX-License-Identifier: BSD-2-Clause
// It is no DMAR table.
// expect: dmar-signature
// patch: 0=58
#include "server.dsli"
