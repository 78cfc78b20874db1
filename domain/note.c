// SPDX-License-Identifier: BSD-2-Clause
// What this program was built for, by which the kernel knows whether it may run.

#include "kernel/domain/abi.h"

static const struct domain_note note __attribute__((used, section(".note.onebell"), aligned(4))) =
    DOMAIN_NOTE;
