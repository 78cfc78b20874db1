// SPDX-License-Identifier: BSD-2-Clause
// A type of scope that there isn't.
// expect: dmar-scope-type
// patch: 160=09
#include "server.dsli"
