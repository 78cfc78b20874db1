// SPDX-License-Identifier: BSD-2-Clause
// It ends a byte too far, which is beyond the memory map's range as well.
// expect: dmar-rmrr-align dmar-rmrr-unlisted
#define RMRR_LIMIT 7C800000
#include "server.dsli"
