// SPDX-License-Identifier: BSD-2-Clause
// UARTs in memory and of PCI functions.

#include "init/consoles.h"

#include "kernel/base/console.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/mem/map.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"
#include "lib/string.h"

#define UART_REGISTERS 8

static size_t bytes_of(const struct console_place *place)
{
    return UART_REGISTERS * (size_t)place->stride;
}

void consoles_open_memory(void)
{
    const struct console_place *place;
    for (unsigned i = 0; (place = console_waiting(CONSOLE_MMIO, &i)); i++) {
        if (mem_may_be_mmio(place->address, bytes_of(place)))
            console_found(i, 0, mem_map_mmio(place->address, bytes_of(place)));
        else
            console_not_found(
                i, "the address is RAM, the interrupt window, or past what the CPU can reach");
    }
}

static struct pci_dev *find_function(const struct console_place *place)
{
    for_each_pci_dev (dev)
        if (dev->segment == place->address >> 16 && dev->bdf == (uint16_t)place->address)
            return dev;
    return NULL;
}

static void open_port_bar(unsigned i, struct pci_dev *dev, const struct pci_bar *bar)
{
    pci_write16(dev, PCI_COMMAND, pci_read16(dev, PCI_COMMAND) | PCI_COMMAND_IO);
    console_found(i, (uint16_t)bar->base, NULL);
}

static void open_memory_bar(unsigned i, struct pci_dev *dev, const struct console_place *place)
{
    struct problem p;
    volatile void *base;
    if (!pci_map_bar_part(dev, place->bar, 0, bytes_of(place), &base, &p)) {
        console_not_found(i, "its BAR can't be mapped");
        return;
    }
    pci_enable_memory(dev);
    console_found(i, 0, base);
}

static void open_function(unsigned i, struct pci_dev *dev, const struct console_place *place)
{
    pci_size_bars(dev);
    const struct pci_bar *bar = &dev->bars[place->bar];
    if (!bar->base || bar->bytes < bytes_of(place))
        console_not_found(i,
                          "the function has no such BAR, or firmware left it without an address");
    else if (bar->io && bar->base <= UINT16_MAX - UART_REGISTERS + 1)
        open_port_bar(i, dev, bar);
    else
        open_memory_bar(i, dev, place);
}

void consoles_open_pci(void)
{
    const struct console_place *place;
    for (unsigned i = 0; (place = console_waiting(CONSOLE_PCI, &i)); i++) {
        struct pci_dev *dev = find_function(place);
        if (dev)
            open_function(i, dev, place);
        else
            console_not_found(i, "there is no such PCI function");
    }
    report_flush();
    report_trouble();
    char to[CONSOLE_STREAMS][CONSOLE_LIST_BYTES];
    const char *text = console_list(CONSOLE_TEXT, to[CONSOLE_TEXT]);
    const char *json = console_list(CONSOLE_JSON, to[CONSOLE_JSON]);
    if (strcmp(text, "com1, screen") != 0 || strcmp(json, "com2") != 0)
        info("console: text on %s; JSON on %s", text, json);
}
