// SPDX-License-Identifier: BSD-2-Clause
// Its bytes don't sum to 0.
// expect: dmar-checksum
// patch: 9=00
#include "server.dsli"
