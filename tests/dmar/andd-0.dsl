// SPDX-License-Identifier: BSD-2-Clause
// ACPI devices are counted from 1.
// expect: dmar-acpi-unknown dmar-andd-number
#define ANDD_NUMBER 00
#include "server.dsli"
