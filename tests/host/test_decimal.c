// SPDX-License-Identifier: BSD-2-Clause
// Decimal numbers of up to 128 bits, and their SI prefixes.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/decimal.h"

static void is(uint64_t high, uint64_t low, uint32_t times, const char *text)
{
    char to[DECIMAL_BYTES];
    const uint64_t value[2] = { low, high };
    assert_string_equal(decimal_text(value, times, to), text);
}

static void numbers(void **state)
{
    is(0, 0, 1, "0");
    is(0, 5, 0, "0");
    is(0, 999999999, 1, "999999999");
    is(0, 1000000000, 1, "1000000000");
    is(0, 1000000000000000007, 1, "1000000000000000007");
    is(0, UINT64_MAX, 1, "18446744073709551615");
    is(1, 0, 1, "18446744073709551616");
    is(UINT64_MAX, UINT64_MAX, 1, "340282366920938463463374607431768211455");
}

static void products(void **state)
{
    is(0, 123456, 512000, "63209472000");
    is(0, UINT64_MAX, 512000, "9444732965739290426880000");
    is(UINT64_MAX, UINT64_MAX, UINT32_MAX, "1461501636990620551282746369252908412219869364225");
}

static void si(const char *digits, const char *text)
{
    char to[16];
    assert_string_equal(decimal_si(digits, to, sizeof(to)), text);
}

static void prefixes(void **state)
{
    si("0", "0.00 ");
    si("999", "999.00 ");
    si("1000", "1.00 k");
    si("8704", "8.70 k");
    si("67108864", "67.11 M");
    si("63209472000", "63.21 G");
    si("1994999", "1.99 M");
    si("1995000", "2.00 M");
    si("999999", "1000.00 k");
    si("1000000000000000000000000000000", "1.00 Q");
    si("12345678901234567890123456789012345678", "12345678.90 Q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(products),
        cmocka_unit_test(prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
