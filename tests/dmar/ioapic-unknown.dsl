// SPDX-License-Identifier: BSD-2-Clause
// An IOAPIC that the MADT doesn't have, and none for the one that it has.
// expect: dmar-ioapic-unknown dmar-ioapic-missing
#define PCH_IOAPIC 09
#include "server.dsli"
