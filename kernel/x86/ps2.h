// SPDX-License-Identifier: BSD-2-Clause
// The keyboard at a PS/2 controller (8042), or at what firmware makes one of.
#pragma once

#include "lib/types.h"

// Looks for the controller, and makes its keyboard a source of input. Where there is none, nothing
// happens, and soon. Boot CPU, once there is a clock.
void ps2_init(void);
