// SPDX-License-Identifier: BSD-2-Clause
// It says that it is shorter than its header.
// expect: dmar-truncated
// patch: 4=2F000000
#include "server.dsli"
