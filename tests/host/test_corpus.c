// SPDX-License-Identifier: BSD-2-Clause
// Every parser of firmware's tables over tables of real machines, where there are some: a folder `corpus`
// in `shared` next to the tree, or where ONEBELL_CORPUS says. No table may be refused but those that are
// right to refuse: one whose checksum is wrong, and a MADT without a CPU of ours.

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "boot/load_options.h"
#include "boot/mcfg.h"
#include "boot/memory_map.h"
#include "drivers/vtd/platform/dmar_check.h"
#include "drivers/vtd/scope.h"
#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/pci/pci.h"
#include "tests/host/acpi_build.h"

#include <cmocka.h>

#define FILE_BYTES_MAX MIB

static struct warnings found;
static struct problem problem;

static const char *corpus(void)
{
    const char *path = getenv("ONEBELL_CORPUS");
    return path ? path : "../shared/corpus";
}

// ---- files ----

// On the heap, exactly as long as it is, so that the sanitizer sees a read past the end.
static uint8_t *read_file(const char *folder, const char *name, size_t *bytes)
{
    char path[1024];
    static uint8_t buffer[FILE_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/%s/%s", corpus(), folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *bytes = fread(buffer, 1, sizeof(buffer), file);
    fclose(file);
    assert_in_range(*bytes, 1, sizeof(buffer) - 1);
    return memcpy(malloc(*bytes), buffer, *bytes);
}

typedef bool (*parser)(const uint8_t *bytes, size_t count);

// Calls `parse` for each file of a folder whose name starts so; returns how many there are.
static unsigned for_each(const char *folder, const char *start, parser parse)
{
    char path[1024];
    unsigned files = 0, warned = 0, refused = 0;
    snprintf(path, sizeof(path), "%s/%s", corpus(), folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t bytes;
        if (strncmp(entry->d_name, start, strlen(start)) != 0)
            continue;
        uint8_t *content = read_file(folder, entry->d_name, &bytes);
        found.count = 0;
        problem = (struct problem){ .what = "" };
        bool ok = parse(content, bytes);
        bool right = !strcmp(problem.what, "acpi-checksum") || !strcmp(problem.what, "madt-no-cpu");
        if (!ok && !right)
            fail_msg("%s: %s: %s", entry->d_name, problem.what, problem.message);
        files++, warned += found.count > 0, refused += !ok;
        free(content);
    }
    if (dir)
        closedir(dir);
    if (files)
        print_message("%s/%s*: %u files, %u with warnings, %u refused\n", folder, start, files,
                      warned, refused);
    return files;
}

static void for_all(const char *folder, const char *start, parser parse)
{
    if (for_each(folder, start, parse))
        return;
    print_message("skipped: no corpus\n");
    skip();
}

// ---- a machine for DMAR's paths to lead through: a bridge on every bus, down to bus 40h ----

#define DEVICES 256
static struct pci_dev devs[DEVICES];

struct pci_dev *pci_get(size_t index)
{
    return index < DEVICES ? &devs[index] : NULL;
}

static void build_devices(void)
{
    static const uint8_t devices[] = { 0x00, 0x02, 0x1c, 0x1f };
    for (size_t i = 0; i < DEVICES; i++) {
        unsigned bus = (unsigned)i / 4;
        devs[i] = (struct pci_dev){
            .bdf = PCI_BDF(bus, devices[i % 4], 0),
            .parent = bus ? &devs[4 * (bus - 1) + 2] : NULL,
            .secondary = i % 4 == 2 ? (uint8_t)(bus + 1) : 0,
        };
    }
}

static bool parse_dmar(const uint8_t *table, size_t bytes)
{
    static struct dmar d;
    struct problem none;
    size_t unit;
    build_devices();
    if (!acpi_check(table, bytes, "DMAR", 0, &problem) ||
        !dmar_parse(table, bytes, &d, &found, &problem))
        return false;
    for (size_t i = 0; i < DEVICES; i++)
        if (scope_find(&d, &devs[i], &unit, &none))
            assert_in_range(unit, 0, d.units_count - 1);
    return d.units_count > 0;
}

// The checks, with no other table of the machine's to compare with: nothing of a real table fails.
static bool check_dmar(const uint8_t *table, size_t bytes)
{
    static struct checks c;
    const struct dmar_check_input in = { .dmar = { table, bytes } };
    dmar_check(&in, &c);
    for (size_t i = 0; i < CHECKS; i++)
        if (c.of[i].verdict == CHECK_FAIL)
            return problem_set(&problem, checks_list[i].id, "%s", c.of[i].found);
    return true;
}

static bool fail_its_end(const uint8_t *table, size_t bytes)
{
    return !check_dmar(table, bytes) && !strcmp(problem.what, "dmar-structure");
}

static bool parse_madt(const uint8_t *table, size_t bytes)
{
    static struct madt_cpu cpus[CPU_MAX];
    size_t most = madt_ioapics_max(bytes);
    struct madt_ioapic *ioapics = calloc(most + 1, sizeof(*ioapics));
    struct madt m = { .cpus = cpus, .cpus_max = CPU_MAX, .ioapics = ioapics, .ioapics_max = most };
    bool ok = madt_parse(table, bytes, &m, &found, &problem);
    free(ioapics);
    return ok;
}

static bool parse_srat(const uint8_t *table, size_t bytes)
{
    static struct srat_cpu cpus[CPU_MAX];
    static struct srat s;
    s = (struct srat){ .cpus = cpus, .cpus_max = CPU_MAX };
    return srat_parse(table, bytes, &s, &found, &problem) && s.cpus_count + s.memory_count > 0;
}

static bool parse_hpet(const uint8_t *table, size_t bytes)
{
    struct hpet_table h;
    return hpet_parse(table, bytes, &h, &problem);
}

// The loader's own reading, by a root pointer that leads to the table.
static uint64_t boot_config(const uint8_t *table, const struct mcfg_segment *s)
{
    static struct blob rsdp, xsdt;
    blob_header(&xsdt, "XSDT", 1);
    blob_put(&xsdt, (uint64_t)table, 8);
    blob_finish(&xsdt);
    rsdp.length = 0;
    blob_text(&rsdp, "RSD PTR \0ONEBEL\2\0\0\0\0\44\0\0\0", 24);
    blob_put(&rsdp, (uint64_t)xsdt.bytes, 8);
    blob_pad(&rsdp, 36);
    blob_sum(&rsdp, 8, 20);
    return mcfg_config_address((uint64_t)rsdp.bytes, s->segment, s->first_bus, 0, 0);
}

static bool parse_mcfg(const uint8_t *table, size_t bytes)
{
    static struct mcfg m;
    m.count = 0;
    if (!mcfg_parse(table, bytes, &m, &found, &problem))
        return false;
    for (size_t i = 0; i < m.count; i++) {
        const struct mcfg_segment *s = &m.segments[i];
        assert_int_equal(boot_config(table, s), s->base + s->first_bus * MIB);
    }
    return true;
}

static void test_tables(void **state)
{
    static const struct {
        const char *start;
        parser parse;
    } kinds[] = {
        { "apic-", parse_madt }, { "dmar-", check_dmar }, { "dmar-", parse_dmar },
        { "hpet-", parse_hpet }, { "mcfg-", parse_mcfg }, { "srat-", parse_srat },
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        for_all("acpi", kinds[i].start, kinds[i].parse);
}

// ---- inputs made from reports: each is used, and says so ----

static bool warn_of_mcfg(const uint8_t *table, size_t bytes)
{
    return parse_mcfg(table, bytes) && warnings_of(&found, "mcfg-bad-length") == 1;
}

static bool take_all_ioapics(const uint8_t *table, size_t bytes)
{
    return parse_madt(table, bytes) && found.count == 0;
}

static bool take_memory_map(const uint8_t *map, size_t bytes)
{
    struct handoff_range ranges[16];
    struct handoff_warned bad;
    size_t count;
    return memory_map_convert(map, bytes, 48, ranges, ARRAY_SIZE(ranges), &count, &bad, &problem) &&
           bad.count == 1;
}

static bool take_load_options(const uint8_t *bytes, size_t count)
{
    char text[256];
    struct options o;
    options_begin(&o, text, sizeof(text));
    return options_add_load_options(&o, bytes, count) && o.used > 0 && strchr(text, '=');
}

static void test_reports(void **state)
{
    for_all("bytes", "mcfg-62-bytes", warn_of_mcfg);
    for_all("bytes", "dmar-", parse_dmar);
    for_all("bytes", "dmar-q35-extra", check_dmar);
    for_all("bytes", "dmar-q35-trailing", fail_its_end);
    for_all("bytes", "dmar-q35-x2apic", check_dmar);
    for_all("bytes", "dmar-129", check_dmar);
    for_all("bytes", "dmar-640", check_dmar);
    for_all("bytes", "madt-", take_all_ioapics);
    for_all("bytes", "memmap-", take_memory_map);
    for_all("bytes", "loadoptions-", take_load_options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
