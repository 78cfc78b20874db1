// SPDX-License-Identifier: BSD-2-Clause
// A 16550 UART at a port or in memory.

#include "kernel/base/uart.h"

#include "kernel/base/uart_regs.h"
#include "kernel/base/x86.h"
#include "lib/mmio.h"

#define BITS_OF_BYTE 10u // 8N1: a start bit and a stop bit besides

// A read takes about a microsecond on hardware; the clock isn't used, since the console works before
// there is one.
#define TRIES_IDLE 100000u

static uint8_t get(const struct uart *u, unsigned reg)
{
    volatile void *at = mmio_at(u->base, (size_t)reg * u->stride);
    if (!u->base)
        return in8((uint16_t)(u->port + reg));
    if (u->width == 4)
        return (uint8_t)mmio_read32(at);
    return u->width == 2 ? (uint8_t)mmio_read16(at) : mmio_read8(at);
}

static void put(const struct uart *u, unsigned reg, uint8_t value)
{
    volatile void *at = mmio_at(u->base, (size_t)reg * u->stride);
    if (!u->base)
        out8((uint16_t)(u->port + reg), value);
    else if (u->width == 4)
        mmio_write32(at, value);
    else if (u->width == 2)
        mmio_write16(at, value);
    else
        mmio_write8(at, value);
}

static bool keeps(const struct uart *u, uint8_t value)
{
    put(u, UART_SCR, value);
    return get(u, UART_SCR) == value;
}

// Some of the UARTs that BMCs show have no scratch register.
static bool loops_back(const struct uart *u)
{
    uint8_t modem = get(u, UART_MCR);
    put(u, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
    uint8_t lines = get(u, UART_MSR) & UART_MSR_LINES;
    put(u, UART_MCR, modem);
    return lines == UART_MSR_LOOPED;
}

bool uart_is_there(const struct uart *u)
{
    if (get(u, UART_LSR) == UART_LSR_ABSENT)
        return false;
    return (keeps(u, 0x5a) && keeps(u, 0xa5)) || loops_back(u);
}

static bool wait_idle(const struct uart *u)
{
    for (unsigned tries = 0; tries < TRIES_IDLE; tries++)
        if (get(u, UART_LSR) & UART_LSR_TEMT)
            return true;
    return false;
}

static uint32_t divisor_of(const struct console_place *place)
{
    uint64_t divisor = (place->clock + 8ull * place->baud) / (16ull * place->baud);
    return (uint32_t)MIN(MAX(divisor, 1ull), (uint64_t)UINT16_MAX);
}

// Returns the divisor in force.
static uint32_t set_divisor(const struct uart *u, const struct console_place *place)
{
    put(u, UART_LCR, UART_LCR_8N1 | UART_LCR_DLAB);
    if (place->baud && place->clock) {
        put(u, UART_DLL, (uint8_t)divisor_of(place));
        put(u, UART_DLM, (uint8_t)(divisor_of(place) >> 8));
    }
    uint32_t divisor = get(u, UART_DLL) | (uint32_t)get(u, UART_DLM) << 8;
    put(u, UART_LCR, UART_LCR_8N1);
    return divisor;
}

static void set_pace(struct uart *u, const struct console_place *place, uint32_t divisor)
{
    uint32_t clock = place->clock ? place->clock : CONSOLE_CLOCK_PC;
    uint64_t bits = (uint64_t)u->piece * BITS_OF_BYTE;
    u->piece_us = (uint32_t)(bits * 1000000 * 16 * MAX(divisor, 1u) / clock);
}

bool uart_open(struct uart *u, const struct console_place *place)
{
    if (!wait_idle(u))
        return false;
    put(u, UART_IER, 0);
    uint32_t divisor = set_divisor(u, place);
    put(u, UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR);
    u->piece = (get(u, UART_IIR) & UART_IIR_FIFO) == UART_IIR_FIFO ? UART_FIFO_BYTES : 1;
    put(u, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
    set_pace(u, place, divisor);
    return true;
}

// Where nobody answers any more, the status reads as ready, too.
unsigned uart_room(const struct uart *u)
{
    uint8_t status = get(u, UART_LSR);
    return status != UART_LSR_ABSENT && status & UART_LSR_THRE ? u->piece : 0;
}

void uart_put(const struct uart *u, char byte)
{
    put(u, UART_THR, (uint8_t)byte);
}

int uart_get(const struct uart *u)
{
    uint8_t status = get(u, UART_LSR);
    if (status == UART_LSR_ABSENT || !(status & UART_LSR_DR))
        return -1;
    uint8_t byte = get(u, UART_RBR);
    return status & UART_LSR_ERROR ? -1 : byte;
}
