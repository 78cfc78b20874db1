// SPDX-License-Identifier: BSD-2-Clause
// No port takes ATS requests, which need not be said.
// expect: dmar-type-order dmar-atsr-ports
#include "server.dsli"
[0002] Subtable Type : 0002
[0002] Length : 0008
[0001] Flags : 00
[0001] Reserved : 00
[0002] PCI Segment Number : 0001
