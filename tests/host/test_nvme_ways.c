// SPDX-License-Identifier: BSD-2-Clause
// By what a disk is known again behind another controller, and the states of the ways to it.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/identify.h"

static struct nvme_identity id;
static struct warnings w;

// ---- identifiers ----

static void from_the_namespace(void **state)
{
    static struct nvme_identify_namespace ns;
    uint8_t *raw = (uint8_t *)&ns;
    raw[30] = 1; // NMIC
    raw[92] = 7; // ANAGRPID
    for (unsigned i = 0; i < 24; i++)
        raw[104 + i] = (uint8_t)(i + 1);
    nvme_parse_identity(&ns, &id);
    assert_true(id.shared);
    assert_int_equal(id.csi, 0);
    assert_int_equal(id.ana_group, 7);
    assert_int_equal(id.nguid[0], 1);
    assert_int_equal(id.nguid[15], 16);
    assert_int_equal(id.eui64[0], 17);
    assert_int_equal(id.eui64[7], 24);
    raw[30] = 0xfe;
    nvme_parse_identity(&ns, &id);
    assert_false(id.shared);
}

static uint8_t page[NVME_PAGE];
static size_t end;

static void begin_list(void)
{
    memset(page, 0, sizeof(page));
    memset(&id, 0, sizeof(id));
    memset(&w, 0, sizeof(w));
    end = 0;
}

static void add(uint8_t type, uint8_t bytes, uint8_t value)
{
    page[end] = type;
    page[end + 1] = bytes;
    memset(page + end + 4, value, MIN((size_t)bytes, sizeof(page) - end - 4));
    end += 4u + bytes;
}

static void from_the_list(void **state)
{
    begin_list();
    add(3, 16, 0x33);
    add(9, 5, 0x99); // of a later revision
    add(4, 1, 2);
    add(1, 8, 0x11);
    add(2, 16, 0x22);
    nvme_parse_descriptors("x", page, &id, &w);
    assert_int_equal(w.count, 0);
    assert_int_equal(id.csi, 2);
    assert_int_equal(id.uuid[15], 0x33);
    assert_int_equal(id.eui64[7], 0x11);
    assert_int_equal(id.nguid[15], 0x22);
}

static void list_ends(void **state)
{
    begin_list();
    add(4, 1, 2);
    add(0, 0, 0);
    add(3, 16, 0x33);
    nvme_parse_descriptors("x", page, &id, &w);
    assert_int_equal(w.count, 0);
    assert_int_equal(id.csi, 2);
    assert_int_equal(id.uuid[0], 0);
}

static void wrong_lengths(void **state)
{
    static const uint8_t bad[][2] = { { 1, 7 }, { 2, 8 }, { 3, 17 }, { 4, 2 } };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        begin_list();
        add(bad[i][0], bad[i][1], 0xff);
        add(4, 1, 2);
        nvme_parse_descriptors("x", page, &id, &w);
        assert_int_equal(w.count, 1);
        assert_string_equal(w.kinds[0].first.what, "nvme-identify");
        assert_int_equal(id.csi, 0);
    }
}

static void list_past_its_page(void **state)
{
    begin_list();
    while (end + 259 <= sizeof(page))
        add(9, 255, 1);
    add(9, (uint8_t)(sizeof(page) - end - 3), 1); // one byte too many
    nvme_parse_descriptors("x", page, &id, &w);
    assert_int_equal(w.count, 1);
    begin_list();
    while (end + 259 <= sizeof(page))
        add(9, 255, 1);
    add(9, (uint8_t)(sizeof(page) - end - 4), 1); // to its very end
    assert_int_equal(end, sizeof(page));
    nvme_parse_descriptors("x", page, &id, &w);
    assert_int_equal(w.count, 0);
}

// ---- one disk ----

static struct nvme_identity a, b;
static struct nvme_way way_a, way_b;

static void two_ways(void)
{
    memset(&a, 0, sizeof(a));
    a.shared = true;
    memset(a.nguid, 5, sizeof(a.nguid));
    b = a;
    way_a = (struct nvme_way){ "nqn.a", "S1", 1, 3, &a };
    way_b = (struct nvme_way){ "nqn.a", "S1", 2, 3, &b };
}

static void different(void)
{
    assert_false(nvme_is_same_disk(&way_a, &way_b));
    assert_false(nvme_is_same_disk(&way_b, &way_a));
    two_ways();
}

static void same(void)
{
    assert_true(nvme_is_same_disk(&way_a, &way_b));
    assert_true(nvme_is_same_disk(&way_b, &way_a));
    two_ways();
}

static void the_same_disk(void **state)
{
    two_ways();
    same();
    memset(b.nguid, 0, sizeof(b.nguid)); // one tells less
    same();
    b.ana_group = 2;
    same();
    memset(a.nguid, 0, sizeof(a.nguid));
    memset(b.nguid, 0, sizeof(b.nguid));
    same();
}

static void another_disk(void **state)
{
    two_ways();
    way_b.subsystem = "nqn.b";
    different();
    way_b.serial = "S2"; // with a subsystem's name that all of a kind have
    different();
    way_b.nsid = 4;
    different();
    way_b.controller = 1; // no subsystem has two of that number
    assert_false(nvme_is_same_subsystem(&way_a, &way_b));
    different();
    b.shared = false;
    different();
    b.nguid[15]++;
    different();
    a.eui64[7] = 1, b.eui64[7] = 2;
    different();
    a.uuid[0] = 1, b.uuid[0] = 2;
    different();
    b.csi = 2;
    different();
}

// ---- states ----

// Group 2 with three namespaces, optimized; group 7 with none, inaccessible.
static size_t make_log(uint8_t log[96])
{
    static const uint8_t bytes[96] = {
        [8] = 2, [16] = 2, [20] = 3, [32] = 1, [48] = 10, [52] = 11, [56] = 12, [60] = 7, [76] = 3,
    };
    memcpy(log, bytes, sizeof(bytes));
    return sizeof(bytes);
}

static void states(void **state)
{
    uint8_t log[96];
    enum nvme_ana_state s;
    size_t bytes = make_log(log);
    assert_true(nvme_parse_ana(log, bytes, 2, &s));
    assert_int_equal(s, NVME_ANA_OPTIMIZED);
    assert_true(nvme_parse_ana(log, bytes, 7, &s));
    assert_string_equal(nvme_ana_text(s), "inaccessible");
    assert_false(nvme_parse_ana(log, bytes, 3, &s));
    log[76] = 0xf4; // reserved bits above it
    assert_true(nvme_parse_ana(log, bytes, 7, &s));
    assert_string_equal(nvme_ana_text(s), "persistent loss");
    log[76] = 5;
    assert_false(nvme_parse_ana(log, bytes, 7, &s));
}

static void logs_that_end_early(void **state)
{
    uint8_t log[96];
    enum nvme_ana_state s;
    size_t whole = make_log(log);
    for (size_t bytes = 0; bytes < 92; bytes++)
        assert_int_equal(nvme_parse_ana(log, bytes, 7, &s), false);
    assert_true(nvme_parse_ana(log, 92, 7, &s));
    log[22] = 0xff; // namespaces without end
    assert_false(nvme_parse_ana(log, whole, 7, &s));
    assert_true(nvme_parse_ana(log, whole, 2, &s));
    make_log(log);
    log[8] = 1;
    assert_false(nvme_parse_ana(log, whole, 7, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_namespace),  cmocka_unit_test(from_the_list),
        cmocka_unit_test(list_ends),           cmocka_unit_test(wrong_lengths),
        cmocka_unit_test(list_past_its_page),  cmocka_unit_test(the_same_disk),
        cmocka_unit_test(another_disk),        cmocka_unit_test(states),
        cmocka_unit_test(logs_that_end_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
