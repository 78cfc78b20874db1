// SPDX-License-Identifier: BSD-2-Clause
// 8259 and IOAPIC (ICH9 datasheet 13.5): masked for good.

#include "kernel/x86/ioapic.h"

#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/map.h"
#include "lib/mmio.h"

#define IOAPIC_BYTES 0x20
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

// Boards name IOAPICs that are switched off: their registers read as ones, or as zeros.
static volatile void *map(uint64_t address, uint32_t *version)
{
    if (!mem_may_be_mmio(address, IOAPIC_BYTES))
        return NULL;
    volatile void *window = mem_map_mmio(address, IOAPIC_BYTES);
    *version = read_register(window, IOAPIC_VERSION);
    return *version == 0 || *version == UINT32_MAX ? NULL : window;
}

static bool mask(uint64_t address)
{
    uint32_t version;
    volatile void *window = map(address, &version);
    if (!window)
        return false;
    for (uint32_t i = 0; i <= field_get(IOAPIC_VERSION_LAST, version); i++) {
        uint32_t low = IOAPIC_ENTRY + 2 * i;
        write_register(window, low, read_register(window, low) | IOAPIC_ENTRY_MASKED);
    }
    return true;
}

void ioapic_mask_all(const struct madt *madt)
{
    out8(PIC_MASTER_DATA, 0xff);
    out8(PIC_SLAVE_DATA, 0xff);
    static struct warnings w;
    w.count = 0;
    for (size_t i = 0; i < madt->ioapics_count; i++)
        if (!mask(madt->ioapics[i].address))
            warnings_add(&w, "ioapic-absent",
                         "IOAPIC %u at 0x%llx does not answer: left alone; update the firmware",
                         madt->ioapics[i].id, (unsigned long long)madt->ioapics[i].address);
    warn_all(&w);
}
