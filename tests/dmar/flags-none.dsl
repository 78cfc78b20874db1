// SPDX-License-Identifier: BSD-2-Clause
// VT-d without interrupt remapping.
// expect: dmar-flags
#define FLAGS 00
#include "server.dsli"
