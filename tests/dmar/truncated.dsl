// SPDX-License-Identifier: BSD-2-Clause
// It says that it is longer than it is.
// expect: dmar-truncated
// patch: 4=30010000
#include "server.dsli"
