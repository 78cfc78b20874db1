// SPDX-License-Identifier: BSD-2-Clause
// Layout of the ACPI tables that we read, in the specification's spelling. Tables have no alignment
// to rely on: every structure is packed.
#pragma once

#include "kernel/acpi/acpi.h"
#include "lib/bits.h"
#include "lib/types.h"

// ---- Root System Description Pointer (ACPI 6.5, 5.2.5.3) ----
struct acpi_rsdp {
    char signature[8]; // "RSD PTR "
    uint8_t checksum;  // of the first 20 bytes
    char oem_id[6];
    uint8_t revision; // 0: ACPI 1.0, nothing below rsdt_address exists
    uint32_t rsdt_address;
    uint32_t length;
    uint64_t xsdt_address;
    uint8_t extended_checksum; // of all bytes
    uint8_t reserved[3];
} PACKED;
#define ACPI_RSDP_V1_BYTES offsetof(struct acpi_rsdp, length)
static_assert(offsetof(struct acpi_rsdp, length) == 20, "ACPI 6.5, table 5.3");
static_assert(offsetof(struct acpi_rsdp, xsdt_address) == 24, "ACPI 6.5, table 5.3");
static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 6.5, table 5.3");

// ---- Generic Address Structure (5.2.3.2) ----
struct acpi_gas {
    uint8_t address_space_id;
    uint8_t register_bit_width;
    uint8_t register_bit_offset;
    uint8_t access_size;
    uint64_t address;
} PACKED;
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO 1
static_assert(sizeof(struct acpi_gas) == 12, "ACPI 6.5, table 5.1");

// ---- What MADT and SRAT are made of: typed entries, each with its length ----
struct acpi_entry {
    uint8_t type;
    uint8_t length;
} PACKED;
static_assert(sizeof(struct acpi_entry) == 2, "ACPI 6.5, table 5.21");

// ---- Multiple APIC Description Table, "APIC" (5.2.12) ----
struct acpi_madt {
    struct acpi_header header;
    uint32_t local_apic_address;
    uint32_t flags;
} PACKED;
static_assert(sizeof(struct acpi_madt) == 44, "ACPI 6.5, table 5.19");

#define MADT_LOCAL_APIC 0
struct madt_local_apic {
    struct acpi_entry entry;
    uint8_t uid;
    uint8_t apic_id;
    uint32_t flags;
#define MADT_CPU_ENABLED BIT32(0)
} PACKED;
static_assert(offsetof(struct madt_local_apic, flags) == 4, "ACPI 6.5, table 5.22");
static_assert(sizeof(struct madt_local_apic) == 8, "ACPI 6.5, table 5.22");

#define MADT_IO_APIC 1
struct madt_io_apic {
    struct acpi_entry entry;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t gsi_base;
} PACKED;
static_assert(offsetof(struct madt_io_apic, address) == 4, "ACPI 6.5, table 5.24");
static_assert(sizeof(struct madt_io_apic) == 12, "ACPI 6.5, table 5.24");

#define MADT_LOCAL_X2APIC 9
struct madt_local_x2apic {
    struct acpi_entry entry;
    uint16_t reserved;
    uint32_t apic_id;
    uint32_t flags; // as in madt_local_apic
    uint32_t uid;
} PACKED;
static_assert(offsetof(struct madt_local_x2apic, apic_id) == 4, "ACPI 6.5, 5.2.12.12");
static_assert(sizeof(struct madt_local_x2apic) == 16, "ACPI 6.5, 5.2.12.12");

#define MADT_LOCAL_APIC_NMI 4
struct madt_local_apic_nmi {
    struct acpi_entry entry;
    uint8_t uid; // 255: all
    uint16_t flags;
    uint8_t lint;
} PACKED;
static_assert(sizeof(struct madt_local_apic_nmi) == 6, "ACPI 6.5, table 5.26");

#define MADT_LOCAL_X2APIC_NMI 10
struct madt_local_x2apic_nmi {
    struct acpi_entry entry;
    uint16_t flags;
    uint32_t uid; // all ones: all
    uint8_t lint;
    uint8_t reserved[3];
} PACKED;
static_assert(sizeof(struct madt_local_x2apic_nmi) == 12, "ACPI 6.5, table 5.32");

// ---- Memory-mapped configuration space, "MCFG" (PCI Firmware 3.3, 4.1.2) ----
struct acpi_mcfg {
    struct acpi_header header;
    uint64_t reserved;
} PACKED;
static_assert(sizeof(struct acpi_mcfg) == 44, "PCI Firmware 3.3, table 4-2");

struct acpi_mcfg_entry {
    uint64_t base; // of bus 0, also where first_bus is not 0
    uint16_t segment;
    uint8_t first_bus;
    uint8_t last_bus;
    uint32_t reserved;
} PACKED;
static_assert(offsetof(struct acpi_mcfg_entry, first_bus) == 10, "PCI Firmware 3.3, table 4-3");
static_assert(sizeof(struct acpi_mcfg_entry) == 16, "PCI Firmware 3.3, table 4-3");

// ---- HPET description table, "HPET" (IA-PC HPET 1.0a, 3.2.4) ----
struct acpi_hpet {
    struct acpi_header header;
    uint32_t event_timer_block_id;
    struct acpi_gas base_address;
    uint8_t hpet_number;
    uint16_t minimum_tick;
    uint8_t attributes;
} PACKED;
static_assert(offsetof(struct acpi_hpet, base_address) == 40, "IA-PC HPET 1.0a, 3.2.4");
static_assert(sizeof(struct acpi_hpet) == 56, "IA-PC HPET 1.0a, 3.2.4");

// ---- Fixed ACPI Description Table, "FACP" (5.2.9) ----
struct acpi_fadt {
    struct acpi_header header;
    uint32_t firmware_ctrl;
    uint32_t dsdt;
    uint8_t reserved_44;
    uint8_t preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable;
    uint8_t acpi_disable;
    uint8_t s4bios_req;
    uint8_t pstate_cnt;
    uint32_t pm1a_evt_blk;
    uint32_t pm1b_evt_blk;
    uint32_t pm1a_cnt_blk;
    uint32_t pm1b_cnt_blk;
    uint32_t pm2_cnt_blk;
    uint32_t pm_tmr_blk;
    uint32_t gpe0_blk;
    uint32_t gpe1_blk;
    uint8_t pm1_evt_len;
    uint8_t pm1_cnt_len;
    uint8_t pm2_cnt_len;
    uint8_t pm_tmr_len; // 4, or 0: there is no PM timer
    uint8_t gpe0_blk_len;
    uint8_t gpe1_blk_len;
    uint8_t gpe1_base;
    uint8_t cst_cnt;
    uint16_t p_lvl2_lat;
    uint16_t p_lvl3_lat;
    uint16_t flush_size;
    uint16_t flush_stride;
    uint8_t duty_offset;
    uint8_t duty_width;
    uint8_t day_alrm;
    uint8_t mon_alrm;
    uint8_t century;
    uint16_t iapc_boot_arch; // reserved in revision 1
#define FADT_REVISION_BOOT_ARCH 2
#define FADT_8042 BIT32(1)
    uint8_t reserved_111;
    uint32_t flags;
#define FADT_TMR_VAL_EXT BIT32(8)
#define FADT_RESET_REG_SUP BIT32(10)
#define FADT_HW_REDUCED_ACPI BIT32(20)
    struct acpi_gas reset_reg; // ACPI 1.0 ends before this field
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    struct acpi_gas x_pm1a_evt_blk;
    struct acpi_gas x_pm1b_evt_blk;
    struct acpi_gas x_pm1a_cnt_blk;
    struct acpi_gas x_pm1b_cnt_blk;
    struct acpi_gas x_pm2_cnt_blk;
    struct acpi_gas x_pm_tmr_blk;
    struct acpi_gas x_gpe0_blk;
    struct acpi_gas x_gpe1_blk;
} PACKED;
#define ACPI_FADT_V1_BYTES offsetof(struct acpi_fadt, reset_reg)
#define ACPI_FADT_V2_BYTES offsetof(struct acpi_fadt, x_firmware_ctrl)
static_assert(offsetof(struct acpi_fadt, pm_tmr_blk) == 76, "ACPI 6.5, table 5.9");
static_assert(offsetof(struct acpi_fadt, pm_tmr_len) == 91, "ACPI 6.5, table 5.9");
static_assert(offsetof(struct acpi_fadt, flags) == 112, "ACPI 6.5, table 5.9");
static_assert(offsetof(struct acpi_fadt, reset_reg) == 116, "ACPI 6.5, table 5.9");
static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "ACPI 6.5, table 5.9");
static_assert(offsetof(struct acpi_fadt, x_pm1a_cnt_blk) == 172, "ACPI 6.5, table 5.9");
static_assert(offsetof(struct acpi_fadt, x_pm_tmr_blk) == 208, "ACPI 6.5, table 5.9");
static_assert(sizeof(struct acpi_fadt) == 244, "ACPI 6.5, table 5.9");

// ---- System Resource Affinity Table, "SRAT" (5.2.16) ----
struct acpi_srat {
    struct acpi_header header;
    uint32_t reserved_36;
    uint64_t reserved_40;
} PACKED;
#define SRAT_REVISION_WIDE 2 // from here on, proximity domains have more than 8 bits
static_assert(sizeof(struct acpi_srat) == 48, "ACPI 6.5, 5.2.16");

#define SRAT_LOCAL_APIC 0
struct srat_local_apic {
    struct acpi_entry entry;
    uint8_t proximity_7_0;
    uint8_t apic_id;
    uint32_t flags;
#define SRAT_ENABLED BIT32(0)
    uint8_t local_sapic_eid;
    uint8_t proximity_31_8[3];
    uint32_t clock_domain;
} PACKED;
static_assert(offsetof(struct srat_local_apic, proximity_31_8) == 9, "ACPI 6.5, 5.2.16.1");
static_assert(sizeof(struct srat_local_apic) == 16, "ACPI 6.5, 5.2.16.1");

#define SRAT_MEMORY 1
struct srat_memory_affinity {
    struct acpi_entry entry;
    uint32_t proximity;
    uint16_t reserved_6;
    uint64_t base;
    uint64_t bytes;
    uint32_t reserved_24;
    uint32_t flags; // as in srat_local_apic
    uint64_t reserved_32;
} PACKED;
static_assert(offsetof(struct srat_memory_affinity, base) == 8, "ACPI 6.5, 5.2.16.2");
static_assert(offsetof(struct srat_memory_affinity, flags) == 28, "ACPI 6.5, 5.2.16.2");
static_assert(sizeof(struct srat_memory_affinity) == 40, "ACPI 6.5, 5.2.16.2");

#define SRAT_LOCAL_X2APIC 2
struct srat_local_x2apic {
    struct acpi_entry entry;
    uint16_t reserved_2;
    uint32_t proximity;
    uint32_t apic_id;
    uint32_t flags; // as in srat_local_apic
    uint32_t clock_domain;
    uint32_t reserved_20;
} PACKED;
static_assert(offsetof(struct srat_local_x2apic, apic_id) == 8, "ACPI 6.5, 5.2.16.3");
static_assert(sizeof(struct srat_local_x2apic) == 24, "ACPI 6.5, 5.2.16.3");

#define SRAT_GENERIC_INITIATOR 5
#define SRAT_GENERIC_PORT 6
struct srat_generic {
    struct acpi_entry entry;
    uint8_t reserved_2;
    uint8_t handle_type;
#define SRAT_HANDLE_PCI 1
    uint32_t proximity;
    uint16_t segment;
    uint8_t bus;
    uint8_t devfn; // device 7:3, function 2:0
    uint8_t reserved_12[12];
    uint32_t flags; // as in srat_local_apic
    uint32_t reserved_28;
} PACKED;
static_assert(offsetof(struct srat_generic, segment) == 8, "ACPI 6.5, 5.2.16.6");
static_assert(offsetof(struct srat_generic, flags) == 24, "ACPI 6.5, 5.2.16.6");
static_assert(sizeof(struct srat_generic) == 32, "ACPI 6.5, 5.2.16.6");

// ---- AML, as much of it as a package of integers needs (20.2) ----
#define AML_ZERO_OP 0x00
#define AML_ONE_OP 0x01
#define AML_NAME_OP 0x08
#define AML_BYTE_PREFIX 0x0a
#define AML_WORD_PREFIX 0x0b
#define AML_DWORD_PREFIX 0x0c
#define AML_QWORD_PREFIX 0x0e
#define AML_PACKAGE_OP 0x12
#define AML_ROOT_CHAR 0x5c
// PkgLength, lead byte (20.2.4)
#define AML_PKG_LENGTH_MORE BITS32(7, 6)   // bytes that follow the lead byte
#define AML_PKG_LENGTH_SHORT BITS32(5, 0)  // the length, where none follow
#define AML_PKG_LENGTH_NIBBLE BITS32(3, 0) // its low bits, where some do

#define ACPI_SLP_TYP_MAX 7 // a three-bit field of PM1_CNT (4.8.3.2.1)
