// SPDX-License-Identifier: BSD-2-Clause
// COM1 and COM2 without firmware: polled, with bounded waits.
#pragma once

#include "lib/types.h"

#define SERIAL_COM1 0x3f8
#define SERIAL_COM2 0x2f8

// True if a working UART answers at the port: its scratch register keeps what is written, and it
// gets done with sending. Sets it to 115200 baud, 8N1.
bool serial_open(uint16_t port);

// Sends the text. False: the UART stopped taking bytes.
bool serial_write(uint16_t port, const char *text);
