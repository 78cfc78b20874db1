// SPDX-License-Identifier: BSD-2-Clause
// 16550 UARTs at ports, or in memory that firmware maps.

#include "boot/serial.h"

#include "boot/ports.h"
#include "boot/serial_regs.h"
#include "lib/mmio.h"

// A read takes about a microsecond, so this is near 100 ms: a thousand times what one character needs
// at 115200 baud.
#define TRIES 100000

static void put(const struct console_place *uart, unsigned reg, uint8_t value)
{
    uint64_t at = uart->address + (uint64_t)reg * uart->stride;
    if (uart->kind == CONSOLE_IO)
        port_write8((uint16_t)at, value);
    else if (uart->width == 4)
        mmio_write32((volatile void *)at, value);
    else if (uart->width == 2)
        mmio_write16((volatile void *)at, value);
    else
        mmio_write8((volatile void *)at, value);
}

static uint8_t get(const struct console_place *uart, unsigned reg)
{
    uint64_t at = uart->address + (uint64_t)reg * uart->stride;
    if (uart->kind == CONSOLE_IO)
        return port_read8((uint16_t)at);
    if (uart->width == 4)
        return (uint8_t)mmio_read32((volatile void *)at);
    if (uart->width == 2)
        return (uint8_t)mmio_read16((volatile void *)at);
    return mmio_read8((volatile void *)at);
}

static bool keeps(const struct console_place *uart, uint8_t value)
{
    put(uart, UART_SCR, value);
    return get(uart, UART_SCR) == value;
}

static bool wait_for(const struct console_place *uart, uint8_t status)
{
    for (unsigned i = 0; i < TRIES; i++)
        if (get(uart, UART_LSR) & status)
            return true;
    return false;
}

static void set_speed(const struct console_place *uart)
{
    uint32_t divisor = (uart->clock + 8 * uart->baud) / (16 * uart->baud);
    divisor = MIN(MAX(divisor, 1u), (uint32_t)UINT16_MAX);
    put(uart, UART_LCR, UART_LCR_DLAB);
    put(uart, UART_DLL, (uint8_t)divisor);
    put(uart, UART_DLM, (uint8_t)(divisor >> 8));
}

bool serial_is_there(const struct console_place *uart)
{
    return keeps(uart, 0x5a) && keeps(uart, 0xa5);
}

// What firmware is still sending goes out first: clearing the FIFO would cut it off.
bool serial_open(const struct console_place *uart)
{
    if (!serial_is_there(uart) || !wait_for(uart, UART_LSR_TEMT))
        return false;
    put(uart, UART_IER, 0);
    if (uart->baud && uart->clock)
        set_speed(uart);
    put(uart, UART_LCR, UART_LCR_8N1);
    put(uart, UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR);
    put(uart, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
    return true;
}

bool serial_write(const struct console_place *uart, const char *text)
{
    for (; *text; text++) {
        if (!wait_for(uart, UART_LSR_THRE))
            return false;
        put(uart, UART_THR, (uint8_t)*text);
    }
    return true;
}
