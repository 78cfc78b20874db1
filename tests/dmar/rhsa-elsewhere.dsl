// SPDX-License-Identifier: BSD-2-Clause
// A proximity domain that the SRAT doesn't have.
// expect: dmar-type-order dmar-rhsa-domain
#include "server.dsli"
#define BASE 0FED91000
#define DOMAIN 00000007
#include "rhsa.dsli"
