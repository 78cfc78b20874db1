// SPDX-License-Identifier: BSD-2-Clause
// It is to be left off, and nothing remaps.
// expect: dmar-flags dmar-x2apic-opt-out
#define FLAGS 02
#include "server.dsli"
