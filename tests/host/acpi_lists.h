// SPDX-License-Identifier: BSD-2-Clause
// Tables that are lists of typed entries, MADT and SRAT: built, and parsed in memory of exactly their
// size.
#pragma once

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

// A table under test, and the places where its entries start.
struct table {
    struct blob blob;
    size_t starts[32];
    size_t count;
};

void table_begin(struct table *t, const char *signature, uint8_t revision, size_t first);
void table_entry(struct table *t, unsigned type, unsigned length); // its first two bytes
void table_filled_entry(struct table *t, unsigned type, unsigned length);

// ---- MADT ----

extern struct madt_cpu cpus[16];
extern struct madt_ioapic ioapics[64];
extern struct warnings found; // by the last parse

void local_apic(struct table *t, unsigned uid, unsigned id, unsigned flags);
void local_x2apic(struct table *t, unsigned uid, unsigned id, unsigned flags);
void io_apic(struct table *t, unsigned id, unsigned address, unsigned gsi);
void build_madt(struct table *t);
bool parse_madt(const struct blob *b, size_t cpus_max, struct madt *m, struct problem *p);

// ---- SRAT ----

extern struct srat_cpu srat_cpus[16];

void srat_apic(struct table *t, unsigned id, uint32_t node, unsigned flags);
void srat_memory(struct table *t, uint32_t node, uint64_t base, uint64_t bytes, unsigned flags);
void srat_x2apic(struct table *t, uint32_t id, uint32_t node, unsigned flags);
void build_srat(struct table *t, uint8_t revision);
bool parse_srat(const struct blob *b, size_t cpus_max, struct srat *s, struct problem *p);

// True: nothing is wrong at all.
bool is_clean(bool parsed, struct problem *p);
