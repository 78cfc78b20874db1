// SPDX-License-Identifier: BSD-2-Clause
// Numbers for people.
#include "apps/human.h"

#include "lib/format.h"
#include "lib/muldiv.h"
#include "lib/string.h"

const char *human_count(char *to, uint64_t n)
{
    char digits[24];
    int length = format_text(digits, sizeof(digits), "%llu", (unsigned long long)n);
    char *at = to;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = 0;
    return to;
}

const char *human_size(char *to, uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;
    while (bytes && bytes % 1024 == 0 && unit + 1 < ARRAY_SIZE(units)) {
        bytes /= 1024;
        unit++;
    }
    format_text(to, HUMAN_BYTES, "%llu %s", (unsigned long long)bytes, units[unit]);
    return to;
}

const char *human_tenths(char *to, uint64_t tenths)
{
    human_count(to, tenths / 10);
    size_t used = strlen(to);
    format_text(to + used, HUMAN_BYTES - used, ".%u", (unsigned)(tenths % 10));
    return to;
}

const char *human_ratio(char *to, uint64_t a, uint64_t b, unsigned digits)
{
    uint64_t ten = 1;
    for (unsigned i = 0; i < digits; i++)
        ten *= 10;
    uint64_t value = mul_div(a, ten, b);
    format_text(to, HUMAN_BYTES, "%llu.%0*u", (unsigned long long)(value / ten), (int)digits,
                (unsigned)(value % ten));
    return to;
}

const char *human_time(char *to, uint64_t ns)
{
    if (ns < NS_PER_S)
        format_text(to, HUMAN_BYTES, "%llu ms", ns / NS_PER_MS);
    else
        format_text(to, HUMAN_BYTES, "%llu.%llu s", ns / NS_PER_S, ns % NS_PER_S / (NS_PER_S / 10));
    return to;
}

const char *human_duration(char *to, uint64_t seconds)
{
    unsigned long long h = seconds / 3600, min = seconds / 60 % 60, s = seconds % 60;
    if (h)
        format_text(to, HUMAN_BYTES, "%llu h %llu min", h, min);
    else if (min)
        format_text(to, HUMAN_BYTES, "%llu min %llu s", min, s);
    else
        format_text(to, HUMAN_BYTES, "%llu s", s);
    return to;
}
