// SPDX-License-Identifier: BSD-2-Clause
// A server of 1 socket.
// expect:
// sockets: 1
// patch: 198=05 216=06
#include "head.dsli"
#define SEGMENT 0000
#define BASE 0C5FFC000
#define ROOT 10
#include "socket.dsli"
#include "pch.dsli"
#include "rmrr.dsli"
#define SEGMENT 0000
#define ROOT 10
#include "atsr.dsli"
#define BASE 0C5FFC000
#define DOMAIN 00000000
#include "rhsa.dsli"
#include "end.dsli"
