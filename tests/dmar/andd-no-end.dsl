// SPDX-License-Identifier: BSD-2-Clause
// An ACPI device's name doesn't end.
// expect: dmar-andd-name
// patch: 257=58
#include "server.dsli"
