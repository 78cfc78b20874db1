// SPDX-License-Identifier: BSD-2-Clause
// The PCH's first scope is a second path of the HPET, and nothing names the IOAPIC.
// expect: dmar-ioapic-missing
// patch: 112=04 116=00
#include "server.dsli"
