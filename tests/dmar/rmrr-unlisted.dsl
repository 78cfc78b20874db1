// SPDX-License-Identifier: BSD-2-Clause
// The memory map doesn't tell of its last page.
// expect: dmar-rmrr-unlisted
#define RMRR_LIMIT 7C800FFF
#include "server.dsli"
