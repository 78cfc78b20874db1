// SPDX-License-Identifier: BSD-2-Clause
// Where lines for people and JSON for tools go: the words console= and json= of the command line, and what
// holds without them. Pure; the loader and the kernel decide by the same rules.
//
//   console=PLACE[,PLACE...]    PLACE[,BAUD]
//     com1 .. com4 (or ttyS0 .. ttyS3)   16550 UARTs at the ports that PCs give them
//     io:PORT                            one at another port
//     mmio:ADDRESS[:WIDTH]               one in memory: its registers have so many bytes each (1, 2, 4)
//     pci:SSSS:BB:DD.F[:BAR]             one of a PCI function, in that BAR (0)
//     screen, none
//   json=console: the UARTs that text goes to
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

enum console_kind { CONSOLE_IO, CONSOLE_MMIO, CONSOLE_PCI, CONSOLE_SCREEN };

#define CONSOLE_BAUD_KEPT 0u            // as firmware left it
#define CONSOLE_BAUD_UNNAMED UINT32_MAX // nobody said
#define CONSOLE_BAUD_USUAL 115200u
#define CONSOLE_CLOCK_PC 1843200u // Hz: the divisor is 1 for 115200 baud

struct console_place {
    uint8_t kind;   // enum console_kind
    uint8_t width;  // MMIO: bytes of an access
    uint8_t stride; // and from one register to the next
    uint8_t bar;    // PCI
    uint32_t baud;
    uint32_t clock; // of the UART, Hz; 0: unknown, so its speed is what firmware set
    uint64_t
        address; // I/O port, or physical; PCI: segment 31:16, bus 15:8, device 7:3, function 2:0
};

#define CONSOLE_PLACES 4 // of one word
struct console_places {
    struct console_place at[CONSOLE_PLACES];
    uint32_t count;
    bool named; // by the command line
};

struct console_choice {
    struct console_places text, json;
    bool json_follows; // json=console
    bool has_spcr;
    struct console_place spcr; // what firmware says its own console is
};

#define CONSOLE_COMS 4
extern const uint16_t console_com_ports[CONSOLE_COMS];
struct console_place console_com(unsigned index, uint32_t baud);
bool console_same(const struct console_place *a, const struct console_place *b);

// Whether a UART's eight ports may begin there. Below 100h are the board's own devices, where a store may
// reset the machine, and at CF8h to CFFh is PCI's configuration space.
bool console_may_be_port(uint64_t port);

// "com1", "mmio:0xfe034000:4", ...; returns `to`.
#define CONSOLE_NAME_BYTES 32
const char *console_name(const struct console_place *place, char to[CONSOLE_NAME_BYTES]);

// Reads the last console= and json= of a command line into text and json. False: one of them makes no
// sense, and counts as not named.
bool console_read_words(const char *cmdline, struct console_choice *c, struct problem *p);

// Settles what the command line leaves open. `coms` has a bit for each of com1 to com4 that is there.
//   text: SPCR's UART, unless it names a COM port that isn't there; else the first COM port; and the screen
//   json: the first of com2, com1, com3, com4 that text doesn't go to; else the UART that it goes to
void console_settle(struct console_choice *c, unsigned coms);
