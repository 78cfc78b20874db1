// SPDX-License-Identifier: BSD-2-Clause
// SIDP names a device twice.
// expect: dmar-scope-twice
// patch: end=0600180000000000 end=0108000000001400 end=0108000000001400
#include "server.dsli"
