// SPDX-License-Identifier: BSD-2-Clause
// A server of 4 sockets, each unit with an IOAPIC of its own, as up to Broadwell.
// expect:
// sockets: 4
// patch: 410=05 428=06
#include "head.dsli"
#define LENGTH 0020
#define DRHD_FLAGS 00
#define SEGMENT 0000
#define BASE 0C5FFC000
#include "unit.dsli"
#define TYPE 02
#define NUMBER 00
#define BUS 10
#define DEVICE 02
#define FUNCTION 00
#include "scope.dsli"
#define TYPE 03
#define NUMBER 09
#define BUS 10
#define DEVICE 05
#define FUNCTION 04
#include "scope.dsli"
#define LENGTH 0020
#define DRHD_FLAGS 00
#define SEGMENT 0000
#define BASE 0CDFFC000
#include "unit.dsli"
#define TYPE 02
#define NUMBER 00
#define BUS 20
#define DEVICE 02
#define FUNCTION 00
#include "scope.dsli"
#define TYPE 03
#define NUMBER 0A
#define BUS 20
#define DEVICE 05
#define FUNCTION 04
#include "scope.dsli"
#define LENGTH 0020
#define DRHD_FLAGS 00
#define SEGMENT 0000
#define BASE 0D5FFC000
#include "unit.dsli"
#define TYPE 02
#define NUMBER 00
#define BUS 30
#define DEVICE 02
#define FUNCTION 00
#include "scope.dsli"
#define TYPE 03
#define NUMBER 0B
#define BUS 30
#define DEVICE 05
#define FUNCTION 04
#include "scope.dsli"
#define LENGTH 0020
#define DRHD_FLAGS 00
#define SEGMENT 0000
#define BASE 0DDFFC000
#include "unit.dsli"
#define TYPE 02
#define NUMBER 00
#define BUS 40
#define DEVICE 02
#define FUNCTION 00
#include "scope.dsli"
#define TYPE 03
#define NUMBER 0C
#define BUS 40
#define DEVICE 05
#define FUNCTION 04
#include "scope.dsli"
#include "pch.dsli"
#include "rmrr.dsli"
#define SEGMENT 0000
#define ROOT 10
#include "atsr.dsli"
#define SEGMENT 0000
#define ROOT 20
#include "atsr.dsli"
#define SEGMENT 0000
#define ROOT 30
#include "atsr.dsli"
#define SEGMENT 0000
#define ROOT 40
#include "atsr.dsli"
#define BASE 0C5FFC000
#define DOMAIN 00000000
#include "rhsa.dsli"
#define BASE 0CDFFC000
#define DOMAIN 00000001
#include "rhsa.dsli"
#define BASE 0D5FFC000
#define DOMAIN 00000002
#include "rhsa.dsli"
#define BASE 0DDFFC000
#define DOMAIN 00000003
#include "rhsa.dsli"
#include "end.dsli"
