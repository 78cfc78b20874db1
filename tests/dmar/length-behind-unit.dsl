// SPDX-License-Identifier: BSD-2-Clause
// It ends within a unit, by what it says.
// expect: dmar-structure dmar-ioapic-missing dmar-hpet-missing
// patch: 4=58000000
#include "server.dsli"
