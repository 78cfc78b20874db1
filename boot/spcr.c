// SPDX-License-Identifier: BSD-2-Clause
// The Serial Port Console Redirection table.

#include "boot/spcr.h"

#include "boot/acpi_tables.h"
#include "lib/bits.h"
#include "lib/string.h"

#define PHYS_END BIT64(52) // no x86 physical address reaches this
#define UART_REGISTERS 8

struct PACKED gas { // ACPI 6.5, 5.2.3.2
    uint8_t space;
#define GAS_MEMORY 0
#define GAS_IO 1
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size;
    uint64_t address;
};

struct PACKED spcr { // the offsets are those of the specification's table
    struct acpi_table header;
    uint8_t interface_type; // from revision 2 on, a serial subtype of DBG2
#define SPCR_TYPE_16550 0
#define SPCR_TYPE_16450 1        // takes writes to FCR as well
#define SPCR_TYPE_16550_GAS 0x12 // DBG2: with parameters in the address structure
    uint8_t reserved_37[3];
    struct gas base;
    uint8_t interrupt_type;
    uint8_t irq;
    uint32_t gsi;
    uint8_t baud_rate;
    uint8_t parity, stop_bits; // one value each: none, one
    uint8_t flow_control;
    uint8_t terminal_type;
    uint8_t language;
    uint16_t pci_device, pci_vendor; // FFFFh: no PCI function
    uint8_t pci_bus, pci_dev, pci_function;
    uint32_t pci_flags;
    uint8_t pci_segment;
    uint32_t clock; // Hz, from revision 3 on; 0: unknown
    // ---- revision 4 ----
    uint32_t precise_baud; // 0: see baud_rate
};
static_assert(offsetof(struct spcr, base) == 40, "SPCR, base address");
static_assert(offsetof(struct spcr, baud_rate) == 58, "SPCR, configured baud rate");
static_assert(offsetof(struct spcr, pci_segment) == 75, "SPCR, PCI segment");
static_assert(offsetof(struct spcr, clock) == 76, "SPCR, UART clock frequency");
static_assert(offsetof(struct spcr, precise_baud) == 80, "SPCR, precise baud rate");

#define SPCR_BYTES offsetof(struct spcr, precise_baud) // of all but the newest
#define SPCR_REVISION_SUBTYPES 2
#define SPCR_REVISION_CLOCK 3
#define SPCR_REVISION_PRECISE 4
#define CLOCK_LEAST (16 * 300) // of any speed

static bool is_16550(const struct spcr *t)
{
    return t->interface_type == SPCR_TYPE_16550 || t->interface_type == SPCR_TYPE_16450 ||
           (t->header.revision >= SPCR_REVISION_SUBTYPES &&
            t->interface_type == SPCR_TYPE_16550_GAS);
}

static uint8_t bytes_of_bits(uint8_t bits)
{
    return bits == 16 || bits == 32 ? bits / 8 : 1;
}

// The access size is a code; some firmware has the bits there, which are no code.
static void set_widths(const struct gas *base, struct console_place *out)
{
    uint8_t stride = bytes_of_bits(base->bit_width);
    out->width = base->access_size >= 1 && base->access_size <= 3
                     ? (uint8_t)(1 << (base->access_size - 1))
                     : stride;
    out->stride = MAX(stride, out->width);
}

// Codes that mean nothing are taken for "as is", the safest of all.
static uint32_t baud_of(const struct spcr *t, size_t length)
{
    static const uint32_t bauds[] = { [3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200 };
    if (t->header.revision >= SPCR_REVISION_PRECISE && length >= sizeof(*t) && t->precise_baud)
        return t->precise_baud;
    return t->baud_rate < ARRAY_SIZE(bauds) ? bauds[t->baud_rate] : CONSOLE_BAUD_KEPT;
}

static uint32_t clock_of(const struct spcr *t)
{
    if (t->header.revision >= SPCR_REVISION_CLOCK && t->clock >= CLOCK_LEAST)
        return t->clock;
    return t->base.space == GAS_IO ? CONSOLE_CLOCK_PC : 0;
}

static bool has_room(const struct gas *base, const struct console_place *place)
{
    uint64_t last = UART_REGISTERS * place->stride - 1;
    if (base->space == GAS_IO)
        return console_may_be_port(base->address);
    return base->address % place->width == 0 && base->address < PHYS_END - last;
}

enum handoff_spcr spcr_parse(const void *table, size_t length, struct console_place *out,
                             uint64_t *value)
{
    struct spcr t = { 0 };
    *value = length;
    if (length < SPCR_BYTES)
        return HANDOFF_SPCR_SHORT;
    memcpy(&t, table, MIN(length, sizeof(t)));
    *value = t.base.address;
    if (!t.base.address)
        return HANDOFF_SPCR_OFF;
    *value = t.interface_type;
    if (!is_16550(&t))
        return HANDOFF_SPCR_INTERFACE;
    *value = t.base.space;
    if (t.base.space != GAS_IO && t.base.space != GAS_MEMORY)
        return HANDOFF_SPCR_SPACE;
    *out = (struct console_place){ .kind = t.base.space == GAS_IO ? CONSOLE_IO : CONSOLE_MMIO,
                                   .width = 1,
                                   .stride = 1,
                                   .baud = baud_of(&t, length),
                                   .clock = clock_of(&t),
                                   .address = t.base.address };
    if (t.base.space == GAS_MEMORY)
        set_widths(&t.base, out);
    *value = t.base.address;
    return has_room(&t.base, out) ? HANDOFF_SPCR_USABLE : HANDOFF_SPCR_ADDRESS;
}
