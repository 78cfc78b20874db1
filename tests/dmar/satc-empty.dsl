// SPDX-License-Identifier: BSD-2-Clause
// SATC without devices.
// expect: dmar-type-order dmar-satc-empty
// patch: end=0500080000000000
#include "server.dsli"
