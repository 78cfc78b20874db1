// SPDX-License-Identifier: BSD-2-Clause
// A unit without an address.
// expect: dmar-short dmar-type-order
// patch: end=00000C000000000000000000
#include "server.dsli"
