// SPDX-License-Identifier: BSD-2-Clause
// The ways from the model down to QEMU's own unit and to the local APICs.
#include "tools/qemu/model.h"

struct model model;

uint32_t stock_read(uint32_t offset)
{
    uint64_t value = 0;
    qemu.memory_region_dispatch_read(model.registers, offset, &value, QEMU_SIZE_4, QEMU_ATTRS_NONE);
    return (uint32_t)value;
}

uint64_t stock_read64(uint32_t offset)
{
    return stock_read(offset) | (uint64_t)stock_read(offset + 4) << 32;
}

void stock_write(uint32_t offset, uint32_t value)
{
    qemu.memory_region_dispatch_write(model.registers, offset, value, QEMU_SIZE_4, QEMU_ATTRS_NONE);
}

qemu_result stock_request(uint64_t offset, uint32_t data, struct qemu_attrs attrs)
{
    return qemu.memory_region_dispatch_write(model.window, offset, data, QEMU_SIZE_4, attrs);
}

// Past the memory map, because that has no place for messages to APIC ids above 255: their upper
// bits are in address bits 63:40. The APIC's own region takes such an address.
void apic_send(uint64_t address, uint32_t data)
{
    qemu.memory_region_dispatch_write(model.apic, address - INTERRUPT_WINDOW, data, QEMU_SIZE_4,
                                      QEMU_ATTRS_NONE);
}

// Memory that isn't RAM is "mapped" as a bounce buffer, which lies in no memory region.
void *ram_map(uint64_t address, uint64_t bytes)
{
    uint64_t offset, length = bytes;
    void *host =
        qemu.address_space_map(qemu.address_space_memory, address, &length, true, QEMU_ATTRS_NONE);
    if (host && (length < bytes || !qemu.memory_region_from_host(host, &offset))) {
        qemu.address_space_unmap(qemu.address_space_memory, host, length, true, 0);
        host = NULL;
    }
    return host;
}

void ram_unmap(void *host, uint64_t bytes)
{
    qemu.address_space_unmap(qemu.address_space_memory, host, bytes, true, bytes);
}

static bool ram_word_at(uint64_t address)
{
    void *host = ram_map(address, 4);
    if (host)
        qemu.address_space_unmap(qemu.address_space_memory, host, 4, true, 0);
    return host;
}

bool ram_at(uint64_t address, uint64_t bytes)
{
    return ram_word_at(address) && ram_word_at(address + bytes - 4);
}
