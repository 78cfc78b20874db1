// SPDX-License-Identifier: BSD-2-Clause
// What the loader says: lines for people on firmware's console and on the UARTs chosen for text, errors as
// JSON on those chosen for it.
#pragma once

#include <efi.h>

#include "lib/console_words.h"
#include "lib/problem.h"

// As if nothing were chosen. A UART is written directly only where firmware's console does not go there
// already.
void console_open(EFI_SYSTEM_TABLE *system);

// From here on as the command line and SPCR have it, as far as the loader reaches it: ports, and the UART in
// memory that firmware itself uses.
void console_choose(const struct console_choice *choice);

// Firmware's console may not be called any more: UARTs alone from here on.
void console_leave_firmware(void);
bool console_is_alone(void);

// One line for people.
void console_line(const char *fmt, ...) PRINTF_LIKE(1, 2);

// In place of what stands on the line that isn't ended yet.
void console_again(const char *fmt, ...) PRINTF_LIKE(1, 2);

// The error for people, and JSON `error` and `end` if a UART for it is there.
void console_problem(const struct problem *p);
