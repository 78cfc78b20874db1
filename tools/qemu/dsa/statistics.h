// SPDX-License-Identifier: BSD-2-Clause
// What the accelerators were given, and what became of it.
#pragma once

#include <stdio.h>

void dsa_print_table(void);
void dsa_print_json(
    FILE *); // a member of an object, after a comma; nothing where there is no device
