// SPDX-License-Identifier: BSD-2-Clause
// The 16550 UART's registers (National PC16550D, 8.0): number, then its fields.
#pragma once

#include "lib/bits.h"

#define UART_RBR 0 // read, while LCR.DLAB is 0
#define UART_THR 0 // written
#define UART_IER 1
#define UART_DLL 0 // while LCR.DLAB is 1
#define UART_DLM 1
#define UART_IIR 2                          // read
#define UART_IIR_FIFO (BIT32(6) | BIT32(7)) // they are there, and on
#define UART_FCR 2                          // written
#define UART_FCR_ENABLE BIT32(0)
#define UART_FCR_CLEAR (BIT32(1) | BIT32(2))
#define UART_LCR 3
#define UART_LCR_8N1 0x03
#define UART_LCR_DLAB BIT32(7)
#define UART_MCR 4
#define UART_MCR_DTR BIT32(0)
#define UART_MCR_RTS BIT32(1)
#define UART_MCR_OUT2 BIT32(3)
#define UART_MCR_LOOP BIT32(4)
#define UART_LSR 5
#define UART_LSR_DR BIT32(0)        // a byte has come
#define UART_LSR_ERROR BITS32(4, 2) // and it is none: parity, framing, break
#define UART_LSR_THRE BIT32(5)      // the FIFO is empty
#define UART_LSR_TEMT BIT32(6)      // so is the line
#define UART_LSR_ABSENT 0xff        // nobody answers
#define UART_MSR 6
#define UART_MSR_LINES BITS32(7, 4) // with MCR.LOOP: OUT2, OUT1, DTR, RTS as DCD, RI, DSR, CTS
#define UART_MSR_LOOPED (BIT32(7) | BIT32(4)) // OUT2 and RTS
#define UART_SCR 7

#define UART_FIFO_BYTES 16
