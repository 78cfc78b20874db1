// SPDX-License-Identifier: BSD-2-Clause
// The checks of the DMAR table: servers of 1 to 8 sockets pass them all, and each way to be wrong gives
// its ids and no others.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dmar_server.h"

static struct checks checks;

// ---- what was found ----

static void run_on(const uint8_t *dmar, size_t bytes)
{
    dmar_check(&(struct dmar_check_input){ .dmar = { dmar, bytes },
                                           .madt = { server.madt.bytes, server.madt.length },
                                           .hpet = { server.hpet.bytes, server.hpet.length },
                                           .srat = { server.srat.bytes, server.srat.length },
                                           .ranges = server.ranges,
                                           .ranges_count = ARRAY_SIZE(server.ranges),
                                           .functions = server.functions,
                                           .functions_count = server.functions_count },
               &checks);
}

static void run(void)
{
    void *copy = blob_copy(&server.dmar, server.dmar.length);
    run_on(copy, server.dmar.length);
    free(copy);
}

// All ids with a finding, a blank behind each.
static const char *found(void)
{
    static char ids[1024];
    size_t used = 0;
    ids[0] = 0;
    for (size_t i = 0; i < CHECKS; i++)
        if (checks.of[i].verdict == checks_list[i].bad)
            used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s ", checks_list[i].id);
    return ids;
}

static void test_good(void **state)
{
    for (unsigned sockets = 1; sockets <= 8; sockets *= 2) {
        build(sockets);
        blob_finish(&server.dmar);
        run();
        assert_string_equal(found(), "");
        assert_int_equal(checks_count(&checks, CHECK_PASS), CHECK_HSTI_FORM);
    }
}

// Without what a table is compared with, the checks that need it are skipped, no others.
static void test_alone(void **state)
{
    build(2);
    blob_finish(&server.dmar);
    const struct dmar_check_input in = { .dmar = { server.dmar.bytes, server.dmar.length } };
    dmar_check(&in, &checks);
    assert_string_equal(found(), "");
    assert_int_equal(checks.of[CHECK_IOAPIC_MISSING].verdict, CHECK_SKIPPED);
    assert_int_equal(checks_count(&checks, CHECK_SKIPPED), CHECKS - CHECK_HSTI_FORM + 13);
}

// ---- ways to be wrong: changes to the table of 2 sockets, before length and checksum are set ----

#define SET(name, at, value, bytes)                                                                \
    static void name(struct blob *b)                                                               \
    {                                                                                              \
        blob_set(b, at, value, bytes);                                                             \
    }

SET(narrow, 36, 10, 1)
SET(wide, 36, 52, 1)
SET(no_remapping, 37, 0, 1)
SET(unknown_flag, 37, 0x81, 1)
SET(opt_out, 37, 3, 1)
SET(zero_base, server.unit + 8, 0, 8)
SET(ones_base, server.unit + 8, ~0ull, 8)
SET(high_base, server.unit + 8, 1ull << 46, 8)
SET(odd_base, server.unit + 8, 0xcdffc800, 8)
SET(in_ram, server.unit + 8, 0x100000, 8)
SET(same_base, server.unit + 8, 0xc5ffc000, 8)
SET(large_unit, server.unit + 5, 1, 1)
SET(size_reserved, server.unit + 5, 0x10, 1)
SET(flag_reserved, server.unit + 4, 2, 1)
SET(all_twice, server.unit + 4, 1, 1)
SET(scope_zero, server.unit + 17, 0, 1)
SET(scope_long, server.unit + 17, 10, 1)
SET(scope_odd, server.unit + 17, 7, 1)
SET(scope_unknown, server.rmrr + 24, 9, 1)
SET(ioapic_in_rmrr, server.rmrr + 24, 3, 1)
SET(endpoint_in_atsr, server.atsr + 8, 1, 1)
SET(device_32, server.rmrr + 30, 32, 1)
SET(function_8, server.rmrr + 31, 8, 1)
SET(absent_device, server.rmrr + 30, 5, 1)
SET(bridge_as_endpoint, server.unit + 16, 1, 1)
SET(endpoint_as_bridge, server.rmrr + 24, 2, 1)
SET(ioapic_9, server.all + 20, 9, 1)
SET(hpet_1, server.all + 28, 1, 1)
SET(acpi_2, server.all + 36, 2, 1)
SET(rmrr_odd_base, server.rmrr + 8, STICK + 8, 8)
SET(rmrr_odd_limit, server.rmrr + 16, STICK + 0x7ffffe, 8)
SET(rmrr_backwards, server.rmrr + 16, STICK - 1, 8)
SET(rmrr_in_ram, server.rmrr + 8, 0x6ffff000, 8)
SET(rmrr_unlisted, server.rmrr + 16, STICK + 0x800fff, 8)
SET(all_ports, server.atsr + 4, 1, 1)
SET(andd_zero, server.andd + 7, 0, 1)
SET(andd_no_end, server.andd + 17, 0x585858, 3)

static void ioapic_gone(struct blob *b)
{
    blob_set(b, server.all + 16, 4, 1);
    blob_set(b, server.all + 20, 0, 1);
}

static void add_empty_unit(struct blob *b)
{
    b->length = 48;
    dmar_drhd(b, false, 0, PCH + 0x1000);
    size_t all = dmar_drhd(b, true, 0, PCH);
    dmar_scope(b, all, 3, 0xf0, DMAR_PATH(31, 7));
    blob_set(b, b->length - 4, 8, 1);
    dmar_scope(b, all, 4, 0xf0, DMAR_PATH(15, 0));
}

static void overlap(struct blob *b)
{
    blob_set(b, server.unit + 8, 0xc5ff8000, 8);
    blob_set(b, server.unit + 5, 3, 1);
}

// The last unit, without its ACPI device, ends the table.
static void end_behind_hpet(struct blob *b)
{
    b->length = server.all + 32;
    blob_set(b, server.all + 2, 32, 2);
}

static void unit_behind_all(struct blob *b)
{
    end_behind_hpet(b);
    size_t unit = dmar_drhd(b, false, 0, PCH + 0x1000);
    dmar_scope(b, unit, 1, 0, DMAR_PATH(0x14, 0));
}

// Registers that begin where others end; another segment, with a unit for all others of its own.
static void neighbours(struct blob *b)
{
    end_behind_hpet(b);
    dmar_drhd(b, true, 1, PCH + 0x1000);
}

static void rmrr_a_byte_more(struct blob *b)
{
    blob_set(b, server.rmrr + 16, STICK + 0x800000, 8);
}

static void walk_over_endpoint(struct blob *b)
{
    end_behind_hpet(b);
    size_t rmrr = dmar_rmrr(b, 0, STICK, STICK + 0xfff);
    dmar_scope(b, rmrr, 1, 0, DMAR_PATH(0x14, 0, 0, 0));
}

static void no_scopes(struct blob *b)
{
    dmar_structure(b, 1, 24);
}

static void rmrr_twice(struct blob *b)
{
    size_t rmrr = dmar_rmrr(b, 0, STICK + 0x1000, STICK + 0x1fff);
    dmar_scope(b, rmrr, 1, 0, DMAR_PATH(0x14, 0));
}

static void name_twice(struct blob *b)
{
    size_t sidp = dmar_structure(b, 6, 8);
    dmar_scope(b, sidp, 1, 0, DMAR_PATH(0x14, 0));
    dmar_scope(b, sidp, 1, 0, DMAR_PATH(0x14, 0));
}

static void name_in_two_units(struct blob *b)
{
    blob_set(b, server.unit + 21, bus_of(0), 1);
}

static void ioapic_twice(struct blob *b)
{
    blob_set(b, server.unit + 16, 3, 1);
    blob_set(b, server.unit + 20, 8, 1);
}

static void hpet_twice(struct blob *b)
{
    memcpy(b->bytes + server.unit + 16, b->bytes + server.all + 24, 8);
}

static void rhsa_of_nobody(struct blob *b)
{
    dmar_rhsa(b, 0xfed00000, 0);
}

static void rhsa_twice(struct blob *b)
{
    dmar_rhsa(b, 0xc5ffc000, 0);
}

static void rhsa_elsewhere(struct blob *b)
{
    dmar_rhsa(b, PCH, 7);
}

static void empty_satc(struct blob *b)
{
    dmar_structure(b, 5, 8);
}

static void empty_sidp(struct blob *b)
{
    dmar_structure(b, 6, 8);
}

static void short_unit(struct blob *b)
{
    dmar_structure(b, 0, 12);
}

static void short_rmrr(struct blob *b)
{
    dmar_structure(b, 1, 20);
}

static void unknown_type(struct blob *b)
{
    dmar_structure(b, 9, 8);
}

static void zero_length(struct blob *b)
{
    blob_put(b, 0, 4);
}

static void past_the_end(struct blob *b)
{
    blob_put(b, 0x00400006, 4);
}

static void nothing(struct blob *b)
{
    b->length = 48;
}

#define UNPAIRED "dmar-rhsa-unit " // the RHSA of the unit that was moved

static const struct {
    const char *name;
    void (*change)(struct blob *b);
    const char *ids;
} ways[] = {
    { "narrow", narrow, "dmar-width " },
    { "wide", wide, "dmar-width " },
    { "no remapping", no_remapping, "dmar-flags " },
    { "unknown flag", unknown_flag, "dmar-flags " },
    { "opt-out", opt_out, "dmar-x2apic-opt-out " },
    { "base zero", zero_base, "dmar-unit-zero " UNPAIRED },
    { "base all ones", ones_base, "dmar-unit-zero " UNPAIRED },
    { "base past the width", high_base, "dmar-unit-address " UNPAIRED },
    { "base odd", odd_base, "dmar-unit-align " UNPAIRED },
    { "base in RAM", in_ram, "dmar-unit-ram " UNPAIRED },
    { "the same base", same_base, "dmar-unit-twice " UNPAIRED },
    { "two pages, aligned", large_unit, "" },
    { "overlap", overlap, "dmar-unit-overlap " UNPAIRED },
    { "size reserved", size_reserved, "dmar-unit-reserved " },
    { "flag reserved", flag_reserved, "dmar-unit-reserved " },
    { "unit serves nobody", add_empty_unit, "dmar-unit-empty " },
    { "neighbours", neighbours, "" },
    { "RMRR of a byte more", rmrr_a_byte_more, "dmar-rmrr-align dmar-rmrr-unlisted " },
    { "all twice", all_twice, "dmar-all-twice " },
    { "unit behind all", unit_behind_all, "dmar-all-last " },
    { "scope of length 0", scope_zero, "dmar-unit-empty dmar-scope-length " },
    { "scope too long", scope_long, "dmar-unit-empty dmar-scope-length " },
    { "scope of 7 bytes", scope_odd, "dmar-unit-empty dmar-scope-length " },
    { "scope unknown", scope_unknown, "dmar-scope-type " },
    { "IOAPIC in RMRR", ioapic_in_rmrr, "dmar-scope-place dmar-ioapic-unknown " },
    { "endpoint in ATSR", endpoint_in_atsr, "dmar-scope-place dmar-scope-header " },
    { "device 32", device_32, "dmar-scope-path " },
    { "function 8", function_8, "dmar-scope-path " },
    { "device absent", absent_device, "dmar-scope-absent " },
    { "over an endpoint", walk_over_endpoint, "dmar-scope-walk " },
    { "bridge as endpoint", bridge_as_endpoint, "dmar-scope-header " },
    { "endpoint as bridge", endpoint_as_bridge, "dmar-scope-header " },
    { "named twice", name_twice, "dmar-scope-twice " },
    { "in two units", name_in_two_units, "dmar-scope-shared " },
    { "IOAPIC 9", ioapic_9, "dmar-ioapic-unknown dmar-ioapic-missing " },
    { "IOAPIC twice", ioapic_twice, "dmar-ioapic-twice " },
    { "IOAPIC gone, a second path of the HPET", ioapic_gone, "dmar-ioapic-missing " },
    { "HPET 1", hpet_1, "dmar-hpet-unknown dmar-hpet-missing " },
    { "HPET twice", hpet_twice, "dmar-hpet-twice " },
    { "ACPI device 2", acpi_2, "dmar-acpi-unknown " },
    { "RMRR base odd", rmrr_odd_base, "dmar-rmrr-align " },
    { "RMRR limit odd", rmrr_odd_limit, "dmar-rmrr-align " },
    { "RMRR backwards", rmrr_backwards, "dmar-rmrr-order " },
    { "RMRR overlaps", rmrr_twice, "dmar-type-order dmar-rmrr-overlap " },
    { "RMRR in RAM", rmrr_in_ram, "dmar-rmrr-memory " },
    { "RMRR unlisted", rmrr_unlisted, "dmar-rmrr-unlisted " },
    { "RMRR of nobody", no_scopes,
      "dmar-type-order dmar-rmrr-align dmar-rmrr-memory dmar-rmrr-empty " },
    { "all ports and some", all_ports, "dmar-atsr-ports " },
    { "RHSA of nobody", rhsa_of_nobody, "dmar-type-order dmar-rhsa-unit " },
    { "RHSA twice", rhsa_twice, "dmar-type-order dmar-rhsa-twice " },
    { "RHSA elsewhere", rhsa_elsewhere, "dmar-type-order dmar-rhsa-domain " },
    { "ANDD 0", andd_zero, "dmar-acpi-unknown dmar-andd-number " },
    { "ANDD without end", andd_no_end, "dmar-andd-name " },
    { "SATC empty", empty_satc, "dmar-type-order dmar-satc-empty " },
    { "SIDP empty", empty_sidp, "dmar-sidp-empty " },
    { "DRHD short", short_unit, "dmar-short dmar-type-order " },
    { "RMRR short", short_rmrr, "dmar-short dmar-type-order " },
    { "type unknown", unknown_type, "dmar-type " },
    { "length 0", zero_length, "dmar-structure " },
    { "past the end", past_the_end, "dmar-structure " },
    { "no unit", nothing, "dmar-no-unit dmar-ioapic-missing dmar-hpet-missing " },
};

static void test_ways(void **state)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        build(2);
        ways[i].change(&server.dmar);
        blob_finish(&server.dmar);
        run();
        if (!strcmp(found(), ways[i].ids))
            continue;
        print_error("%s: %s\n", ways[i].name, found());
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

// ---- the table as a whole ----

static void test_left_master(void **state)
{
    build(1);
    blob_finish(&server.dmar);
    server.functions[3].left_master = true;
    run();
    assert_string_equal(found(), "left-master ");
    assert_string_equal(checks.of[CHECK_LEFT_MASTER].found,
                        "0000:11:00.0, 8086:0000, class 010802");
}

static void test_no_table(void **state)
{
    dmar_check(&(struct dmar_check_input){ .functions_count = 0 }, &checks);
    assert_string_equal(found(), "dmar-no-unit ");
}

static void test_checksum(void **state)
{
    build(1);
    blob_finish(&server.dmar);
    server.dmar.bytes[40] = 1;
    run();
    assert_string_equal(found(), "dmar-checksum ");
}

static void test_signature(void **state)
{
    build(1);
    server.dmar.bytes[0] = 'X';
    blob_finish(&server.dmar);
    run();
    assert_string_equal(found(), "dmar-signature ");
}

// However much of the table there is: told, and no byte behind it read, which the sanitizer sees.
static void test_truncated(void **state)
{
    build(2);
    blob_finish(&server.dmar);
    for (size_t length = 0; length < server.dmar.length; length++) {
        void *copy = blob_copy(&server.dmar, length);
        run_on(copy, length);
        free(copy);
        assert_int_equal(checks.of[CHECK_TRUNCATED].verdict, CHECK_FAIL);
    }
}

static void test_chipset(void **state)
{
    static const struct {
        uint16_t device;
        uint8_t revision;
        bool broken;
    } chips[] = { { 0x3403, 0x13, true },
                  { 0x3405, 0x13, true },
                  { 0x3405, 0x22, true },
                  { 0x3406, 0x22, false },
                  { 0x3403, 0x14, false } };
    for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
        build(1);
        blob_finish(&server.dmar);
        server.functions[0].device = chips[i].device;
        server.functions[0].revision = chips[i].revision;
        run();
        assert_string_equal(found(), chips[i].broken ? "chipset-remapping " : "");
    }
}

// Each id is told once, and everything that people read is there.
static void test_list(void **state)
{
    for (size_t i = 0; i < CHECKS; i++) {
        const struct check_words *w = &checks_list[i];
        assert_non_null(w->id);
        assert_true(w->bad == CHECK_WARN || w->bad == CHECK_FAIL);
        assert_true(w->section && w->what && w->remedy);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(w->id, checks_list[j].id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_ways),        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_signature),   cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_chipset),     cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_left_master), cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
