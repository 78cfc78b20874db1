// SPDX-License-Identifier: BSD-2-Clause
// The command line: every kind of value, the last word wins, and each mistake names its word.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "kernel/base/cmdline.h"
#include "lib/parse.h"
#include "lib/string.h"

static const struct option kernel_table[] = {
    { .name = "app", .kind = OPTION_TEXT, .fallback = "job" },
    { .name = "cpus", .kind = OPTION_NUMBER, .min = 1, .max = 1024 },
    { .name = "irq", .kind = OPTION_CHOICE, .fallback = "auto", .choices = "auto|posted|poll" },
    { .name = NULL },
};
static const struct option app_table[] = {
    { .name = "bs", .kind = OPTION_SIZE, .fallback = "4k", .min = 512, .max = 1 << 20 },
    { .name = "runtime", .kind = OPTION_TIME, .fallback = "5s", .max = 3600000000 },
    { .name = "any", .kind = OPTION_NUMBER },
    { .name = NULL },
};
static const struct option *const tables[] = { kernel_table, app_table, NULL };

static bool parse(const char *text, struct cmdline *c, struct problem *p)
{
    return cmdline_parse(text, tables, ARRAY_SIZE(tables), false, c, p);
}

static void parse_ok(const char *text, struct cmdline *c)
{
    struct problem p = { .message = "no problem" };
    if (!parse(text, c, &p))
        fail_msg("\"%s\": %s", text, p.message);
}

static void expect_problem(const char *text, const char *what, const char *part)
{
    struct cmdline c;
    struct problem p = { 0 };
    assert_false(parse(text, &c, &p));
    assert_string_equal(p.what, what);
    if (!strstr(p.message, part))
        fail_msg("\"%s\" isn't in \"%s\"", part, p.message);
}

static void test_nothing_given(void **state)
{
    struct cmdline c;
    parse_ok(" \t\r\n ", &c);
    assert_true(cmdline_is(&c, "app", "job"));
    assert_false(cmdline_get(&c, "app")->given);
    assert_null(cmdline_get(&c, "cpus")->text);
    assert_int_equal(cmdline_number(&c, "cpus"), 0);
    assert_true(cmdline_is(&c, "irq", "auto"));
    assert_int_equal(cmdline_number(&c, "bs"), 4096);
    assert_int_equal(cmdline_number(&c, "runtime"), 5000000);
    assert_int_equal(cmdline_number(&c, "any"), 0);
}

static void test_last_word_wins(void **state)
{
    struct cmdline c;
    parse_ok("irq=posted cpus=2\tbs=8k\r\nirq=poll cpus=0x10 app=", &c);
    assert_true(cmdline_is(&c, "irq", "poll"));
    assert_int_equal(cmdline_number(&c, "irq"), 2);
    assert_int_equal(cmdline_number(&c, "cpus"), 16);
    assert_true(cmdline_get(&c, "cpus")->given);
    assert_true(cmdline_is(&c, "app", ""));
    assert_false(cmdline_is(&c, "app", "job"));
    assert_false(cmdline_is(&c, "irq", "pol"));
    assert_false(cmdline_is(&c, "irq", "polls"));
}

static void expect_next(const struct cmdline *c, const char **after, const char *value)
{
    size_t length;
    *after = cmdline_next(c, "app", *after, &length);
    assert_non_null(*after);
    assert_int_equal(length, strlen(value));
    assert_memory_equal(*after, value, length);
}

static void test_each_of_several(void **state)
{
    struct cmdline c;
    const char *after = NULL;
    size_t length;
    parse_ok(" app=a irq=poll app= app=app=c\tcpus=2 app=a", &c);
    expect_next(&c, &after, "a");
    expect_next(&c, &after, "");
    expect_next(&c, &after, "app=c");
    expect_next(&c, &after, "a");
    assert_null(cmdline_next(&c, "app", after, &length));
    assert_null(cmdline_next(&c, "bs", NULL, &length)); // a fallback is no word
    parse_ok("", &c);
    assert_null(cmdline_next(&c, "app", NULL, &length));
}

static void test_value_may_hold_equals(void **state)
{
    struct cmdline c;
    parse_ok("app=a=b", &c);
    assert_true(cmdline_is(&c, "app", "a=b"));
}

static void test_mistakes_name_the_word(void **state)
{
    expect_problem("iodpeth=4 bs=4k", "cmdline-unknown", "\"iodpeth=4\"");
    expect_problem("iodpeth=4 bs=4k", "cmdline-unknown", "any runtime bs irq cpus app");
    expect_problem("verbose", "cmdline-unknown", "\"verbose\"");
    expect_problem("ap=job", "cmdline-unknown", "\"ap=job\"");
    expect_problem("apps=job", "cmdline-unknown", "\"apps=job\"");
    expect_problem("=job", "cmdline-unknown", "\"=job\"");
    expect_problem("bs", "cmdline-no-value", "write bs=");
    expect_problem("irq=fast", "cmdline-choice", "auto|posted|poll");
    expect_problem("irq=", "cmdline-choice", "\"irq=\"");
    expect_problem("cpus=two", "cmdline-value", "\"cpus=two\"");
    expect_problem("cpus=", "cmdline-value", "\"cpus=\"");
    expect_problem("cpus=2k", "cmdline-value", "\"cpus=2k\"");
    expect_problem("cpus=0", "cmdline-range", "at least 1");
    expect_problem("cpus=1025", "cmdline-range", "at most 1024");
    expect_problem("bs=256", "cmdline-range", "at least 512 bytes");
    expect_problem("bs=2m", "cmdline-range", "at most 1048576 bytes");
    expect_problem("runtime=61m", "cmdline-range", "at most 3600000000 us");
    expect_problem("bs=4k irq=poll runtime=5d", "cmdline-value", "\"runtime=5d\"");
}

static void test_a_long_word_is_quoted_in_part(void **state)
{
    char text[4096];
    struct cmdline c;
    struct problem p;
    memset(text, 'w', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    assert_false(parse(text, &c, &p));
    assert_string_equal(p.what, "cmdline-unknown");
    assert_non_null(strstr(p.message, "known: any runtime bs irq"));
}

static void test_lenient_skips_unknown_words_only(void **state)
{
    struct cmdline c;
    struct problem p;
    const struct option *const kernel_only[] = { kernel_table };
    assert_true(cmdline_parse("rw=read verbose cpus=3 bs=1", kernel_only, 1, true, &c, &p));
    assert_int_equal(cmdline_number(&c, "cpus"), 3);
    assert_false(cmdline_parse("rw=read cpus=x", kernel_only, 1, true, &c, &p));
    assert_string_equal(p.what, "cmdline-value");
}

static void test_names_that_no_table_has(void **state)
{
    struct cmdline c;
    parse_ok("", &c);
    assert_null(cmdline_get(&c, "rw")->text);
    assert_int_equal(cmdline_number(&c, "rw"), 0);
    assert_false(cmdline_is(&c, "rw", ""));
}

static void test_too_many_options(void **state)
{
    static char names[CMDLINE_OPTIONS_MAX + 1][8];
    static struct option many[CMDLINE_OPTIONS_MAX + 2];
    const struct option *const one[] = { many };
    struct cmdline c;
    struct problem p;
    for (unsigned i = 0; i < CMDLINE_OPTIONS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "o%u", i);
        many[i] = (struct option){ .name = names[i], .kind = OPTION_TEXT };
    }
    assert_true(cmdline_parse("", one, 1, false, &c, &p));
    many[CMDLINE_OPTIONS_MAX] = (struct option){ .name = "last", .kind = OPTION_TEXT };
    assert_false(cmdline_parse("", one, 1, false, &c, &p));
    assert_string_equal(p.what, "cmdline-tables");
}

// An app's word that the kernel has already would never be heard.
static void test_options_are_named_once(void **state)
{
    static const struct option twice[] = { { .name = "irq", .kind = OPTION_TEXT }, { 0 } };
    const struct option *const both[] = { kernel_table, twice };
    struct cmdline c;
    struct problem p;
    assert_true(cmdline_parse("", both, 1, false, &c, &p));
    assert_false(cmdline_parse("", both, 2, false, &c, &p));
    assert_string_equal(p.what, "cmdline-tables");
    assert_non_null(strstr(p.message, "irq"));
}

static void test_a_bad_fallback_is_found(void **state)
{
    static const struct option bad[] = { { .name = "x", .kind = OPTION_SIZE, .fallback = "1q" },
                                         { 0 } };
    const struct option *const one[] = { bad };
    struct cmdline c;
    struct problem p;
    assert_false(cmdline_parse("", one, 1, false, &c, &p));
    assert_string_equal(p.what, "cmdline-value");
}

typedef bool (*parse_fn)(const char *text, size_t length, uint64_t *value);

static void parses(parse_fn fn, const char *text, uint64_t want)
{
    uint64_t got = 0;
    if (!fn(text, strlen(text), &got) || got != want)
        fail_msg("\"%s\" gives %llu", text, (unsigned long long)got);
}

static void refuses(parse_fn fn, const char *text)
{
    uint64_t got;
    if (fn(text, strlen(text), &got))
        fail_msg("\"%s\" was taken for %llu", text, (unsigned long long)got);
}

static void test_numbers(void **state)
{
    parses(parse_number, "0", 0);
    parses(parse_number, "007", 7);
    parses(parse_number, "0xfF", 255);
    parses(parse_number, "0Xff", 255);
    parses(parse_number, "18446744073709551615", UINT64_MAX);
    parses(parse_number, "0xffffffffffffffff", UINT64_MAX);
    static const char *const bad[] = {
        "",
        "0x",
        "x",
        "-1",
        "+1",
        "1 ",
        " 1",
        "1k",
        "1.5",
        "0xg",
        "a",
        "18446744073709551616",
        "0x10000000000000000",
        "99999999999999999999",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refuses(parse_number, bad[i]);
}

static void test_sizes(void **state)
{
    parses(parse_size, "512", 512);
    parses(parse_size, "4k", 4096);
    parses(parse_size, "4K", 4096);
    parses(parse_size, "3m", 3 << 20);
    parses(parse_size, "2G", 2ull << 30);
    parses(parse_size, "1t", 1ull << 40);
    parses(parse_size, "0x10k", 16384);
    static const char *const bad[] = { "", "k", "4kk", "4kb", "4 k", "17179869184g", "4s" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refuses(parse_size, bad[i]);
}

static void test_times(void **state)
{
    parses(parse_time, "0", 0);
    parses(parse_time, "5", 5000000);
    parses(parse_time, "5s", 5000000);
    parses(parse_time, "200ms", 200000);
    parses(parse_time, "50us", 50);
    parses(parse_time, "2m", 120000000);
    parses(parse_time, "1h", 3600000000);
    static const char *const bad[] = { "", "s", "5sec", "5u", "5mss", "1.5", "99999999999999999h" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refuses(parse_time, bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_given),
        cmocka_unit_test(test_last_word_wins),
        cmocka_unit_test(test_each_of_several),
        cmocka_unit_test(test_value_may_hold_equals),
        cmocka_unit_test(test_mistakes_name_the_word),
        cmocka_unit_test(test_a_long_word_is_quoted_in_part),
        cmocka_unit_test(test_lenient_skips_unknown_words_only),
        cmocka_unit_test(test_names_that_no_table_has),
        cmocka_unit_test(test_too_many_options),
        cmocka_unit_test(test_options_are_named_once),
        cmocka_unit_test(test_a_bad_fallback_is_found),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
