// SPDX-License-Identifier: BSD-2-Clause
// A scope without a pair.
// expect: dmar-scope-path
// patch: end=06000E0000000000 end=010600000000
#include "server.dsli"
