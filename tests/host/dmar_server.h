// SPDX-License-Identifier: BSD-2-Clause
// A server of 1 to 8 sockets as its firmware tells of it: right tables, memory map and PCI functions, for a
// test to make wrong.
#pragma once

#include "dmar_build.h"
#include "drivers/vtd/platform/dmar_check.h"
#include "kernel/pci/pci.h"

#define FUNCTIONS_MAX 64
#define PCH 0xfed91000 // the unit that takes all others
#define STICK 0x7c000000

// A server: each socket has a unit with a root port, on a bus of its own, and an accelerator behind it.
struct server {
    struct blob dmar, madt, hpet, srat;
    struct check_function functions[FUNCTIONS_MAX];
    size_t functions_count;
    struct handoff_range ranges[4];
    unsigned sockets;
    size_t unit, all, rmrr, atsr, andd; // places of structures
};

static struct server server;

static uint8_t bus_of(unsigned socket)
{
    return (uint8_t)(0x10 * (socket + 1));
}

static uint64_t base_of(unsigned socket)
{
    return 0xc5ffc000 + 0x8000000ull * socket;
}

static void add_function(uint8_t bus, uint8_t device, uint8_t header, uint8_t secondary)
{
    server.functions[server.functions_count++] = (struct check_function){
        .bdf = PCI_BDF(bus, device, 0),
        .vendor = 0x8086,
        .header = header,
        .secondary = secondary,
        .class_code = header ? 0x060400 : 0x010802,
    };
}

static void add_machine(unsigned sockets)
{
    static const struct handoff_range ranges[] = {
        { 0, 0x70000000, HANDOFF_FREE, 7 },
        { 0x70000000, 0x0c000000, HANDOFF_FIRMWARE, 10 },
        { STICK, 0x00800000, HANDOFF_OTHER, 0 },
        { 4ull << 30, 4ull << 30, HANDOFF_FREE, 7 },
    };
    memcpy(server.ranges, ranges, sizeof(ranges));
    server.functions_count = 0;
    add_function(0, 0x14, 0, 0);
    add_function(0, 0x1c, 1, 1);
    for (unsigned i = 0; i < sockets; i++) {
        add_function(bus_of(i), 2, 1, (uint8_t)(bus_of(i) + 1));
        add_function((uint8_t)(bus_of(i) + 1), 0, 0, 0);
    }
}

static void add_tables(unsigned sockets)
{
    blob_header(&server.madt, "APIC", 3);
    blob_pad(&server.madt, 44);
    blob_put(&server.madt, 0x0c01, 2);
    blob_put(&server.madt, 8, 1);
    blob_pad(&server.madt, 56);
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
    struct blob *b = &server.dmar;
    server.sockets = sockets;
    add_machine(sockets);
    add_tables(sockets);
    dmar_begin(b, 1);
    for (unsigned i = 0; i < sockets; i++) {
        server.unit = dmar_drhd(b, false, 0, base_of(i));
        dmar_scope(b, server.unit, 2, bus_of(i), DMAR_PATH(2, 0));
    }
    server.all = dmar_drhd(b, true, 0, PCH);
    dmar_scope(b, server.all, 3, 0xf0, DMAR_PATH(31, 7));
    blob_set(b, b->length - 4, 8, 1);
    dmar_scope(b, server.all, 4, 0xf0, DMAR_PATH(15, 0));
    dmar_scope(b, server.all, 5, 0, DMAR_PATH(21, 0));
    blob_set(b, b->length - 4, 1, 1);
    server.rmrr = dmar_rmrr(b, 0, STICK, STICK + 0x7fffff);
    dmar_scope(b, server.rmrr, 1, 0, DMAR_PATH(0x14, 0));
    for (unsigned i = 0; i < sockets; i++) {
        server.atsr = dmar_structure(b, 2, 8);
        dmar_scope(b, server.atsr, 2, bus_of(i), DMAR_PATH(2, 0));
    }
    for (unsigned i = 0; i < sockets; i++)
        dmar_rhsa(b, base_of(i), i);
    server.andd = dmar_structure(b, 4, 20);
    blob_set(b, server.andd + 7, 1, 1);
    memcpy(b->bytes + server.andd + 8, "\\_SB.I2C0", 9);
    size_t satc = dmar_structure(b, 5, 8);
    dmar_scope(b, satc, 1, bus_of(0), DMAR_PATH(2, 0, 0, 0));
    size_t sidp = dmar_structure(b, 6, 8);
    dmar_scope(b, sidp, 1, bus_of(0), DMAR_PATH(2, 0, 0, 0));
}
