// SPDX-License-Identifier: BSD-2-Clause
// Builds MADTs and SRATs, whole ones and entry by entry, and parses them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_lists.h"

#include <cmocka.h>

void table_begin(struct table *t, const char *signature, uint8_t revision, size_t first)
{
    t->count = 0;
    blob_header(&t->blob, signature, revision);
    blob_pad(&t->blob, first);
}

void table_entry(struct table *t, unsigned type, unsigned length)
{
    assert_in_range(t->count, 0, ARRAY_SIZE(t->starts) - 1);
    t->starts[t->count++] = t->blob.length;
    blob_put(&t->blob, type, 1);
    blob_put(&t->blob, length, 1);
}

void table_filled_entry(struct table *t, unsigned type, unsigned length)
{
    table_entry(t, type, length);
    blob_pad(&t->blob, t->starts[t->count - 1] + length);
}

// ---- MADT ----

struct madt_cpu cpus[16];
struct madt_ioapic ioapics[64];
struct warnings found;

void local_apic(struct table *t, unsigned uid, unsigned id, unsigned flags)
{
    table_entry(t, 0, 8);
    blob_put(&t->blob, uid, 1);
    blob_put(&t->blob, id, 1);
    blob_put(&t->blob, flags, 4);
}

void local_x2apic(struct table *t, unsigned uid, unsigned id, unsigned flags)
{
    table_entry(t, 9, 16);
    blob_put(&t->blob, 0, 2);
    blob_put(&t->blob, id, 4);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, uid, 4);
}

void io_apic(struct table *t, unsigned id, unsigned address, unsigned gsi)
{
    table_entry(t, 1, 12);
    blob_put(&t->blob, id, 1);
    blob_put(&t->blob, 0, 1);
    blob_put(&t->blob, address, 4);
    blob_put(&t->blob, gsi, 4);
}

void build_madt(struct table *t)
{
    table_begin(t, "APIC", 5, 44);
    local_apic(t, 1, 0, 1);
    local_apic(t, 2, 2, 1);
    local_apic(t, 3, 4, 0);       // disabled
    local_apic(t, 4, 6, 2);       // can be brought online, but is not there
    local_apic(t, 5, 0xff, 1);    // no id
    table_filled_entry(t, 2, 10); // interrupt source override: none of ours
    table_filled_entry(t, 5, 12); // local APIC address
    io_apic(t, 9, 0xfec00000, 0);
    table_filled_entry(t, 0x80, 2); // the shortest there can be
    local_x2apic(t, 6, 2, 1);       // again
    local_x2apic(t, 7, 0x101, 1);
    local_x2apic(t, 8, 0x103, 0);
    local_x2apic(t, 9, 0xffffffff, 1);
    io_apic(t, 10, 0xfec80000, 24);
    blob_finish(&t->blob);
}

bool parse_madt(const struct blob *b, size_t cpus_max, struct madt *m, struct problem *p)
{
    void *copy = blob_copy(b, b->length);
    *m = (struct madt){
        .cpus = cpus, .cpus_max = cpus_max, .ioapics = ioapics, .ioapics_max = ARRAY_SIZE(ioapics)
    };
    found.count = 0;
    bool ok = madt_parse(copy, b->length, m, &found, p);
    free(copy);
    return ok;
}

// ---- SRAT ----

struct srat_cpu srat_cpus[16];

void srat_apic(struct table *t, unsigned id, uint32_t node, unsigned flags)
{
    table_entry(t, 0, 16);
    blob_put(&t->blob, node & 0xff, 1);
    blob_put(&t->blob, id, 1);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, 0x55, 1); // SAPIC EID: no part of the node
    blob_put(&t->blob, node >> 8, 3);
    blob_put(&t->blob, 0x66666666, 4);
}

void srat_memory(struct table *t, uint32_t node, uint64_t base, uint64_t bytes, unsigned flags)
{
    table_entry(t, 1, 40);
    blob_put(&t->blob, node, 4);
    blob_put(&t->blob, 0x5555, 2);
    blob_put(&t->blob, base, 8);
    blob_put(&t->blob, bytes, 8);
    blob_put(&t->blob, 0x66666666, 4);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, 0x77777777, 8);
}

void srat_x2apic(struct table *t, uint32_t id, uint32_t node, unsigned flags)
{
    table_entry(t, 2, 24);
    blob_put(&t->blob, 0x5555, 2);
    blob_put(&t->blob, node, 4);
    blob_put(&t->blob, id, 4);
    blob_put(&t->blob, flags, 4);
    blob_put(&t->blob, 0, 8);
}

void build_srat(struct table *t, uint8_t revision)
{
    table_begin(t, "SRAT", revision, 48);
    srat_apic(t, 0, 0, 1);
    srat_apic(t, 2, 0x12345678, 1);
    srat_apic(t, 4, 1, 0);
    srat_apic(t, 0xff, 1, 1);
    srat_memory(t, 0, 0, 0xa0000, 1);
    srat_memory(t, 0x01020304, 0x100000000, 0x80000000, 3);
    srat_memory(t, 1, 0x200000000, 0x80000000, 2); // a place for memory, nothing in it
    srat_memory(t, 1, 0x200000000, 0, 1);
    table_filled_entry(t, 3, 20); // an ITS: not on x86
    srat_x2apic(t, 2, 9, 1);      // again
    srat_x2apic(t, 0x100, 0x0a0b0c0d, 1);
    srat_x2apic(t, 0x102, 1, 0);
    srat_x2apic(t, 0xffffffff, 1, 1);
    blob_finish(&t->blob);
}

bool parse_srat(const struct blob *b, size_t cpus_max, struct srat *s, struct problem *p)
{
    void *copy = blob_copy(b, b->length);
    *s = (struct srat){ .cpus = srat_cpus, .cpus_max = cpus_max };
    found.count = 0;
    bool ok = srat_parse(copy, b->length, s, &found, p);
    free(copy);
    return ok;
}

bool is_clean(bool parsed, struct problem *p)
{
    if (parsed && found.count)
        *p = found.kinds[0].first;
    return parsed && !found.count;
}
