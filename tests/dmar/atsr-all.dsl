// SPDX-License-Identifier: BSD-2-Clause
// All ports of another segment; but the order is wrong.
// expect: dmar-type-order
#include "server.dsli"
[0002] Subtable Type : 0002
[0002] Length : 0008
[0001] Flags : 01
[0001] Reserved : 00
[0002] PCI Segment Number : 0001
