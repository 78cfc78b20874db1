// SPDX-License-Identifier: BSD-2-Clause
// Reading what a Hardware Security Test Interface gives. Pure.
#pragma once

#include "kernel/handoff.h"
#include "lib/types.h"

// False: the fields don't lie within the bytes.
bool hsti_decode(const void *block, size_t bytes, struct handoff_hsti *out);
