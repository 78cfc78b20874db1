// SPDX-License-Identifier: BSD-2-Clause
// What a program says, as the kernel gets it, and how it ends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "domain/report.c"
#include "domain/call.h"

#undef fail
#include <cmocka.h>

static struct {
    enum domain_text kind;
    char text[DOMAIN_TEXT_BYTES + 1];
    size_t bytes;
    unsigned busy; // so often the kernel has no time
    unsigned tries, prints;
    int exit; // -1: none
} kernel;
static jmp_buf ended;

int64_t domain_call(enum domain_call number, uint64_t a, uint64_t b, uint64_t c)
{
    if (number == DOMAIN_CALL_EXIT) {
        kernel.exit = (int)a;
        longjmp(ended, 1);
    }
    assert_int_equal(number, DOMAIN_CALL_PRINT);
    kernel.tries++;
    if (kernel.busy) {
        kernel.busy--;
        return DOMAIN_BUSY;
    }
    assert_true(c <= DOMAIN_TEXT_BYTES);
    kernel.kind = (enum domain_text)a;
    memcpy(kernel.text, (const char *)b, c);
    kernel.text[c] = 0;
    kernel.bytes = c;
    kernel.prints++;
    return DOMAIN_OK;
}

const struct domain_info *domain_info(void)
{
    return NULL;
}

static int begin(void **state)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.exit = -1;
    failed = false;
    return 0;
}

static void got(enum domain_text kind, const char *text)
{
    assert_int_equal(kernel.prints, 1);
    assert_int_equal(kernel.kind, kind);
    assert_string_equal(kernel.text, text);
    kernel.prints = 0;
}

static void lines(void **state)
{
    info("%u reads", 7u);
    got(DOMAIN_TEXT_INFO, "7 reads");
    warn("odd-thing", "it is %s", "odd");
    got(DOMAIN_TEXT_WARN, "odd-thing it is odd");
    assert_false(report_failed());
    error("bad-thing", "it is %d", -1);
    got(DOMAIN_TEXT_ERROR, "bad-thing it is -1");
    assert_true(report_failed());
    assert_int_equal(kernel.exit, -1);
}

static void problems(void **state)
{
    struct problem p = { "some-id", "a sentence" };
    warn_problem(&p);
    got(DOMAIN_TEXT_WARN, "some-id a sentence");
    assert_false(report_failed());
    error_problem(&p);
    got(DOMAIN_TEXT_ERROR, "some-id a sentence");
    assert_true(report_failed());
}

static void an_end(void **state)
{
    if (!setjmp(ended))
        (fail)("no-use", "there is no %s", "use");
    got(DOMAIN_TEXT_ERROR, "no-use there is no use");
    assert_int_equal(kernel.exit, 1);
    begin(NULL);
    if (!setjmp(ended))
        fail_problem(&(struct problem){ "what", "why" });
    got(DOMAIN_TEXT_ERROR, "what why");
    assert_int_equal(kernel.exit, 1);
}

static void a_busy_kernel(void **state)
{
    kernel.busy = 3;
    info("now");
    got(DOMAIN_TEXT_INFO, "now");
    assert_int_equal(kernel.tries, 4);
}

static void objects(void **state)
{
    char buffer[64];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "hello");
    json_u64(&j, "reads", 7);
    report_json(&j);
    got(DOMAIN_TEXT_JSON, "{\"type\":\"hello\",\"reads\":7}");
    json_begin(&j, buffer, sizeof(buffer), "hello");
    json_text(&j, "long", "0123456789012345678901234567890123456789012345678901234567890123");
    report_json(&j);
    got(DOMAIN_TEXT_INFO, "warning: a JSON object did not fit its buffer and was left out");
}

static void an_object_that_is_too_long_for_a_call(void **state)
{
    static char buffer[DOMAIN_TEXT_BYTES + 100], text[DOMAIN_TEXT_BYTES + 1];
    struct json j;
    for (unsigned more = 0; more < 2; more++) { // the longest, and one more
        memset(text, 'x', sizeof(text));
        text[DOMAIN_TEXT_BYTES - strlen("{\"type\":\"a\",\"b\":\"\"}") + more] = 0;
        json_begin(&j, buffer, sizeof(buffer), "a");
        json_text(&j, "b", text);
        report_json(&j);
        assert_int_equal(kernel.kind, more ? DOMAIN_TEXT_INFO : DOMAIN_TEXT_JSON);
        assert_int_equal(kernel.bytes == DOMAIN_TEXT_BYTES, !more);
    }
    assert_non_null(strstr(kernel.text, "did not fit into one call"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines, begin),
        cmocka_unit_test_setup(problems, begin),
        cmocka_unit_test_setup(an_end, begin),
        cmocka_unit_test_setup(a_busy_kernel, begin),
        cmocka_unit_test_setup(objects, begin),
        cmocka_unit_test_setup(an_object_that_is_too_long_for_a_call, begin),
    };
    return cmocka_run_group_tests_name("what a program says", tests, NULL, NULL);
}
