// SPDX-License-Identifier: BSD-2-Clause
// Words of the monitor's lines, their completion, and what they become for an app.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "apps/monitor/complete.h"
#include "apps/monitor/shell.h"
#include "kernel/run/block.h"
#include "kernel/run/command.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

// ---- the image's tables ----

static const char *irq_candidate(const struct command_words *before, size_t i)
{
    static const char *const ways[] = { "mode", "move" };
    return before->count == 1 && i < ARRAY_SIZE(ways) ? ways[i] : NULL;
}

static const struct command irq = { .name = "irq", .help = "irqs", .candidate = irq_candidate };
static const struct command log_of = { .name = "log", .help = "log" };
static const struct option job_options[] = {
    { .name = "rw", .kind = OPTION_CHOICE, .choices = "randread|read|randwrite" },
    { .name = "rwmixread", .kind = OPTION_NUMBER },
    { .name = "filename", .kind = OPTION_TEXT },
    { .name = NULL },
};
static const struct app job = { .name = "job", .options = job_options, .bare = { "rw" } };
static const struct app monitor = { .name = "monitor" }, irq_app = { .name = "irq" };
static const struct app hello = { .name = "hello" };

// As the linker lays them out: the end is behind the last one.
const struct command *const commands_start[] = { &log_of, &irq };
const struct app *const apps_start[] = { &monitor, &job, &irq_app, &hello };
__asm__(".globl commands_end, apps_end\n"
        ".set commands_end, commands_start + 2 * 8\n"
        ".set apps_end, apps_start + 4 * 8\n");

static struct block_dev second = { .name = "nvme1n1" };
static struct block_dev first = { .name = "nvme0n1", .next = &second };

struct block_dev *block_first(void)
{
    return &first;
}

// ---- words ----

static struct command_words split(const char *line)
{
    static char copy[256];
    struct command_words words;
    format_text(copy, sizeof(copy), "%s", line);
    assert_true(command_split(copy, &words));
    return words;
}

static void test_blanks_divide(void **state)
{
    struct command_words words = split("  irq  move 3 ");
    assert_int_equal(words.count, 3);
    assert_string_equal(words.word[0], "irq");
    assert_string_equal(words.word[1], "move");
    assert_string_equal(words.word[2], "3");
    assert_int_equal(split("").count, 0);
    assert_int_equal(split("   ").count, 0);
}

static void test_too_many_words_are_refused(void **state)
{
    char line[2 * COMMAND_WORDS + 3] = "";
    struct command_words words;
    for (unsigned i = 0; i < COMMAND_WORDS; i++)
        memcpy(&line[2 * i], "x ", 3);
    assert_int_equal(split(line).count, COMMAND_WORDS);
    memcpy(&line[2 * COMMAND_WORDS], "x", 2);
    assert_false(command_split(line, &words));
}

static void test_numbers(void **state)
{
    struct command_words words = split("cpu 7 0x10 x 9");
    struct problem p;
    uint64_t n;
    assert_true(command_number(&words, 1, "CPU", 7, 0, &n, &p));
    assert_int_equal(n, 7);
    assert_true(command_number(&words, 2, "CPU", 16, 0, &n, &p));
    assert_int_equal(n, 16);
    assert_false(command_number(&words, 2, "CPU", 15, 0, &n, &p));
    assert_non_null(strstr(p.message, "CPU 0x10"));
    assert_non_null(strstr(p.message, "15"));
    assert_false(command_number(&words, 3, "CPU", 15, 0, &n, &p));
    assert_non_null(strstr(p.message, "\"x\" is no CPU"));
    assert_true(command_number(&words, 5, "CPU", 3, 42, &n, &p));
    assert_int_equal(n, 42);
}

static void test_a_word_too_many_is_named(void **state)
{
    struct command_words words = split("cpus all of them");
    struct problem p;
    assert_true(command_at_most(&words, 3, &p));
    assert_false(command_at_most(&words, 2, &p));
    assert_non_null(strstr(p.message, "\"them\""));
    assert_non_null(strstr(p.message, "help cpus"));
}

// ---- fields ----

static void check_field(uint64_t word, struct command_field field, const char *expected)
{
    char text[COMMAND_FIELD_BYTES];
    command_field_text(text, word, &field);
    assert_string_equal(text, expected);
}

static void test_fields_have_bits_name_value_meaning(void **state)
{
    static const char *const says[] = { "off", "on", NULL };
    check_field(~0ull, (struct command_field){ "P", BIT64(0), says }, "0       P        1  on");
    check_field(0, (struct command_field){ "TE", BIT64(63), says }, "63      TE       0  off");
    check_field(0x20, (struct command_field){ "F", BITS64(5, 4), says }, "5:4     F        2");
    check_field(0xab00, (struct command_field){ "VV", BITS64(15, 8), NULL },
                "15:8    VV       0xab");
    check_field(~0ull, (struct command_field){ "ALL", BITS64(63, 0), NULL },
                "63:0    ALL      0xffffffffffffffff");
}

// ---- names and candidates ----

static void test_names_are_sorted_and_commands_hide_apps(void **state)
{
    static const char *const expected[] = { "hello", "irq", "job", "log" };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_string_equal(shell_get(i)->name, expected[i]);
    assert_null(shell_get(ARRAY_SIZE(expected)));
    assert_ptr_equal(shell_find("irq")->command, &irq);
    assert_null(shell_find("monitor"));
    assert_null(shell_find("ir"));
}

// What Tab adds to the line, and how many it could be.
static void check_completion(const char *line, const char *expected, size_t matches)
{
    char before[128];
    size_t begin = complete_word(line, strlen(line));
    struct shell_place at = { .prefix = line + begin, .length = strlen(line) - begin };
    format_text(before, sizeof(before), "%.*s", (int)begin, line);
    assert_true(command_split(before, &at.before));
    struct completion c = complete(at.prefix, at.length, shell_candidate, &at);
    assert_string_equal(c.add, expected);
    assert_int_equal(c.matches, matches);
}

static void test_commands_complete(void **state)
{
    check_completion("lo", "g ", 1);
    check_completion("", "", 4);
    check_completion("x", "", 0);
    check_completion("irq m", "o", 2);
    check_completion("irq mov", "e ", 1);
    check_completion("irq move", " ", 1);
    check_completion("irq move 1", "", 0);
    check_completion("nonsense ", "", 0);
    check_completion("log ", "", 0);
}

static void test_words_of_apps_complete(void **state)
{
    check_completion("job file", "name=", 1);
    check_completion("job rw=rand", "", 2);
    check_completion("job rw=randw", "rite ", 1);
    check_completion("job rw=re", "ad ", 1);
    check_completion("job filename=", "nvme", 2);
    check_completion("job filename=nvme1", "n1 ", 1);
    check_completion("job randw", "rite ", 1); // without its name
    check_completion("job read rand", "", 0);  // there is one already
    check_completion("job rwmixread=", "", 0);
    check_completion("job bogus=", "", 0);
    check_completion("hello ", "", 0);
}

static const char *long_candidate(void *arg, size_t i)
{
    return i ? NULL : arg;
}

static void test_a_long_candidate_is_cut(void **state)
{
    char word[300];
    memset(word, 'x', sizeof(word));
    word[sizeof(word) - 1] = 0;
    struct completion c = complete("x", 1, long_candidate, word);
    assert_int_equal(strlen(c.add), sizeof(c.add) - 1);
}

// ---- an app's words ----

static void test_bare_words_become_values(void **state)
{
    struct command_words words = split("job randread bs=4k");
    struct problem p;
    char text[64];
    assert_true(shell_app_words(&job, &words, text, sizeof(text), &p));
    assert_string_equal(text, "rw=randread bs=4k");
    words = split("job");
    assert_true(shell_app_words(&job, &words, text, sizeof(text), &p));
    assert_string_equal(text, "");
    words = split("job read nvme0n1");
    assert_false(shell_app_words(&job, &words, text, sizeof(text), &p));
    assert_non_null(strstr(p.message, "\"nvme0n1\""));
    assert_non_null(strstr(p.message, "help job"));
}

static void test_words_that_do_not_fit_are_refused(void **state)
{
    struct command_words words = split("job a=1 b=2 c=3");
    struct problem p;
    char text[16];
    assert_true(shell_app_words(&job, &words, text, 12, &p));
    assert_false(shell_app_words(&job, &words, text, 11, &p));
    assert_string_equal(p.what, "monitor-long");
}

static int start(void **state)
{
    shell_init(&monitor);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blanks_divide),
        cmocka_unit_test(test_too_many_words_are_refused),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_a_word_too_many_is_named),
        cmocka_unit_test(test_fields_have_bits_name_value_meaning),
        cmocka_unit_test(test_names_are_sorted_and_commands_hide_apps),
        cmocka_unit_test(test_commands_complete),
        cmocka_unit_test(test_words_of_apps_complete),
        cmocka_unit_test(test_a_long_candidate_is_cut),
        cmocka_unit_test(test_bare_words_become_values),
        cmocka_unit_test(test_words_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
