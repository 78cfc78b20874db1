// SPDX-License-Identifier: BSD-2-Clause
// A unit with no device.
// expect: dmar-unit-empty
// patch: 122=05 140=06
#define PCH_ACPI 01
#include "head.dsli"
#define LENGTH 0010
#define DRHD_FLAGS 00
#define SEGMENT 0000
#define BASE 0FED92000
#include "unit.dsli"
#include "pch.dsli"
#include "end.dsli"
