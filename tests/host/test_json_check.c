// SPDX-License-Identifier: BSD-2-Clause
// JSON of others: what is one object of ours, and what only looks like one.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json_check.h"

// From memory of just that size, so that a look past its end is seen.
static bool is_good(const char *text)
{
    size_t bytes = strlen(text), length = 0;
    char *copy = malloc(bytes);
    const char *type = NULL;
    memcpy(copy, text, bytes);
    bool good = json_check(copy, bytes, "domain", &type, &length);
    if (good) {
        assert_ptr_equal(type, copy + strlen("{\"type\":\""));
        assert_int_equal(type[length], '"');
    }
    free(copy);
    return good;
}

static void objects_are_taken(void **state)
{
    static const char *const good[] = {
        "{\"type\":\"job\"}",
        "{\"type\":\"a_1\",\"n\":0,\"m\":-12.50e+3,\"k\":1E5}",
        "{\"type\":\"job\",\"t\":true,\"f\":false,\"n\":null,\"s\":\"\\\"\\\\\\u00e9 {[\"}",
        "{\"type\":\"job\",\"list\":[],\"of\":[1,[2,{}],{\"x\":[\"y\"]}]}",
        "{\"type\":\"job\" , \"a\" : 1 , \"b\":[ 1 , 2 ] }",
        "{\"type\":\"job\",\"nested\":{\"type\":\"end\",\"domain\":\"other\"}}", // not its own
        "{\"type\":\"job\",\"types\":1,\"typ\":2,\"domains\":3}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!is_good(good[i]))
            fail_msg("%s", good[i]);
}

static void all_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "[]",
        "{\"type\":\"\"}",
        "{\"type\":\"Job\"}",
        "{\"type\":\"jo\\u0062\"}",
        "{\"type\":\"job",
        "{\"type\":\"job\"",
        "{\"type\":\"job\",}",
        "{\"type\":\"job\"} ",
        "{\"type\":\"job\"}{\"type\":\"end\"}",
        "{\"a\":1,\"type\":\"job\"}",
        " {\"type\":\"job\"}",
        "{\"type\":\"job\",\"type\":\"end\"}",
        "{\"type\":\"job\",\"a\":1,\"type\":\"end\"}",
        "{\"type\":\"job\",\"\\u0074ype\":\"end\"}",
        "{\"type\":\"job\",\"domain\":\"other\"}",
        "{\"type\":\"job\",\"a\":{},\"domain\":\"other\"}",
        "{\"type\":\"job\",\"dom\\u0061in\":\"other\"}",
        "{\"type\":\"job\",\"a\"}",
        "{\"type\":\"job\",\"a\":}",
        "{\"type\":\"job\",a:1}",
        "{\"type\":\"job\",\"a\":01}",
        "{\"type\":\"job\",\"a\":1.}",
        "{\"type\":\"job\",\"a\":-}",
        "{\"type\":\"job\",\"a\":1e}",
        "{\"type\":\"job\",\"a\":tru}",
        "{\"type\":\"job\",\"a\":\"\\x\"}",
        "{\"type\":\"job\",\"a\":\"\\u12g4\"}",
        "{\"type\":\"job\",\"a\":\"\\u12\"}",
        "{\"type\":\"job\",\"a\":\"\n\"}",
        "{\"type\":\"job\",\"a\":\"\x7f\"}",
        "{\"type\":\"job\",\"a\":\"\xc3\xa9\"}",
        "{\"type\":\"job\",\n\"a\":1}",
        "{\"type\":\"job\",\"a\":[1,2}",
        "{\"type\":\"job\",\"a\":[1 2]}",
        "{\"type\":\"job\",\"a\":{\"b\":1]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (is_good(bad[i]))
            fail_msg("%s", bad[i]);
}

static bool nests(unsigned depth)
{
    char text[128] = "{\"type\":\"job\",\"a\":";
    size_t at = strlen(text);
    memset(text + at, '[', depth);
    memset(text + at + depth, ']', depth);
    text[at + 2 * depth] = '}';
    return is_good(text);
}

static void depth_has_a_bound(void **state)
{
    assert_true(nests(15));
    assert_false(nests(40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_taken),
        cmocka_unit_test(all_else_is_refused),
        cmocka_unit_test(depth_has_a_bound),
    };
    return cmocka_run_group_tests_name("JSON of others", tests, NULL, NULL);
}
