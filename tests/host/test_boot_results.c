// SPDX-License-Identifier: BSD-2-Clause
// Files of results: when they are asked for, their names, and the record of where the next one's lines are.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uchar.h>

#include "boot/results_files.h"
#include "lib/crc32c.h"
#include "lib/cache.h"
#include "lib/kept.h"

#include <cmocka.h>

void cache_model_flush(const volatile void *at, size_t bytes)
{
}

static void test_words(void **state)
{
    assert_true(results_wanted("results=1"));
    assert_true(results_wanted("menu=5 results=1 app=job"));
    assert_true(results_wanted("results=0 results=1"));
    assert_false(results_wanted(""));
    assert_false(results_wanted("results=1 results=0"));
    assert_false(results_wanted("results=10"));
    assert_false(results_wanted("results="));
    assert_false(results_wanted("noresults=1"));
    assert_false(results_wanted("results"));
}

static unsigned heed(const char16_t *name, unsigned highest)
{
    size_t chars = 0;
    while (name[chars])
        chars++;
    results_name_heed(name, chars + 1, &highest);
    return highest;
}

static void test_names_that_are_there(void **state)
{
    assert_int_equal(heed(u"0001.jsonl", 0), 1);
    assert_int_equal(heed(u"0042 of server 7.txt", 3), 42);
    assert_int_equal(heed(u"0002.jsonl", 3), 3);
    assert_int_equal(heed(u"9999", 0), 9999);
    assert_int_equal(heed(u".", 5), 5);
    assert_int_equal(heed(u"pending", 5), 5);
    assert_int_equal(heed(u"123", 5), 5);
    assert_int_equal(heed(u"12a4", 5), 5);
    assert_int_equal(heed(u"12:4", 5), 5);
    unsigned highest = 0;
    results_name_heed(u"1234", 3, &highest); // cut off
    assert_int_equal(highest, 0);
}

static void test_next_name(void **state)
{
    uint16_t name[RESULTS_NAME_CHARS];
    assert_true(results_name_next(0, name));
    assert_memory_equal(name, u"0001.jsonl", sizeof(name));
    assert_true(results_name_next(1208, name));
    assert_memory_equal(name, u"1209.jsonl", sizeof(name));
    assert_true(results_name_next(9998, name));
    assert_memory_equal(name, u"9999.jsonl", sizeof(name));
    assert_false(results_name_next(9999, name));
}

static bool is_good(uint64_t base)
{
    struct results_pending r;
    results_pending_make(&r, base, 7);
    return results_pending_is_good(&r, sizeof(r));
}

static void test_record(void **state)
{
    struct results_pending r;
    const uint64_t end = 1ull << 52;
    assert_true(is_good(0x1ff00000));
    assert_true(is_good(end - KEPT_BYTES));
    assert_false(is_good(end - KEPT_BYTES + 4096));
    assert_false(is_good(0ull - 4096));
    assert_false(is_good(0));
    assert_false(is_good(0x1ff00800));
    results_pending_make(&r, 0x1ff00000, 7);
    assert_false(results_pending_is_good(&r, sizeof(r) - 1));
    r.nonce++;
    assert_false(results_pending_is_good(&r, sizeof(r)));
    results_pending_make(&r, 0x1ff00000, 7);
    r.magic++;
    r.crc = crc32c(0, &r, offsetof(struct results_pending, crc));
    assert_false(results_pending_is_good(&r, sizeof(r)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_names_that_are_there),
        cmocka_unit_test(test_next_name),
        cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
