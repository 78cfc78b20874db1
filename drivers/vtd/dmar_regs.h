// SPDX-License-Identifier: BSD-2-Clause
// The DMAR table as firmware lays it out (VT-d 8.1 to 8.9). Little-endian, nothing is aligned.
#pragma once

#include "kernel/acpi/acpi.h"
#include "lib/types.h"

struct PACKED dmar_table {
    struct acpi_header header;
    uint8_t width; // host address width, less one
    uint8_t flags;
    uint8_t reserved[10];
};
static_assert(sizeof(struct dmar_table) == 48, "VT-d 8.1");
#define DMAR_FLAG_INTR_REMAP 0x01
#define DMAR_FLAG_X2APIC_OPT_OUT 0x02
#define DMAR_FLAG_DMA_OPT_IN 0x04

// Remapping structures: each starts so; unknown types are skipped by their length (VT-d 8.2).
struct PACKED dmar_structure {
    uint16_t type, length;
};
static_assert(sizeof(struct dmar_structure) == 4, "VT-d 8.2");

enum dmar_type {
    DMAR_DRHD, // remapping unit
    DMAR_RMRR, // reserved memory
    DMAR_ATSR, // root ports with ATS
    DMAR_RHSA, // NUMA node of a unit
    DMAR_ANDD, // ACPI name-space device
    DMAR_SATC, // SoC address translation cache
    DMAR_SIDP, // SoC device properties
};

struct PACKED dmar_drhd {
    uint16_t type, length;
    uint8_t flags;
    uint8_t size; // 3:0: 2^N pages of registers
    uint16_t segment;
    uint64_t base;
    // device scopes follow
};
static_assert(sizeof(struct dmar_drhd) == 16, "VT-d 8.3");
static_assert(offsetof(struct dmar_drhd, base) == 8, "VT-d 8.3");
#define DMAR_DRHD_INCLUDE_PCI_ALL 0x01

struct PACKED dmar_rhsa {
    uint16_t type, length;
    uint32_t reserved;
    uint64_t base;
    uint32_t domain; // proximity domain
};
static_assert(sizeof(struct dmar_rhsa) == 20, "VT-d 8.6");

struct PACKED dmar_rmrr {
    uint16_t type, length;
    uint16_t reserved;
    uint16_t segment;
    uint64_t base, limit; // the last byte
    // device scopes follow
};
static_assert(sizeof(struct dmar_rmrr) == 24, "VT-d 8.4");

// Least lengths of the structures that are only passed over.
#define DMAR_ATSR_BYTES 8
#define DMAR_ANDD_BYTES 8
#define DMAR_SATC_BYTES 8
#define DMAR_SIDP_BYTES 8

struct PACKED dmar_scope_entry {
    uint8_t type, length;
    uint8_t flags, reserved;
    uint8_t id; // IOAPIC id, HPET number or ACPI device number
    uint8_t start_bus;
    // path: pairs of device and function number
};
static_assert(sizeof(struct dmar_scope_entry) == 6, "VT-d 8.3.1");

enum dmar_scope_type {
    DMAR_SCOPE_ENDPOINT = 1,
    DMAR_SCOPE_BRIDGE = 2, // and all below it
    DMAR_SCOPE_IOAPIC = 3,
    DMAR_SCOPE_HPET = 4,
    DMAR_SCOPE_ACPI = 5,
};
