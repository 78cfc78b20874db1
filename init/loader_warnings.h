// SPDX-License-Identifier: BSD-2-Clause
// What the loader found wrong, which the kernel tells of.
#pragma once

#include "kernel/handoff.h"

// One warning for each kind. Boot CPU, once.
void loader_warnings(const struct handoff *h);
