// SPDX-License-Identifier: BSD-2-Clause
// Zoned namespaces and reports of their zones, honest and not.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/identify.h"

#define ZONE 100ull // blocks: no power of two

static struct nvme_identify_zoned_namespace data;
static struct nvme_identify_zoned_controller ctrl;
static struct nvme_format format;
static struct nvme_zoned zoned;
static struct warnings w;
static struct problem p;

static int begin(void **state)
{
    memset(&data, 0, sizeof(data));
    memset(&ctrl, 0, sizeof(ctrl));
    format = (struct nvme_format){ .blocks = 10 * ZONE, .block_shift = 12, .index = 2 };
    data.mar = data.mor = ~0u;
    data.lbafe[2].zsze = ZONE;
    return 0;
}

static bool parse(void)
{
    memset(&w, 0, sizeof(w));
    memset(&zoned, 0xff, sizeof(zoned));
    return nvme_parse_zoned("x", &data, &ctrl, &format, MIB, &zoned, &w, &p);
}

static void parses_clean(void)
{
    assert_true(parse());
    assert_int_equal(w.count, 0);
}

static void warns(const char *text)
{
    assert_true(parse());
    assert_int_equal(w.count, 1);
    if (!strstr(w.kinds[0].first.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", w.kinds[0].first.message, text);
}

static void good(void **state)
{
    data.ozcs = 1;
    data.mar = 13;
    data.mor = 5;
    data.lbafe[2].zdes = 2;
    ctrl.zasl = 3;
    parses_clean();
    assert_int_equal(zoned.zone_blocks, ZONE);
    assert_int_equal(zoned.zones, 10);
    assert_int_equal(zoned.max_active, 14);
    assert_int_equal(zoned.max_open, 6);
    assert_int_equal(zoned.max_append, 32 * KIB);
    assert_true(zoned.read_across);
    assert_int_equal(zoned.extension_bytes, 128);
}

// The format in use has its own size of zones; numbers once more.
static void by_offset(void **state)
{
    uint64_t size = 7;
    memcpy((uint8_t *)&data + 2816 + 2 * 16, &size, 8);
    format.blocks = 70;
    parses_clean();
    assert_int_equal(zoned.zone_blocks, 7);
}

static void appends(void **state)
{
    parses_clean();
    assert_int_equal(zoned.max_append, MIB);
    ctrl.zasl = 9; // more than a command is used for
    parses_clean();
    assert_int_equal(zoned.max_append, MIB);
    ctrl.zasl = 255;
    parses_clean();
    assert_int_equal(zoned.max_append, MIB);
    assert_true(nvme_parse_zoned("x", &data, NULL, &format, 8 * KIB, &zoned, &w, &p));
    assert_int_equal(zoned.max_append, 8 * KIB);
}

static void open_and_active(void **state)
{
    parses_clean();
    assert_int_equal(zoned.max_active, 0);
    assert_int_equal(zoned.max_open, 0);
    data.mor = 4;
    parses_clean();
    assert_int_equal(zoned.max_open, 5);
    data.mor = ~0u;
    data.mar = 4; // limits open ones, too
    parses_clean();
    assert_int_equal(zoned.max_open, 5);
    data.mor = 5;
    warns("it can have 6 zones open (MOR), but 5 active (MAR)");
    assert_int_equal(zoned.max_open, 5);
}

static void sizes(void **state)
{
    data.lbafe[2].zsze = 0;
    assert_false(parse());
    assert_string_equal(p.what, "nvme-zone-size");
    assert_string_equal(p.message, "x: zones of 0 blocks, in a namespace of 1000");
    data.lbafe[2].zsze = 1001;
    assert_false(parse());
    data.lbafe[2].zsze = 1000;
    parses_clean();
    assert_int_equal(zoned.zones, 1);
    data.lbafe[2].zsze = 300;
    warns("1000 blocks aren't whole zones of 300");
    assert_int_equal(zoned.zones, 3);
}

// ---- reports ----

static struct {
    struct nvme_zone_report header;
    struct nvme_zone_descriptor zones[10];
} report;
static struct block_zone zones[10];
static size_t count;

static void make_report(void)
{
    parses_clean();
    memset(&report, 0, sizeof(report));
    report.header.zones = 10;
    for (unsigned i = 0; i < 10; i++)
        report.zones[i] = (struct nvme_zone_descriptor){
            .type = NVME_ZONE_SEQUENTIAL,
            .state = NVME_ZONE_EMPTY << 4,
            .capacity = 90,
            .start = i * ZONE,
            .write_pointer = i * ZONE,
        };
}

static bool take(uint64_t first, size_t bytes, size_t most)
{
    memset(zones, 0xff, sizeof(zones));
    return nvme_parse_zones("x", &report, bytes, &zoned, first, zones, most, &count, &p);
}

static void whole_report(void **state)
{
    make_report();
    report.zones[3].state = NVME_ZONE_OPEN_EXPLICIT << 4;
    report.zones[3].write_pointer = 3 * ZONE + 17;
    report.zones[4].state = NVME_ZONE_FULL << 4;
    report.zones[4].write_pointer = ~0ull;
    assert_true(take(0, sizeof(report), 10));
    assert_int_equal(count, 10);
    assert_int_equal(zones[0].write_pointer, 0);
    assert_string_equal(zones[0].state, "empty");
    assert_int_equal(zones[3].start, 3 * ZONE);
    assert_int_equal(zones[3].capacity, 90);
    assert_int_equal(zones[3].write_pointer, 3 * ZONE + 17);
    assert_string_equal(zones[3].state, "explicitly open");
    assert_int_equal(zones[4].write_pointer, 4 * ZONE + 90);
    assert_string_equal(zones[4].state, "full");
}

static void parts_of_a_report(void **state)
{
    make_report();
    assert_true(take(0, sizeof(report), 4));
    assert_int_equal(count, 4);
    assert_true(take(0, 64 + 2 * 64 + 63, 10));
    assert_int_equal(count, 2);
    assert_true(take(0, 64, 10));
    assert_int_equal(count, 0);
    report.header.zones = 3;
    assert_true(take(0, sizeof(report), 10));
    assert_int_equal(count, 3);
    assert_false(take(0, 63, 10));
    report.header.zones = ~0ull;
    assert_true(take(0, sizeof(report), 10));
    assert_int_equal(count, 10);
}

static void from_a_later_zone(void **state)
{
    make_report();
    for (unsigned i = 0; i < 10; i++)
        report.zones[i].start = report.zones[i].write_pointer = (i + 8) * ZONE;
    assert_true(take(8 * ZONE, sizeof(report), 2));
    assert_int_equal(count, 2);
    assert_false(take(8 * ZONE, sizeof(report), 3)); // there are ten
    assert_int_equal(count, 2);
}

static void bad_zone(void)
{
    assert_false(take(0, sizeof(report), 10));
    assert_string_equal(p.what, "nvme-zones");
    assert_non_null(strstr(p.message, "its report of the zone at block 500 can't be"));
    assert_int_equal(count, 5);
    make_report();
}

static void reports_that_can_t_be(void **state)
{
    struct nvme_zone_descriptor *z = &report.zones[5];
    make_report();
    z->type = 1;
    bad_zone();
    z->state = 0x50;
    bad_zone();
    z->state = 0;
    bad_zone();
    z->start = 501;
    bad_zone();
    z->capacity = 0;
    bad_zone();
    z->capacity = 101;
    bad_zone();
    z->write_pointer = 501; // and empty
    bad_zone();
    z->state = NVME_ZONE_CLOSED << 4;
    z->write_pointer = 499;
    bad_zone();
    z->state = NVME_ZONE_OPEN_IMPLICIT << 4;
    z->write_pointer = 591;
    bad_zone();
    z->state = NVME_ZONE_OPEN_IMPLICIT << 4;
    z->write_pointer = 590;
    assert_true(take(0, sizeof(report), 10));
}

#define zones_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        zones_test(good),
        zones_test(by_offset),
        zones_test(appends),
        zones_test(open_and_active),
        zones_test(sizes),
        zones_test(whole_report),
        zones_test(parts_of_a_report),
        zones_test(from_a_later_zone),
        zones_test(reports_that_can_t_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
