// SPDX-License-Identifier: BSD-2-Clause
// Finding ACPI tables: RSDP, then XSDT or RSDT, then each table when it is asked for. What is not
// asked for is not checked: a broken table that nobody needs is nobody's problem.

#include "kernel/acpi/acpi.h"

#include "kernel/acpi/acpi_regs.h"
#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define TABLES_MAX 4096           // large servers have some 60, and many SSDTs
#define TABLE_BYTES_MAX (4 * MIB) // the largest in practice is a DSDT of about 1 MiB

enum table_state { TABLE_UNCHECKED, TABLE_GOOD, TABLE_BAD };

struct table {
    uint64_t phys;
    const struct acpi_header *header; // only the header is mapped until TABLE_GOOD
    enum table_state state;
};

static struct {
    struct table tables[TABLES_MAX];
    size_t count;
} acpi;

static bool bad_address(uint64_t phys, const char *name, struct problem *p)
{
    return problem_set(p, "acpi-address", "ACPI table %.4s: nothing can be read at 0x%llx", name,
                       (unsigned long long)phys);
}

// Maps the header, then as much as it says, and checks that. NULL: the problem is set.
static const struct acpi_header *map_table(uint64_t phys, const char signature[4],
                                           struct problem *p)
{
    const struct acpi_header *h = mem_map_firmware(phys, sizeof(*h));
    if (!h) {
        bad_address(phys, signature, p);
        return NULL;
    }
    uint32_t length = h->length;
    if (length < sizeof(*h) || length > TABLE_BYTES_MAX) {
        problem_set(p, "acpi-truncated",
                    "ACPI table %.4s at 0x%llx: its length field says %u bytes, outside of %zu to "
                    "%llu: update the firmware",
                    signature, (unsigned long long)phys, length, sizeof(*h), TABLE_BYTES_MAX);
        return NULL;
    }
    h = mem_map_firmware(phys, length);
    if (!h) {
        bad_address(phys, signature, p);
        return NULL;
    }
    return acpi_check(h, length, signature, sizeof(*h), p) ? h : NULL;
}

const struct acpi_header *acpi_map(uint64_t phys, const char signature[4])
{
    struct problem p;
    const struct acpi_header *h = map_table(phys, signature, &p);
    if (!h)
        warn(p.what, "%s; going on without that table", p.message);
    return h;
}

static bool is_listed(uint64_t phys)
{
    for (size_t i = 0; i < acpi.count; i++)
        if (acpi.tables[i].phys == phys)
            return true;
    return false;
}

// Some firmware leaves empty slots, or lists a table twice.
static void add_table(uint64_t phys)
{
    if (phys == 0 || is_listed(phys))
        return;
    const struct acpi_header *h = mem_map_firmware(phys, sizeof(*h));
    if (h)
        acpi.tables[acpi.count++] = (struct table){ phys, h, TABLE_UNCHECKED };
    else
        warn("acpi-unreadable", "ACPI: the root table names a table at 0x%llx, which can't be read",
             (unsigned long long)phys);
}

// The root table's entries are 8 (XSDT) or 4 (RSDT) bytes long and start unaligned.
static void add_tables(const struct acpi_header *root, size_t entry_bytes)
{
    const uint8_t *at = (const uint8_t *)(root + 1), *end = (const uint8_t *)root + root->length;
    while ((size_t)(end - at) >= entry_bytes && acpi.count < TABLES_MAX) {
        uint64_t phys = 0;
        memcpy(&phys, at, entry_bytes);
        add_table(phys);
        at += entry_bytes;
    }
    if ((size_t)(end - at) >= entry_bytes)
        warn("acpi-too-many-tables",
             "ACPI: the root table names more than %d tables: the rest is not looked at",
             TABLES_MAX);
}

static const struct acpi_rsdp *map_rsdp(uint64_t phys, size_t *length)
{
    *length = ACPI_RSDP_V1_BYTES;
    const struct acpi_rsdp *r = mem_map_firmware(phys, *length);
    if (!r || r->revision < 2)
        return r;
    *length = sizeof(*r);
    r = mem_map_firmware(phys, *length);
    if (!r || r->length <= *length || r->length > PAGE_BYTES)
        return r;
    *length = r->length;
    return mem_map_firmware(phys, *length);
}

static bool add_root(uint64_t phys, const char signature[4], size_t entry_bytes)
{
    const struct acpi_header *root = phys ? acpi_map(phys, signature) : NULL;
    if (root)
        add_tables(root, entry_bytes);
    return root;
}

bool acpi_init(uint64_t rsdp_phys, struct problem *p)
{
    size_t length;
    struct acpi_roots roots;
    acpi.count = 0;
    const struct acpi_rsdp *rsdp = rsdp_phys ? map_rsdp(rsdp_phys, &length) : NULL;
    if (!rsdp)
        return problem_set(p, "acpi-rsdp",
                           "ACPI: the firmware gives no RSDP (address 0x%llx): boot through UEFI "
                           "with ACPI on",
                           (unsigned long long)rsdp_phys);
    if (!acpi_rsdp_parse(rsdp, length, &roots, p))
        return false;
    if (add_root(roots.xsdt, "XSDT", sizeof(uint64_t)) ||
        add_root(roots.rsdt, "RSDT", sizeof(uint32_t)))
        return true;
    return problem_set(p, "acpi-no-root",
                       "ACPI: neither the XSDT at 0x%llx nor the RSDT at 0x%llx can be used: "
                       "update the firmware",
                       (unsigned long long)roots.xsdt, (unsigned long long)roots.rsdt);
}

static void check_table(struct table *t, const char signature[4])
{
    const struct acpi_header *h = acpi_map(t->phys, signature);
    t->state = h ? TABLE_GOOD : TABLE_BAD;
    if (h)
        t->header = h;
}

static const struct acpi_header *find_from(size_t first, const char signature[4])
{
    for (size_t i = first; i < acpi.count; i++) {
        struct table *t = &acpi.tables[i];
        if (memcmp(t->header->signature, signature, sizeof(t->header->signature)))
            continue;
        if (t->state == TABLE_UNCHECKED)
            check_table(t, signature);
        if (t->state == TABLE_GOOD)
            return t->header;
    }
    return NULL;
}

const struct acpi_header *acpi_find(const char signature[4])
{
    return find_from(0, signature);
}

const struct acpi_header *acpi_find_next(const char signature[4], const struct acpi_header *after)
{
    size_t i = 0;
    while (i < acpi.count && acpi.tables[i].header != after)
        i++;
    return find_from(i + 1, signature);
}
