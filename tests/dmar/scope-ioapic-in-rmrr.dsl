// SPDX-License-Identifier: BSD-2-Clause
// Memory that is reserved for an IOAPIC.
// expect: dmar-scope-place dmar-ioapic-unknown
#define RMRR_SCOPE 03
#include "server.dsli"
