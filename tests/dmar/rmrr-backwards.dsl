// SPDX-License-Identifier: BSD-2-Clause
// Its limit is below its base.
// expect: dmar-rmrr-order
#define RMRR_LIMIT 7BFFFFFF
#include "server.dsli"
