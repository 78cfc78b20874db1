// SPDX-License-Identifier: BSD-2-Clause
// CRC-32C: the vectors of RFC 3720 B.4, both ways of computing it, and any split of the bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/crc32c.h"
#include "lib/string.h"

typedef uint32_t (*crc_fn)(uint32_t crc, const void *bytes, size_t count);

static void check_vectors(crc_fn crc)
{
    uint8_t bytes[32];
    assert_int_equal(crc(0, "", 0), 0);
    assert_int_equal(crc(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, 32);
    assert_int_equal(crc(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(crc(0, bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc(0, bytes, 32), 0x46dd794e);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc(0, bytes, 32), 0x113fdb5c);
}

static void test_table(void **state)
{
    check_vectors(crc32c_by_table);
}

static void test_instruction(void **state)
{
    if (!crc32c_has_instruction())
        skip();
    check_vectors(crc32c_by_instruction);
}

static void test_chosen(void **state)
{
    check_vectors(crc32c); // asks CPUID
    check_vectors(crc32c); // remembers
}

static void test_ways_agree_at_any_length_and_alignment(void **state)
{
    uint8_t bytes[256];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t start = 0; start < 9; start++)
        for (size_t count = 0; count <= 200; count++)
            assert_int_equal(crc32c(start, bytes + start, count),
                             crc32c_by_table(start, bytes + start, count));
}

static void test_any_split_gives_the_same(void **state)
{
    const char *text = "one bell for many completions, and none for the rest of them";
    uint32_t whole = crc32c(0, text, strlen(text));
    for (size_t first = 0; first <= strlen(text); first++)
        assert_int_equal(crc32c(crc32c(0, text, first), text + first, strlen(text) - first), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_instruction),
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_ways_agree_at_any_length_and_alignment),
        cmocka_unit_test(test_any_split_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
