// SPDX-License-Identifier: BSD-2-Clause
// What is told of a life's end, and what counts as an error of the run.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/report.h" // before cmocka's fail()

#include <cmocka.h>

#include "kernel/domain/life.h"
#include "kernel/domain/tell.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"

static struct domain d;
static struct domain_words words = { .name = "web" };
static unsigned lines, errors;
static bool failed; // the run, before
static char json[256], said[512];

uint64_t time_ns(void)
{
    return 7 * NS_PER_MS;
}

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    lines++;
}

void error(const char *what, const char *fmt, ...)
{
    assert_string_equal(what, "domain-failed");
    assert_false(report_failed()); // one is enough
    errors++;
}

bool report_failed(void)
{
    return failed || errors;
}

void report_json(struct json *j)
{
    (void)snprintf(json, sizeof(json), "%.*s", (int)j->used, j->buffer);
}

uint64_t mem_free_bytes(void)
{
    return 4096;
}

uint64_t mem_dma_bytes(void)
{
    return 512;
}

uint64_t mem_dma_used(void)
{
    return 12;
}

static void end(enum domain_state state, enum domain_end why)
{
    lines = errors = 0;
    d = (struct domain){ .words = &words, .state = state, .end = why, .lives = 1 };
    d.began_ns = 4 * NS_PER_MS;
    domain_tell_end(&d);
}

static void test_each_end(void **state)
{
    static const char *const ends[] = { "exit", "failed", "fault", "time", "killed" };
    char expected[64];
    failed = false;
    for (unsigned why = DOMAIN_END_EXIT; why <= DOMAIN_END_KILLED; why++) {
        end(DOMAIN_STOPPING, (enum domain_end)why);
        (void)snprintf(expected, sizeof(expected), "\"life\":1,\"end\":\"%s\",\"ms\":3", ends[why]);
        assert_non_null(strstr(json, expected));
        assert_non_null(strstr(json, "\"memory_free\":4596")); // what the arena has left included
        assert_non_null(strstr(said, "web"));
        assert_int_equal(lines, 1);
    }
}

static void test_before_it_began(void **state)
{
    end(DOMAIN_SETTING_UP, DOMAIN_END_START);
    assert_non_null(strstr(json, "\"life\":2,\"end\":\"start\",\"ms\":0"));
}

// Other ends have told why, or are no mistake of anybody's.
static void test_failed_without_a_word(void **state)
{
    for (unsigned why = DOMAIN_END_EXIT; why <= DOMAIN_END_START; why++)
        for (unsigned told = 0; told < 2; told++) {
            failed = told;
            end(DOMAIN_STOPPING, (enum domain_end)why);
            assert_int_equal(errors, why == DOMAIN_END_FAILED && !told);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_end),
        cmocka_unit_test(test_before_it_began),
        cmocka_unit_test(test_failed_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
