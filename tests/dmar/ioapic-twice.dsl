// SPDX-License-Identifier: BSD-2-Clause
// An IOAPIC is named by two units.
// expect: dmar-ioapic-twice
#define UNIT_SCOPE 03
#define UNIT_ID 08
#include "server.dsli"
