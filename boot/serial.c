// SPDX-License-Identifier: BSD-2-Clause
// 16550 UARTs at the ports that PCs give them.

#include "boot/serial.h"

#include "boot/ports.h"
#include "boot/serial_regs.h"

// A port read takes about a microsecond, so this is near 100 ms: a thousand times what one
// character needs at 115200 baud.
#define TRIES 100000

static bool keeps(uint16_t port, uint8_t value)
{
    port_write8(port + UART_SCR, value);
    return port_read8(port + UART_SCR) == value;
}

static bool wait_for(uint16_t port, uint8_t status)
{
    for (unsigned i = 0; i < TRIES; i++)
        if (port_read8(port + UART_LSR) & status)
            return true;
    return false;
}

// What firmware is still sending goes out first: clearing the FIFO would cut it off.
bool serial_open(uint16_t port)
{
    if (!keeps(port, 0x5a) || !keeps(port, 0xa5) || !wait_for(port, UART_LSR_TEMT))
        return false;
    port_write8(port + UART_IER, 0);
    port_write8(port + UART_LCR, UART_LCR_DLAB);
    port_write8(port + UART_DLL, UART_DIVISOR_115200);
    port_write8(port + UART_DLM, 0);
    port_write8(port + UART_LCR, UART_LCR_8N1);
    port_write8(port + UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR);
    port_write8(port + UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
    return true;
}

bool serial_write(uint16_t port, const char *text)
{
    for (; *text; text++) {
        if (!wait_for(port, UART_LSR_THRE))
            return false;
        port_write8(port + UART_THR, (uint8_t)*text);
    }
    return true;
}
