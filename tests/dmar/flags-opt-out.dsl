// SPDX-License-Identifier: BSD-2-Clause
// x2APIC is to be left off.
// expect: dmar-x2apic-opt-out
#define FLAGS 03
#include "server.dsli"
