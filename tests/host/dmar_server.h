// SPDX-License-Identifier: BSD-2-Clause
// Servers of 1 to 8 sockets as tests/dmar/ has their DMAR tables: the other tables, memory map and PCI functions.
// Each socket has a unit with a root port, on a bus of its own, and an accelerator behind it. With four sockets
// each unit has an IOAPIC; of eight, the upper four are a segment of their own.
#pragma once

#include "acpi_build.h"
#include "drivers/vtd/platform/dmar_check.h"
#include "kernel/pci/pci.h"

#define FUNCTIONS_MAX 64

struct server {
    struct blob madt, hpet, srat;
    struct check_function functions[FUNCTIONS_MAX];
    size_t functions_count;
    struct handoff_range ranges[4];
};

static struct server server;

static uint8_t bus_of(unsigned socket)
{
    return (uint8_t)(0x10 * (socket + 1));
}

static void add_function(uint16_t segment, uint8_t bus, uint8_t device, uint8_t secondary)
{
    server.functions[server.functions_count++] = (struct check_function){
        .segment = segment,
        .bdf = PCI_BDF(bus, device, 0),
        .vendor = 0x8086,
        .header = secondary != 0,
        .secondary = secondary,
        .class_code = secondary ? 0x060400 : 0x010802,
    };
}

static void add_machine(unsigned sockets)
{
    static const struct handoff_range ranges[] = {
        { 0, 0x70000000, HANDOFF_FREE, 7 },
        { 0x70000000, 0x0c000000, HANDOFF_FIRMWARE, 10 },
        { 0x7c000000, 0x00800000, HANDOFF_OTHER, 0 },
        { 4ull << 30, 4ull << 30, HANDOFF_FREE, 7 },
    };
    memcpy(server.ranges, ranges, sizeof(ranges));
    server.functions_count = 0;
    add_function(0, 0, 0x14, 0);
    add_function(0, 0, 0x1c, 1);
    for (unsigned i = 0; i < sockets; i++) {
        uint16_t segment = sockets == 8 && i >= 4;
        add_function(segment, bus_of(i), 2, (uint8_t)(bus_of(i) + 1));
        add_function(segment, (uint8_t)(bus_of(i) + 1), 0, 0);
    }
}

static void add_ioapic(unsigned id)
{
    size_t at = server.madt.length;
    blob_put(&server.madt, 0x0c01, 2);
    blob_put(&server.madt, id, 1);
    blob_pad(&server.madt, at + 12);
}

static void add_tables(unsigned sockets)
{
    blob_header(&server.madt, "APIC", 3);
    blob_pad(&server.madt, 44);
    add_ioapic(8);
    for (unsigned i = 0; i < 4 && sockets == 4; i++)
        add_ioapic(9 + i);
    blob_header(&server.hpet, "HPET", 1);
    blob_pad(&server.hpet, 56);
    blob_header(&server.srat, "SRAT", 3);
    blob_pad(&server.srat, 48);
    for (unsigned i = 0; i < sockets; i++) {
        size_t at = server.srat.length;
        blob_put(&server.srat, 0x1802, 2);
        blob_pad(&server.srat, at + 24);
        blob_set(&server.srat, at + 4, i, 4);
    }
}

static void build(unsigned sockets)
{
    add_machine(sockets);
    add_tables(sockets);
}
