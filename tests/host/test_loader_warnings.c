// SPDX-License-Identifier: BSD-2-Clause
// What the loader hands over as wrong is told of, once each, with its values.

#include "init/loader_warnings.h"
#include "kernel/base/report.h" // before cmocka, whose fail() is a macro

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "init/loader_warnings.c" // init/ is in no archive of the host's

static unsigned warned;
static char what[HANDOFF_WARNINGS][32], text[HANDOFF_WARNINGS][256];

void warn(const char *id, const char *fmt, ...)
{
    va_list args;
    assert_in_range(warned, 0, HANDOFF_WARNINGS - 1);
    snprintf(what[warned], sizeof(what[0]), "%s", id);
    va_start(args, fmt);
    vsnprintf(text[warned++], sizeof(text[0]), fmt, args);
    va_end(args);
}

static void test_none(void **state)
{
    static const struct handoff h;
    loader_warnings(&h);
    assert_int_equal(warned, 0);
}

static void test_all(void **state)
{
    static struct handoff h;
    h.warnings[HANDOFF_WARN_MEMORY_MAP] = (struct handoff_warned){ 3, { 0x7000, 0x123456 } };
    h.warnings[HANDOFF_WARN_LOAD_OPTIONS] = (struct handoff_warned){ 1, { 77 } };
    h.warnings[HANDOFF_WARN_SPCR] = (struct handoff_warned){ 1, { HANDOFF_SPCR_INTERFACE, 0x13 } };
    loader_warnings(&h);
    assert_int_equal(warned, HANDOFF_WARNINGS);
    assert_string_equal(what[0], "memory-map");
    assert_non_null(strstr(text[0], "3 descriptors"));
    assert_non_null(strstr(text[0], "0x123456 pages at 0x7000"));
    assert_string_equal(what[1], "load-options");
    assert_non_null(strstr(text[1], "77 bytes"));
    assert_string_equal(what[2], "spcr");
    assert_non_null(strstr(text[2], "no 16550's (0x13)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
