// SPDX-License-Identifier: BSD-2-Clause
// Registers of 16550 UARTs: at the four COM ports, at another port, and one in memory. Include it once in a
// test.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "kernel/base/x86.h"
#include "lib/mmio.h"

#define UARTS 6
#define UART_OTHER 4  // at an odd port
#define UART_MEMORY 5 // in memory
#define UART_OTHER_PORT 0x1238
#define UART_MODEL_FIFO 16
#define UART_MODEL_BYTES (1 << 18)

static struct uart_model {
    bool present, scratch, loops, fifo; // what it has
    bool stuck;                         // sends nothing, ever
    unsigned looks;                     // at its status until it has sent what is in the FIFO
    unsigned looks_left;
    unsigned in_fifo, most_in_fifo;
    uint8_t lcr, mcr, scr, ier, fcr, errors; // errors: of the next byte that comes
    uint8_t dll, dlm;
    char sent[UART_MODEL_BYTES];
    size_t sent_bytes;
    const char *typed;
    unsigned writes_while_full; // that a UART would lose
} uarts[UARTS];

static uint64_t uart_memory[32]; // where registers seem to be
static unsigned uart_memory_stride, uart_memory_width, uart_bad_accesses;

static uint8_t uart_status(struct uart_model *u)
{
    if (u->looks_left && !u->stuck && --u->looks_left == 0)
        u->in_fifo = 0;
    uint8_t status = u->typed && *u->typed ? 0x01 | u->errors : 0;
    return status | (u->in_fifo || u->stuck ? 0 : 0x60);
}

static uint8_t uart_take_typed(struct uart_model *u)
{
    u->errors = 0;
    return u->typed && *u->typed ? (uint8_t)*u->typed++ : 0;
}

static uint8_t uart_read(struct uart_model *u, unsigned reg)
{
    if (!u->present)
        return 0xff;
    switch (reg) {
    case 0:
        return u->lcr & 0x80 ? u->dll : uart_take_typed(u);
    case 1:
        return u->lcr & 0x80 ? u->dlm : u->ier;
    case 2:
        return u->fifo && u->fcr & 1 ? 0xc1 : 0x01;
    case 3:
        return u->lcr;
    case 4:
        return u->mcr;
    case 5:
        return uart_status(u);
    case 6: // DCD, RI, DSR, CTS are OUT2, OUT1, DTR, RTS in loopback
        if (!(u->mcr & 0x10) || !u->loops)
            return 0;
        return (uint8_t)((u->mcr & 8) << 4 | (u->mcr & 4) << 4 | (u->mcr & 1) << 5 |
                         (u->mcr & 2) << 3);
    default:
        return u->scratch ? u->scr : 0;
    }
}

static void uart_send(struct uart_model *u, uint8_t value)
{
    unsigned room = u->fifo && u->fcr & 1 ? UART_MODEL_FIFO : 1;
    if (u->in_fifo >= room)
        u->writes_while_full++;
    u->in_fifo++;
    u->most_in_fifo = MAX(u->most_in_fifo, u->in_fifo);
    u->looks_left = u->looks;
    if (!u->looks && !u->stuck)
        u->in_fifo = 0;
    if (u->sent_bytes + 1 < sizeof(u->sent) && !(u->mcr & 0x10))
        u->sent[u->sent_bytes++] = (char)value;
}

static void uart_write_reg(struct uart_model *u, unsigned reg, uint8_t value)
{
    if (!u->present)
        return;
    switch (reg) {
    case 0:
        if (u->lcr & 0x80)
            u->dll = value;
        else
            uart_send(u, value);
        break;
    case 1:
        *(u->lcr & 0x80 ? &u->dlm : &u->ier) = value;
        break;
    case 2:
        u->fcr = value;
        break;
    case 3:
        u->lcr = value;
        break;
    case 4:
        u->mcr = value;
        break;
    case 7:
        u->scr = value;
        break;
    }
}

static struct uart_model *uart_at_port(uint16_t port, unsigned *reg)
{
    static const uint16_t ports[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8, UART_OTHER_PORT };
    *reg = port & 7;
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
        if ((port & ~7) == ports[i])
            return &uarts[i];
    return NULL;
}

uint8_t in8(uint16_t port)
{
    unsigned reg;
    struct uart_model *u = uart_at_port(port, &reg);
    return u ? uart_read(u, reg) : 0xff;
}

void out8(uint16_t port, uint8_t value)
{
    unsigned reg;
    struct uart_model *u = uart_at_port(port, &reg);
    if (u)
        uart_write_reg(u, reg, value);
}

static unsigned uart_memory_reg(const volatile void *at, unsigned bytes)
{
    size_t offset = (size_t)((const volatile char *)at - (const volatile char *)uart_memory);
    if (bytes != uart_memory_width || offset % uart_memory_stride ||
        offset / uart_memory_stride > 7)
        uart_bad_accesses++;
    return (unsigned)(offset / uart_memory_stride) & 7;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    return uart_read(&uarts[UART_MEMORY], uart_memory_reg(reg, bytes));
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    uart_write_reg(&uarts[UART_MEMORY], uart_memory_reg(reg, bytes), (uint8_t)value);
}

// All as good as they can be, but absent.
static void uarts_reset(void)
{
    memset(uarts, 0, sizeof(uarts));
    uart_memory_stride = uart_memory_width = 1;
    uart_bad_accesses = 0;
    for (unsigned i = 0; i < UARTS; i++)
        uarts[i].scratch = uarts[i].loops = uarts[i].fifo = true;
}
