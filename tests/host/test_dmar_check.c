// SPDX-License-Identifier: BSD-2-Clause
// The checks of the DMAR table: each table of tests/dmar/, right or wrong, gives the ids that stand in it and no
// others.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dmar_build.h"
#include "dmar_server.h"

static struct checks checks;

// ---- tables ----

struct table {
    char name[64];
    unsigned sockets;
    char ids[256]; // blanks between
    struct blob dmar;
};

static struct table table;

static FILE *open_file(const char *name, const char *extension)
{
    char path[512];
    snprintf(path, sizeof(path), DMAR_TABLES "/%s%s", name, extension);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    return file;
}

// The next line of the list, and its table.
static bool next_table(FILE *list)
{
    char line[512];
    int ids = 0;
    if (!fgets(line, sizeof(line), list))
        return false;
    line[strcspn(line, "\n")] = 0;
    assert_int_equal(sscanf(line, "%63s %u%n", table.name, &table.sockets, &ids), 2);
    snprintf(table.ids, sizeof(table.ids), "%s", line + ids);
    FILE *file = open_file(table.name, ".dmar");
    table.dmar.length = fread(table.dmar.bytes, 1, sizeof(table.dmar.bytes), file);
    fclose(file);
    build(table.sockets);
    return true;
}

static void load(const char *name)
{
    FILE *list = open_file("list", "");
    while (next_table(list) && strcmp(table.name, name))
        ;
    fclose(list);
    assert_string_equal(table.name, name);
}

// ---- what was found ----

static void run_on(size_t bytes)
{
    uint8_t *copy = blob_copy(&table.dmar, bytes);
    dmar_check(&(struct dmar_check_input){ .dmar = { copy, bytes },
                                           .madt = { server.madt.bytes, server.madt.length },
                                           .hpet = { server.hpet.bytes, server.hpet.length },
                                           .srat = { server.srat.bytes, server.srat.length },
                                           .ranges = server.ranges,
                                           .ranges_count = ARRAY_SIZE(server.ranges),
                                           .functions = server.functions,
                                           .functions_count = server.functions_count },
               &checks);
    free(copy);
}

static void run(void)
{
    run_on(table.dmar.length);
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

static bool is_expected(const char *id)
{
    char words[sizeof(table.ids) + 2], word[64];
    snprintf(words, sizeof(words), "%s ", table.ids);
    snprintf(word, sizeof(word), " %s ", id);
    return strstr(words, word);
}

static size_t count_words(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

// The ids don't stand in the order of the checks.
static bool is_as_expected(void)
{
    size_t count = 0;
    for (size_t i = 0; i < CHECKS; i++)
        if (checks.of[i].count) {
            count++;
            if (!is_expected(checks_list[i].id))
                return false;
        }
    return count == count_words(table.ids);
}

static void test_tables(void **state)
{
    unsigned wrong = 0, tables = 0;
    FILE *list = open_file("list", "");
    while (next_table(list)) {
        tables++;
        run();
        if (is_as_expected())
            continue;
        print_error("%s: found %s, not%s\n", table.name, found(), table.ids);
        wrong++;
    }
    fclose(list);
    assert_int_equal(wrong, 0);
    assert_true(tables >= 60);
}

static void test_good(void **state)
{
    static const char *const names[] = { "good-1-socket", "good-2-sockets", "good-4-sockets",
                                         "good-8-sockets" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        load(names[i]);
        run();
        assert_string_equal(found(), "");
        assert_int_equal(checks_count(&checks, CHECK_PASS), CHECK_HSTI_FORM);
    }
}

// Without what a table is compared with, the checks that need it are skipped, no others.
static void test_alone(void **state)
{
    load("good-2-sockets");
    const struct dmar_check_input in = { .dmar = { table.dmar.bytes, table.dmar.length } };
    dmar_check(&in, &checks);
    assert_string_equal(found(), "");
    assert_int_equal(checks.of[CHECK_IOAPIC_MISSING].verdict, CHECK_SKIPPED);
    assert_int_equal(checks_count(&checks, CHECK_SKIPPED), CHECKS - CHECK_HSTI_FORM + 13);
}

// ---- the table as a whole ----

static void test_left_master(void **state)
{
    load("good-1-socket");
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

// However much of the table there is: told, and no byte behind it read, which the sanitizer sees.
static void test_truncated(void **state)
{
    load("good-2-sockets");
    for (size_t length = 0; length < table.dmar.length; length++) {
        run_on(length);
        assert_int_equal(checks.of[CHECK_TRUNCATED].verdict, CHECK_FAIL);
    }
}

// More than is compared pair by pair: told once for each kind, and the rest is still gone through.
static void test_large(void **state)
{
    struct blob *b = &table.dmar;
    build(2);
    dmar_begin(b, 1);
    for (unsigned i = 0; i <= 1024; i++)
        dmar_drhd(b, false, (uint16_t)i, 0xc0000000 + 0x1000ull * i);
    blob_finish(b);
    run();
    assert_string_equal(found(),
                        "dmar-large dmar-unit-empty dmar-ioapic-missing dmar-hpet-missing ");
    assert_int_equal(checks.of[CHECK_LARGE].count, 1);
    assert_int_equal(checks.of[CHECK_UNIT_EMPTY].count, 1025);
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
        load("good-1-socket");
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
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_good),
        cmocka_unit_test(test_alone),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_large),    cmocka_unit_test(test_chipset),
        cmocka_unit_test(test_no_table), cmocka_unit_test(test_left_master),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
