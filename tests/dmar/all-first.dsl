// SPDX-License-Identifier: BSD-2-Clause
// A unit comes behind that which takes all others.
// expect: dmar-all-last
// patch: 178=05 196=06
#include "units.dsli"
#define LENGTH 0018
#define DRHD_FLAGS 00
#define SEGMENT 0000
#define BASE 0FED92000
#include "unit.dsli"
#define TYPE 01
#define NUMBER 00
#define BUS 00
#define DEVICE 14
#define FUNCTION 00
#include "scope.dsli"
#include "end.dsli"
