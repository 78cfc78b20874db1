// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables: finding them, and reading the few that we need. Every parser takes bytes and a
// length, checks all it uses, and runs on the host too.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"
#include "lib/warnings.h"

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
} __attribute__((packed));
static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5, table 5.4");

// Maps and checks RSDP and XSDT (RSDT where there is no XSDT). Once, on the boot CPU.
bool acpi_init(uint64_t rsdp_phys, struct problem *p);

// The first table with this signature, checksum and length checked; NULL: there is none. A table that
// fails its checks is warned of and not returned. Any CPU but for a signature's first time.
// Signatures: "APIC" is the MADT, "FACP" the FADT.
const struct acpi_header *acpi_find(const char signature[4]);

// The next one behind a table that was found; NULL: there is no other.
const struct acpi_header *acpi_find_next(const char signature[4], const struct acpi_header *after);

// Reads the best table of a signature into `out`, since some firmware has two, the first one
// malformed: the first that `parse` takes without a warning, else the first that it takes at all.
// What is wrong with those looked at is warned of. False: there is none, or none that can be used,
// and then the problem says what is wrong with the last one. Boot CPU.
typedef bool (*acpi_parser)(const struct acpi_header *table, void *out, struct warnings *w,
                            struct problem *p);
bool acpi_read(const char signature[4], acpi_parser parse, void *out, struct problem *p);

// The table at an address that another table gives (fadt.dsdt, "DSDT"), mapped and checked in the
// same way; NULL: warned of.
const struct acpi_header *acpi_map(uint64_t phys, const char signature[4]);

// Adds what the DSDT, or an SSDT, says to what the FADT says. Boot CPU.
struct acpi_power;
struct fadt;
void acpi_find_power(const struct fadt *fadt, struct acpi_power *out);

// ---- pure parsers; `table` starts with its acpi_header and is `length` bytes long ----
// What is good is used, and what is bad is added to the warnings. False: nothing of it can be used.

struct acpi_roots {
    uint64_t xsdt; // 0: none
    uint64_t rsdt; // 0: none
};
// Signature, both checksums, and length where the revision has one; at least one root table.
bool acpi_rsdp_parse(const void *rsdp, size_t length, struct acpi_roots *out, struct problem *p);

// Length field within [least, length], checksum of all bytes zero, signature as expected.
bool acpi_check(const void *table, size_t length, const char signature[4], size_t least,
                struct problem *p);

struct madt_ioapic {
    uint8_t id;
    uint64_t address;
    uint32_t gsi_base;
};
struct madt_cpu {
    uint32_t apic_id; // x2APIC id
    uint32_t uid;
};
struct madt {
    struct madt_cpu *cpus;       // the caller's array
    size_t cpus_max;             // its size; what comes after that many is passed over
    size_t cpus_count;           // enabled ones, each id once
    struct madt_ioapic *ioapics; // likewise
    size_t ioapics_max, ioapics_count;
};
bool madt_parse(const void *table, size_t length, struct madt *out, struct warnings *w,
                struct problem *p);

// Puts the CPU that runs in front where the table doesn't name it as one that is on. True: it didn't.
bool madt_add_boot(struct madt *m, uint32_t apic_id);

// Room for the IOAPICs of any MADT of so many bytes.
size_t madt_ioapics_max(size_t length);

// The pin (0, 1) that the table's first fitting entry connects to NMI, for the CPU with that uid,
// or for all; false: none does.
bool madt_find_nmi(const void *table, size_t length, uint32_t uid, uint8_t *lint);

struct mcfg_segment {
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
};
struct mcfg {
    struct mcfg_segment segments[1024];
    size_t count;
};
// Adds to what is in `out` already: a machine may have several of these tables.
bool mcfg_parse(const void *table, size_t length, struct mcfg *out, struct warnings *w,
                struct problem *p);

struct hpet_table {
    uint64_t address; // of the register block; memory space
};
bool hpet_parse(const void *table, size_t length, struct hpet_table *out, struct problem *p);

struct fadt {
    uint64_t pm_timer;   // address of the PM timer; 0: none
    bool pm_timer_io;    // port, else memory
    bool pm_timer_32bit; // else 24 bits
    uint64_t reset;      // reset register; 0: none
    bool reset_io;
    uint8_t reset_value;
    uint16_t pm1a_control; // port for power-off with SLP_TYP; 0: none
    uint16_t pm1b_control; // the second one, where the register is split; 0: none
    uint16_t smi_command;  // port that takes acpi_enable to leave legacy mode; 0: always ACPI mode
    uint8_t acpi_enable;
    bool may_have_8042; // a keyboard controller at ports 60h and 64h: it says so, or can't say
    uint64_t dsdt;
};
bool fadt_parse(const void *table, size_t length, struct fadt *out, struct problem *p);

// How the machine is switched off and reset.
struct acpi_power {
    struct fadt fadt;
    bool can_power_off; // the next two are known
    uint8_t slp_typ_a, slp_typ_b;
};

struct srat_cpu {
    uint32_t apic_id;
    uint32_t node; // proximity domain
};
struct srat_memory {
    uint64_t base, bytes;
    uint32_t node;
};
struct srat_device { // a PCI function, or a bridge for what is behind it
    uint16_t segment, bdf;
    uint32_t node;
};
struct srat {
    struct srat_cpu *cpus; // the caller's
    size_t cpus_max, cpus_count;
    struct srat_memory memory[1024];
    size_t memory_count;
    struct srat_device devices[128];
    size_t devices_count; // more than fit are passed over
};
bool srat_parse(const void *table, size_t length, struct srat *out, struct warnings *w,
                struct problem *p);

// The values of SLP_TYP that mean power-off, from \_S5_ in the DSDT (or an SSDT), `length` bytes with
// its header. Looks for the name and reads the package behind it without interpreting AML, so a
// definition that a method computes is not found. False: none.
bool acpi_s5_find(const void *dsdt, size_t length, uint8_t *slp_typ_a, uint8_t *slp_typ_b);
