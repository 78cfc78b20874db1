// SPDX-License-Identifier: BSD-2-Clause
// An ACPI device without a name.
// expect: dmar-andd-name
// patch: 248=00
#include "server.dsli"
