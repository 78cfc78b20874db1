// SPDX-License-Identifier: BSD-2-Clause
// 8259 and IOAPIC (ICH9 datasheet 13.5): masked for good.

#include "kernel/x86/ioapic.h"

#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/map.h"
#include "lib/mmio.h"

#define IOAPIC_INDEX 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_VERSION 0x01 // register number
#define IOAPIC_VERSION_LAST BITS32(23, 16)
#define IOAPIC_ENTRY 0x10 // register number of entry 0's low half; two registers each
#define IOAPIC_ENTRY_MASKED BIT32(16)

#define PIC_MASTER_DATA 0x21
#define PIC_SLAVE_DATA 0xa1

static uint32_t read_register(volatile void *window, uint32_t number)
{
    mmio_write32(mmio_at(window, IOAPIC_INDEX), number);
    return mmio_read32(mmio_at(window, IOAPIC_WINDOW));
}

static void write_register(volatile void *window, uint32_t number, uint32_t value)
{
    mmio_write32(mmio_at(window, IOAPIC_INDEX), number);
    mmio_write32(mmio_at(window, IOAPIC_WINDOW), value);
}

static void mask(uint64_t address, uint8_t id)
{
    volatile void *window = mem_map_mmio(address, 0x20);
    uint32_t version = read_register(window, IOAPIC_VERSION);
    if (version == UINT32_MAX) {
        warn("ioapic-absent", "IOAPIC %u at 0x%llx does not answer: left alone", id,
             (unsigned long long)address);
        return;
    }
    for (uint32_t i = 0; i <= field_get(IOAPIC_VERSION_LAST, version); i++) {
        uint32_t low = IOAPIC_ENTRY + 2 * i;
        write_register(window, low, read_register(window, low) | IOAPIC_ENTRY_MASKED);
    }
}

void ioapic_mask_all(const struct madt *madt)
{
    out8(PIC_MASTER_DATA, 0xff);
    out8(PIC_SLAVE_DATA, 0xff);
    for (size_t i = 0; i < madt->ioapics_count; i++)
        mask(madt->ioapics[i].address, madt->ioapics[i].id);
}
