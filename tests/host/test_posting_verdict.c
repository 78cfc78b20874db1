// SPDX-License-Identifier: BSD-2-Clause
// Verdicts of test=posting, and their lines of KTAP.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/vtd/posting/verdict.h"

static void expect(const struct verdict *v, const char *result, const char *remark)
{
    char line[KTAP_BYTES];
    assert_int_equal(ktap_result(line, sizeof(line), 7, "on-set", v), strlen(result));
    assert_string_equal(line, result);
    assert_int_equal(ktap_remark(line, sizeof(line), "on-set", v), strlen(remark));
    assert_string_equal(line, remark);
}

static void test_passed(void **state)
{
    struct verdict v = { 0 };
    expect(&v, "ok 7 on-set", "");
    assert_true(verdict_note(&v, "%u of them", 3u));
    assert_string_equal(verdict_name(&v), "passed");
    expect(&v, "ok 7 on-set", "# on-set: 3 of them");
}

static void test_failed(void **state)
{
    struct verdict v = { 0 };
    assert_false(verdict_fail(&v, "ON is %u", 0u));
    assert_string_equal(verdict_name(&v), "failed");
    expect(&v, "not ok 7 on-set", "# on-set: ON is 0");
}

static void test_skipped(void **state)
{
    struct verdict v = { 0 };
    assert_false(verdict_skip(&v, "no %s", "CPU"));
    assert_string_equal(verdict_name(&v), "skipped");
    expect(&v, "ok 7 on-set # SKIP no CPU", "");
}

// What follows a failure, or what isn't there, is of no account; a remark gives way to both.
static void test_first_one_stands(void **state)
{
    struct verdict v = { 0 };
    verdict_note(&v, "a remark");
    verdict_fail(&v, "the first");
    verdict_skip(&v, "the second");
    verdict_note(&v, "the third");
    expect(&v, "not ok 7 on-set", "# on-set: the first");
    v = (struct verdict){ 0 };
    verdict_skip(&v, "nothing there");
    verdict_fail(&v, "so it fails");
    expect(&v, "ok 7 on-set # SKIP nothing there", "");
}

static void test_long_texts_fit(void **state)
{
    struct verdict v = { 0 };
    char line[KTAP_BYTES], name[65];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    verdict_skip(&v, "%0*d", 500, 0);
    assert_int_equal(strlen(v.text), sizeof(v.text) - 1);
    assert_in_range(ktap_result(line, sizeof(line), ~0u, name, &v), 1, sizeof(line) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passed),         cmocka_unit_test(test_failed),
        cmocka_unit_test(test_skipped),        cmocka_unit_test(test_first_one_stands),
        cmocka_unit_test(test_long_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
