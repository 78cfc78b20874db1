// SPDX-License-Identifier: BSD-2-Clause
// Reserved memory of no device, and without a page.
// expect: dmar-type-order dmar-rmrr-align dmar-rmrr-memory dmar-rmrr-empty
#include "server.dsli"
[0002] Subtable Type : 0001
[0002] Length : 0018
[0002] Reserved : 0000
[0002] PCI Segment Number : 0000
[0008] Base Address : 00000000
[0008] End Address (limit) : 00000000
