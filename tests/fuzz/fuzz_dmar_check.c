// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the checks of the DMAR table, and of the tables that it is compared with. The input's first two
// bytes say how much of it is which; the tables are taken as they are, and once more with length and
// checksum of the DMAR table made right, so that the fuzzer gets to what is in it.

#include <stdlib.h>
#include <string.h>

#include "drivers/vtd/platform/dmar_check.h"
#include "tests/host/acpi_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct handoff_range ranges[] = {
    { 0, 0x70000000, HANDOFF_FREE, 7 },
    { 0x7c000000, 0x00800000, HANDOFF_OTHER, 0 },
};

// Bridges on each bus, one of which leads back to where it came from.
static struct check_function functions[32];

static void build_functions(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        functions[i] = (struct check_function){
            .bdf = (uint16_t)(i / 4 << 8 | i % 4 << 3),
            .header = i % 4 == 1,
            .secondary = (uint8_t)((i / 4 + 1) % 8),
        };
}

static struct check_bytes copy(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size ? size : 1);
    memcpy(bytes, data, size);
    return (struct check_bytes){ bytes, size };
}

// Each verdict is one that its check can have, and what was found is told.
static void check(const struct dmar_check_input *in)
{
    static struct checks c;
    dmar_check(in, &c);
    for (size_t i = 0; i < CHECKS; i++) {
        const struct check_result *r = &c.of[i];
        bool bad = r->verdict == checks_list[i].bad;
        if (bad != (r->count > 0) || (bad && !r->found[0]) ||
            (!bad && r->verdict != CHECK_PASS && r->verdict != CHECK_SKIPPED))
            abort();
    }
}

static void finish(uint8_t *dmar, size_t size)
{
    static struct blob b;
    if (size < 48 || size > sizeof(b.bytes))
        return;
    b.length = size;
    memcpy(b.bytes, dmar, size);
    memcpy(b.bytes, "DMAR", 4);
    blob_finish(&b);
    memcpy(dmar, b.bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t left = size - 2, dmar = MIN(left, data[0] * 8u), madt = MIN(left - dmar, data[1] * 2u);
    struct check_bytes d = copy(data + 2, dmar), m = copy(data + 2 + dmar, madt);
    struct check_bytes s = copy(data + 2 + dmar + madt, left - dmar - madt);
    build_functions();
    struct dmar_check_input in = { .dmar = d, .madt = m, .hpet = m, .srat = s };
    // The caller has checked the headers of the last ones.
    if (s.length < 48)
        in.srat.bytes = NULL;
    check(&in);
    in.ranges = ranges;
    in.ranges_count = ARRAY_SIZE(ranges);
    in.functions = functions;
    in.functions_count = ARRAY_SIZE(functions);
    finish((uint8_t *)d.bytes, d.length);
    check(&in);
    free((void *)d.bytes);
    free((void *)m.bytes);
    free((void *)s.bytes);
    return 0;
}
