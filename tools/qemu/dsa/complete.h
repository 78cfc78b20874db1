// SPDX-License-Identifier: BSD-2-Clause
// The end of a descriptor: its completion record, then its interrupt (3.6, 3.9, 5.4, 5.8.1).
#pragma once

#include "tools/qemu/dsa/descriptor.h"

void dsa_complete(struct dsa *, const struct dsa_descriptor *, struct dsa_result);
// With DSA_PLANT_TWICE: once more what was told last.
void dsa_complete_again(struct dsa *);
