// SPDX-License-Identifier: BSD-2-Clause
// A path leads over a device that is no bridge.
// expect: dmar-scope-walk
// patch: 294=06
#include "server.dsli"
[0002] Subtable Type : 0002
[0002] Length : 0012
[0001] Flags : 00
[0001] Reserved : 00
[0002] PCI Segment Number : 0000
[0001] Device Scope Type : 01
[0001] Entry Length : 0A
#include <scope-reserved>
[0001] Enumeration ID : 00
[0001] PCI Bus Number : 00
[0002] PCI Path : 14,00
[0002] PCI Path : 00,00
