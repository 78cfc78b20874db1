// SPDX-License-Identifier: BSD-2-Clause
// An HPET that isn't the HPET table's.
// expect: dmar-hpet-unknown dmar-hpet-missing
#define PCH_HPET 01
#include "server.dsli"
