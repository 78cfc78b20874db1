// SPDX-License-Identifier: BSD-2-Clause
// 16550 UARTs without firmware: polled, with bounded waits.
#pragma once

#include "lib/console_words.h"

// True if a UART answers: its scratch register keeps what is written. Nothing of it is changed.
bool serial_is_there(const struct console_place *uart);

// True if it is there and gets done with sending. Sets it to 8N1 and to its place's speed.
bool serial_open(const struct console_place *uart);

// Sends the text. False: the UART stopped taking bytes.
bool serial_write(const struct console_place *uart, const char *text);
