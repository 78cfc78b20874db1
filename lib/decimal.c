// SPDX-License-Identifier: BSD-2-Clause
// Decimal numbers longer than a register: limbs of nine digits, the lowest first.
#include "lib/decimal.h"

#include "lib/format.h"
#include "lib/string.h"

#define LIMB 1000000000u // times a 32-bit factor, plus a carry, it fits into 64 bits
#define LIMBS 6

static void multiply_add(uint32_t limbs[LIMBS], uint64_t factor, uint64_t carry)
{
    for (unsigned i = 0; i < LIMBS; i++) {
        uint64_t sum = limbs[i] * factor + carry;
        limbs[i] = (uint32_t)(sum % LIMB);
        carry = sum / LIMB;
    }
}

const char *decimal_text(const uint64_t value[2], uint32_t times, char to[DECIMAL_BYTES])
{
    uint32_t limbs[LIMBS] = { 0 };
    unsigned top = LIMBS - 1;

    for (unsigned word = 4; word-- > 0;)
        multiply_add(limbs, 1ull << 32, (uint32_t)(value[word / 2] >> 32 * (word % 2)));
    multiply_add(limbs, times, 0);

    while (top > 0 && !limbs[top])
        top--;
    int used = format_text(to, DECIMAL_BYTES, "%u", limbs[top]);
    while (top-- > 0)
        used += format_text(to + used, DECIMAL_BYTES - (size_t)used, "%09u", limbs[top]);
    return to;
}

const char *decimal_si(const char *digits, char *to, size_t bytes)
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q" };
    size_t length = strlen(digits);
    size_t group = MIN((length - 1) / 3, ARRAY_SIZE(prefixes) - 1);
    size_t whole = length - 3 * group; // digits before the point
    uint64_t hundredths = 0;

    for (size_t i = 0; i < whole + 2; i++)
        hundredths = hundredths * 10 + (uint64_t)(i < length ? digits[i] - '0' : 0);
    hundredths += whole + 2 < length && digits[whole + 2] >= '5';
    format_text(to, bytes, "%llu.%02llu %s", (unsigned long long)(hundredths / 100),
                (unsigned long long)(hundredths % 100), prefixes[group]);
    return to;
}
