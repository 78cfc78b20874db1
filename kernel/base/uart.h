// SPDX-License-Identifier: BSD-2-Clause
// One 16550 UART, polled. What it does is bounded; who waits for it is the caller.
#pragma once

#include "lib/console_words.h"

struct uart {
    uint16_t port;
    volatile void *base;   // NULL: it is at the port
    uint8_t stride, width; // bytes from one register to the next, and of an access
    uint8_t piece;         // bytes that it takes at once, when it has sent all before
    uint32_t piece_us;     // how long they take on the line
};

// True if a UART answers. A scratch register that keeps what is written tells; where there is none, its modem
// lines, looped back. Sends nothing.
bool uart_is_there(const struct uart *u);

// Sets it up: 8N1, the speed of its place, FIFOs on, no interrupts. What it was sending goes out first.
// False: that takes more than about 100 ms, so it would send nothing of ours either.
bool uart_open(struct uart *u, const struct console_place *place);

// How many bytes may be put now.
unsigned uart_room(const struct uart *u);
void uart_put(const struct uart *u, char byte);

// The next byte that has come, or -1.
int uart_get(const struct uart *u);
