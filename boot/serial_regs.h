// SPDX-License-Identifier: BSD-2-Clause
// The 16550 UART's registers (National PC16550D, 8.0): number, then its fields.
#pragma once

#include "lib/bits.h"

#define UART_THR 0 // while LCR.DLAB is 0
#define UART_IER 1
#define UART_DLL 0 // while LCR.DLAB is 1
#define UART_DLM 1
#define UART_FCR 2
#define UART_FCR_ENABLE BIT32(0)
#define UART_FCR_CLEAR (BIT32(1) | BIT32(2)) // both FIFOs
#define UART_LCR 3
#define UART_LCR_8N1 0x03
#define UART_LCR_DLAB BIT32(7)
#define UART_MCR 4
#define UART_MCR_DTR BIT32(0)
#define UART_MCR_RTS BIT32(1)
#define UART_LSR 5
#define UART_LSR_THRE BIT32(5)
#define UART_LSR_TEMT BIT32(6)
#define UART_SCR 7
