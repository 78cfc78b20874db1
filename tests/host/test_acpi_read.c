// SPDX-License-Identifier: BSD-2-Clause
// Several tables of one signature: the best one is read, and \_S5_ may be in any SSDT.

#include "kernel/base/report.h" // before cmocka, whose fail() is a macro

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/acpi/acpi.h"
#include "tests/host/acpi_build.h"

static struct blob tables[4];
static size_t tables_count;
static unsigned warned;
static char last_what[32];

void warn(const char *what, const char *fmt, ...)
{
    snprintf(last_what, sizeof(last_what), "%s", what);
    warned++;
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

static const struct acpi_header *find_from(size_t i, const char signature[4])
{
    for (; i < tables_count; i++)
        if (!memcmp(tables[i].bytes, signature, 4))
            return (const void *)tables[i].bytes;
    return NULL;
}

const struct acpi_header *acpi_find(const char signature[4])
{
    return find_from(0, signature);
}

const struct acpi_header *acpi_find_next(const char signature[4], const struct acpi_header *after)
{
    size_t i = 0;
    while ((const void *)tables[i].bytes != after)
        i++;
    return find_from(i + 1, signature);
}

const struct acpi_header *acpi_map(uint64_t phys, const char signature[4])
{
    return phys ? find_from(phys - 1, signature) : NULL;
}

static int start(void **state)
{
    tables_count = warned = 0;
    return 0;
}

// ---- the best of several ----

// A table whose node tells it from the others; malformed: an entry without a length follows.
static void add_srat(unsigned node, bool malformed)
{
    struct blob *b = &tables[tables_count++];
    blob_header(b, "SRAT", 3);
    blob_pad(b, 48);
    blob_put(b, 0x1000, 2); // local APIC, 16 bytes
    blob_put(b, node, 1);
    blob_put(b, 5, 1);
    blob_put(b, 1, 4);
    blob_pad(b, 64);
    blob_put(b, 0, malformed ? 4 : 0);
    blob_finish(b);
}

static struct srat_cpu cpus[4];
static struct srat srat;
static bool refuses[8]; // by node

static bool parse(const struct acpi_header *t, void *out, struct warnings *w, struct problem *p)
{
    return srat_parse(t, t->length, out, w, p) &&
           (!refuses[cpus[0].node] || problem_set(p, "srat-refused", "no"));
}

static bool read_srat(struct problem *p)
{
    srat = (struct srat){ .cpus = cpus, .cpus_max = ARRAY_SIZE(cpus) };
    return acpi_read("SRAT", parse, &srat, p);
}

static void test_first_faultless(void **state)
{
    struct problem p;
    add_srat(1, true);
    add_srat(2, false);
    add_srat(3, false);
    assert_true(read_srat(&p));
    assert_int_equal(cpus[0].node, 2);
    assert_int_equal(warned, 1); // of the first one; nobody looks at the third
    assert_string_equal(last_what, "srat-bad-entry");
}

static void test_first_usable(void **state)
{
    struct problem p;
    add_srat(1, true);
    add_srat(2, true);
    assert_true(read_srat(&p));
    assert_int_equal(cpus[0].node, 1);
    assert_int_equal(warned, 2);
}

static void test_refused(void **state)
{
    struct problem p;
    add_srat(1, false);
    add_srat(2, true);
    refuses[1] = true;
    assert_true(read_srat(&p));
    assert_int_equal(cpus[0].node, 2);
    assert_int_equal(warned, 2);
    refuses[2] = true;
    warned = 0;
    assert_false(read_srat(&p));
    assert_string_equal(p.what, "srat-refused"); // the last one is the caller's to tell of
    refuses[1] = refuses[2] = false;
}

static void test_none(void **state)
{
    struct problem p;
    assert_false(read_srat(&p));
    assert_string_equal(p.what, "acpi-no-table");
    assert_int_equal(warned, 0);
}

// ---- power-off ----

// Name (\_S5_, Package () {type, type}), or something else.
static void add_aml(const char *signature, bool has, unsigned type)
{
    struct blob *b = &tables[tables_count++];
    blob_header(b, signature, 2);
    blob_text(b, has ? "\x08_S5_\x12\x06\x02" : "\x08_S4_\x12\x06\x02", 8);
    blob_put(b, 0x0a, 1);
    blob_put(b, type, 1);
    blob_put(b, 0x0a, 1);
    blob_put(b, type, 1);
    blob_finish(b);
}

static void test_s5_in_ssdt(void **state)
{
    struct acpi_power power;
    struct fadt fadt = { .dsdt = 1, .pm1a_control = 0x604 };
    add_aml("DSDT", false, 1);
    add_aml("SSDT", false, 2);
    add_aml("SSDT", true, 5);
    acpi_find_power(&fadt, &power);
    assert_true(power.can_power_off);
    assert_int_equal(power.slp_typ_a, 5);
    assert_int_equal(power.slp_typ_b, 5);
    tables_count = 2;
    acpi_find_power(&fadt, &power);
    assert_false(power.can_power_off);
}

static void test_s5_in_dsdt(void **state)
{
    struct acpi_power power;
    struct fadt fadt = { .dsdt = 1, .pm1a_control = 0x604 };
    add_aml("DSDT", true, 7);
    add_aml("SSDT", true, 5);
    acpi_find_power(&fadt, &power);
    assert_true(power.can_power_off);
    assert_int_equal(power.slp_typ_a, 7); // the DSDT comes first
    fadt.dsdt = 0;                        // no DSDT that can be read
    acpi_find_power(&fadt, &power);
    assert_int_equal(power.slp_typ_a, 5);
    fadt.pm1a_control = 0;
    acpi_find_power(&fadt, &power);
    assert_false(power.can_power_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_faultless, start),
        cmocka_unit_test_setup(test_first_usable, start),
        cmocka_unit_test_setup(test_refused, start),
        cmocka_unit_test_setup(test_none, start),
        cmocka_unit_test_setup(test_s5_in_ssdt, start),
        cmocka_unit_test_setup(test_s5_in_dsdt, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
