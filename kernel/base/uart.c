// SPDX-License-Identifier: BSD-2-Clause
// 16550 UARTs at the ports that PCs give them, polled.

#include "kernel/base/uart.h"

#include "kernel/base/input.h"
#include "kernel/base/x86.h"

enum {
    UART_DATA = 0,
    UART_INTERRUPTS = 1,
    UART_FIFO = 2,
    UART_LINE = 3,
    UART_LINE_8N1 = 0x03,
    UART_LINE_DIVISOR = 0x80,
    UART_MODEM = 4,
    UART_MODEM_DTR_RTS = 0x03,
    UART_STATUS = 5,
    UART_STATUS_READY = 0x01, // a character has come
    UART_STATUS_EMPTY = 0x20, // the FIFO
    UART_STATUS_IDLE = 0x40,  // the line as well
    UART_SCRATCH = 7,
    UART_FIFO_WORKS = 0xc0, // read at the same place
};

static const uint16_t uart_ports[UART_COUNT] = { [UART_COM1] = 0x3f8, [UART_COM2] = 0x2f8 };
static bool uart_there[UART_COUNT];
static unsigned uart_burst[UART_COUNT]; // characters that it takes at once

static bool probe(uint16_t port)
{
    out8(port + UART_SCRATCH, 0x5a);
    bool first = in8(port + UART_SCRATCH) == 0x5a;
    out8(port + UART_SCRATCH, 0xa5);
    return first && in8(port + UART_SCRATCH) == 0xa5;
}

// A port read takes about a microsecond on hardware, so the bound is near 100 ms; the clock isn't
// used, since the console works before there is one.
static bool wait_for(uint16_t port, uint8_t status)
{
    for (unsigned tries = 0; tries < 100000; tries++)
        if (in8(port + UART_STATUS) & status)
            return true;
    return false;
}

// What the loader has written goes out before the FIFO is cleared.
static void set_up(unsigned i)
{
    uint16_t port = uart_ports[i];
    (void)wait_for(port,
                   UART_STATUS_IDLE); // a port that never idles is found out by the first write
    out8(port + UART_INTERRUPTS, 0);
    out8(port + UART_LINE, UART_LINE_DIVISOR);
    out8(port + UART_DATA, 1); // 115200 baud
    out8(port + UART_INTERRUPTS, 0);
    out8(port + UART_LINE, UART_LINE_8N1);
    out8(port + UART_FIFO, 0x07); // on, both cleared
    uart_burst[i] = (in8(port + UART_FIFO) & UART_FIFO_WORKS) == UART_FIFO_WORKS ? 16 : 1;
    out8(port + UART_MODEM, UART_MODEM_DTR_RTS);
}

// All ones: no port answers there any more.
static int poll_console(void)
{
    uint16_t port = uart_ports[UART_COM1];
    uint8_t status = in8(port + UART_STATUS);
    return status != 0xff && (status & UART_STATUS_READY) ? in8(port + UART_DATA) : -1;
}

void uart_init(void)
{
    static struct input_source console = { .poll = poll_console };
    for (unsigned i = 0; i < UART_COUNT; i++) {
        uart_there[i] = probe(uart_ports[i]);
        if (uart_there[i])
            set_up(i);
    }
    if (uart_there[UART_COM1])
        input_add(&console);
}

void uart_write(enum uart port, const char *bytes, size_t count)
{
    uint16_t at = uart_ports[port];
    for (size_t i = 0; i < count && uart_there[port]; i++) {
        if (i % uart_burst[port] == 0 && !wait_for(at, UART_STATUS_EMPTY)) {
            uart_there[port] = false;
            return;
        }
        out8(at + UART_DATA, (uint8_t)bytes[i]);
    }
}
