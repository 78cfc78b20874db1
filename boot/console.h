// SPDX-License-Identifier: BSD-2-Clause
// What the loader says: lines for people on firmware's console and COM1, errors as JSON on COM2.
#pragma once

#include <efi.h>

#include "lib/problem.h"

// COM1 is written directly only where firmware's console does not go there already.
void console_open(EFI_SYSTEM_TABLE *system);

// Firmware's console may not be called any more: COM1 alone from here on.
void console_leave_firmware(void);
bool console_is_alone(void);

// One line for people.
void console_line(const char *fmt, ...) PRINTF_LIKE(1, 2);

// In place of what stands on the line that isn't ended yet.
void console_again(const char *fmt, ...) PRINTF_LIKE(1, 2);

// The error for people, and JSON `error` and `end` on COM2 if a UART is there.
void console_problem(const struct problem *p);
