// SPDX-License-Identifier: BSD-2-Clause
// SIDP without devices.
// expect: dmar-sidp-empty
// patch: end=0600080000000000
#include "server.dsli"
