// SPDX-License-Identifier: BSD-2-Clause
// 16550 serial ports. A port that isn't there, or stops taking characters, is left alone.
#pragma once

#include "lib/types.h"

enum uart { UART_COM1, UART_COM2, UART_COUNT };

// 115200 8N1, no interrupts. Boot CPU, once.
void uart_init(void);

// Sends the bytes; gives up on the port if it takes none for about 100 ms. The caller serialises.
void uart_write(enum uart port, const char *bytes, size_t count);
