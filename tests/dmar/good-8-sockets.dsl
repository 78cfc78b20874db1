// SPDX-License-Identifier: BSD-2-Clause
// A server of 8 sockets, the upper four in a segment of their own, with a unit there that takes all others.
// expect:
// sockets: 8
// patch: 634=05 652=06
#include "head.dsli"
#define SEGMENT 0000
#define BASE 0C5FFC000
#define ROOT 10
#include "socket.dsli"
#define SEGMENT 0000
#define BASE 0CDFFC000
#define ROOT 20
#include "socket.dsli"
#define SEGMENT 0000
#define BASE 0D5FFC000
#define ROOT 30
#include "socket.dsli"
#define SEGMENT 0000
#define BASE 0DDFFC000
#define ROOT 40
#include "socket.dsli"
#define SEGMENT 0001
#define BASE 0E5FFC000
#define ROOT 50
#include "socket.dsli"
#define SEGMENT 0001
#define BASE 0EDFFC000
#define ROOT 60
#include "socket.dsli"
#define SEGMENT 0001
#define BASE 0F5FFC000
#define ROOT 70
#include "socket.dsli"
#define SEGMENT 0001
#define BASE 0FDFFC000
#define ROOT 80
#include "socket.dsli"
#include "pch.dsli"
#define LENGTH 0010
#define DRHD_FLAGS 01
#define SEGMENT 0001
#define BASE 0FED92000
#include "unit.dsli"
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
#define SEGMENT 0001
#define ROOT 50
#include "atsr.dsli"
#define SEGMENT 0001
#define ROOT 60
#include "atsr.dsli"
#define SEGMENT 0001
#define ROOT 70
#include "atsr.dsli"
#define SEGMENT 0001
#define ROOT 80
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
#define BASE 0E5FFC000
#define DOMAIN 00000004
#include "rhsa.dsli"
#define BASE 0EDFFC000
#define DOMAIN 00000005
#include "rhsa.dsli"
#define BASE 0F5FFC000
#define DOMAIN 00000006
#include "rhsa.dsli"
#define BASE 0FDFFC000
#define DOMAIN 00000007
#include "rhsa.dsli"
#include "end.dsli"
