// SPDX-License-Identifier: BSD-2-Clause
// Which programs the loader looks for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/program_names.h"

static void expect(const char *words, unsigned count, const char *const names[])
{
    char name[HANDOFF_PROGRAM_NAME];
    for (unsigned i = 0; i < count; i++) {
        memset(name, 'x', sizeof(name));
        if (!program_names_next(&words, name))
            fail_msg("\"%s\" isn't found", names[i]);
        assert_string_equal(name, names[i]);
    }
    assert_false(program_names_next(&words, name));
    assert_int_equal(words[0], 0);
}

#define EXPECT(words, ...)                                                                         \
    expect(words, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),                        \
           (const char *const[]){ __VA_ARGS__ })

static void test_of_each_domain(void **state)
{
    EXPECT("domain=a:cpus=1:prog=my-app:bs=4k", "my-app");
    EXPECT("domain=a:cpus=1", "");
    EXPECT("irq=poll domain=a:cpus=1:prog=x domain=b:cpus=2 app=job domain=c:prog=Y_2:cpus=3", "x",
           "", "Y_2");
    EXPECT("domain=a:prog=1234567890123456789012345678901", "1234567890123456789012345678901");
}

static void test_of_no_domain(void **state)
{
    expect("", 0, NULL);
    expect("app=job", 0, NULL);
    expect("prog=x", 0, NULL);
    expect("xdomain=a:prog=x", 0, NULL);
    expect("domains=a:prog=x", 0, NULL);
    expect("domain", 0, NULL);
}

static void test_of_its_words_alone(void **state)
{
    EXPECT("domain=a:xprog=x", "");
    EXPECT("domain=prog=x", "");
    EXPECT("domain=a:cpus=1 prog=x", "");
    EXPECT("domain=a:words=:prog=x", "x");
}

static void test_nothing_leads_out_of_the_folder(void **state)
{
    expect("domain=a:prog=..\\x", 0, NULL);
    expect("domain=a:prog=x\\y", 0, NULL);
    expect("domain=a:prog=a/b:cpus=1", 0, NULL);
    expect("domain=a:prog=x.elf", 0, NULL);
    expect("domain=a:prog=", 0, NULL);
    expect("domain=a:prog=12345678901234567890123456789012", 0, NULL);
    EXPECT("domain=a:prog=.. domain=b:prog=x", "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_each_domain),
        cmocka_unit_test(test_of_no_domain),
        cmocka_unit_test(test_of_its_words_alone),
        cmocka_unit_test(test_nothing_leads_out_of_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
