// SPDX-License-Identifier: BSD-2-Clause
// Between the files of the DMAR checks: what was read of the table so far.
#pragma once

#include "drivers/vtd/platform/dmar_check.h"

#define CHECK_UNITS_MAX 1024
#define CHECK_SCOPES_MAX 2048
#define CHECK_RANGES_MAX 256
#define CHECK_HOPS_MAX 125 // a scope has 255 bytes at most

struct checked_unit {
    uint64_t base, bytes;
    uint16_t segment;
    bool all;      // INCLUDE_PCI_ALL
    bool has_node; // an RHSA came
};

struct checked_scope {
    enum dmar_type of;
    size_t owner; // which structure, by its place in the table
    uint16_t segment;
    uint8_t type, id, bus, hops;
    const uint8_t *path;
};

struct checked_range {
    uint64_t base, limit; // the last byte
};

struct check_state {
    const struct dmar_check_input *in;
    struct checks *out;
    unsigned width; // bits; 52 where the table gives none that can be
    struct checked_unit units[CHECK_UNITS_MAX];
    size_t units_count;
    struct checked_scope scopes[CHECK_SCOPES_MAX];
    size_t scopes_count;
    struct checked_range reserved[CHECK_RANGES_MAX];
    size_t reserved_count;
    bool acpi_numbers[256]; // of ANDDs
};

// A structure of the table, all its bytes there.
struct checked_structure {
    uint16_t type;
    const uint8_t *bytes;
    size_t length;
    size_t place;
};

// The little-endian number of so many bytes; within what was measured.
static inline uint64_t check_number(const uint8_t *at, size_t bytes)
{
    uint64_t n = 0;
    while (bytes--)
        n = n << 8 | at[bytes];
    return n;
}

// ---- check_scopes.c ----

// Reads the device scopes of a structure from `offset` on; returns how many there are.
size_t check_scopes_read(struct check_state *s, const struct checked_structure *x, size_t offset,
                         uint16_t segment);
// What they name against the machine, and against one another.
void check_scopes_compare(struct check_state *s);

// ---- check_units.c ----

void check_unit(struct check_state *s, const struct checked_structure *x);
// NULL: none has these registers.
struct checked_unit *check_find_unit(struct check_state *s, uint64_t base);

// ---- check_memory.c ----

void check_rmrr(struct check_state *s, const struct checked_structure *x);
// Whether a range of memory is RAM that the map gives to the operating system; a byte of it is enough.
bool check_is_given(const struct check_state *s, uint64_t base, uint64_t limit);

// ---- check_others.c ----

void check_atsr(struct check_state *s, const struct checked_structure *x);
void check_rhsa(struct check_state *s, const struct checked_structure *x);
void check_andd(struct check_state *s, const struct checked_structure *x);
void check_satc(struct check_state *s, const struct checked_structure *x);
void check_sidp(struct check_state *s, const struct checked_structure *x);

// ---- check_tables.c: entries of the tables that DMAR is compared with ----

// Whether the table names it; true where there is no such table.
bool check_has_ioapic(const struct check_state *s, uint8_t id);
bool check_has_hpet(const struct check_state *s, uint8_t number);
bool check_has_domain(const struct check_state *s, uint32_t domain);
// IOAPICs and HPETs that no unit names.
void check_missing(struct check_state *s);
