// SPDX-License-Identifier: BSD-2-Clause
// A structure that ends behind the table.
// expect: dmar-structure
// patch: end=06004000
#include "server.dsli"
