// SPDX-License-Identifier: BSD-2-Clause
// Does an accelerator pay? Measured, for kernel/run/copy.h's choice.
#pragma once

#include "kernel/run/copy.h"

#define COPY_PAYS_LEAST 512
#define COPY_PAYS_MOST (64 * KIB)
#define COPY_PAYS_SIZES 8 // powers of two from the least to the most

struct copy_pays {
    // For each operation of that size, a number of them in flight: nanoseconds by the CPU and by the device.
    uint64_t cpu_ns[COPY_PAYS_SIZES], dev_ns[COPY_PAYS_SIZES];
    uint32_t least; // from which on the device is faster; UINT32_MAX: it isn't
};

// From how many bytes on, of what was measured. Pure.
uint32_t copy_pays_from(const struct copy_pays *pays);
// What was measured next to `bytes`: an index of the arrays. Pure.
unsigned copy_pays_index(uint32_t bytes);

// Measures (copy_measure.c) an operation on the first device that has it, and sets copy_least(). False: there is none.
// Boot CPU, from an app, once.
bool copy_pays_measure(enum copy_op op, struct copy_pays *out);
