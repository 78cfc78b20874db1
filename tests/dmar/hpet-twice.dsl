// SPDX-License-Identifier: BSD-2-Clause
// An HPET is named by two units with the same path.
// expect: dmar-hpet-twice
// patch: 88=0408000000F00F00
#include "server.dsli"
