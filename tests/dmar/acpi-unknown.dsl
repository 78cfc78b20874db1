// SPDX-License-Identifier: BSD-2-Clause
// An ACPI device without an ANDD.
// expect: dmar-acpi-unknown
#define PCH_ACPI 02
#include "server.dsli"
