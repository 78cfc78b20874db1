// SPDX-License-Identifier: BSD-2-Clause
// What a controller says that it can do: each field by its place on the wire, and what can't be.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/identify.h"
#include "drivers/nvme/quirks.h"

static struct nvme_identify_controller data;
static struct nvme_abilities a;
static struct warnings w;

static int begin(void **state)
{
    memset(&data, 0, sizeof(data));
    memset(data.sn, ' ', sizeof(data.sn) + sizeof(data.mn) + sizeof(data.fr));
    return 0;
}

static void parse(unsigned quirks)
{
    memset(&a, 0xff, sizeof(a));
    memset(&w, 0, sizeof(w));
    nvme_parse_abilities("x", &data, quirks, &a, &w);
}

static void parses_clean(void)
{
    parse(0);
    assert_int_equal(w.count, 0);
}

static void warns(const char *text)
{
    parse(0);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.kinds[0].count, 1);
    assert_string_equal(w.kinds[0].first.what, "nvme-identify");
    if (!strstr(w.kinds[0].first.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", w.kinds[0].first.message, text);
}

static void put(size_t offset, uint32_t value, size_t bytes)
{
    memcpy((uint8_t *)&data + offset, &value, bytes);
}

static void nothing(void **state)
{
    parses_clean();
    assert_int_equal(a.commands, 0);
    assert_false(a.compare_and_write || a.write_cache || a.flush_all || a.sgl || a.shares || a.ana);
    assert_int_equal(a.atomic, 1);
    assert_int_equal(a.event_most, 1);
    assert_int_equal(a.abort_most, 1);
    assert_int_equal(a.error_entries, 1);
    assert_int_equal(a.warning_kelvin | a.critical_kelvin, 0);
    assert_int_equal(a.stripe, 0);
}

// Numbers from the specification's own table, once more.
static void by_offset(void **state)
{
    put(76, 0x0a, 1);   // CMIC: more controllers, ANA
    put(78, 0x1234, 2); // CNTLID
    put(92, 0x88000b00 | 1, 4);
    put(128, 5, 2); // CRDT1
    put(130, 0xffff, 2);
    put(132, 7, 2);
    put(258, 3, 1);    // ACL
    put(259, 15, 1);   // AERL
    put(261, 0x0e, 1); // LPA
    put(262, 255, 1);  // ELPE
    put(266, 343, 2);  // WCTEMP
    put(268, 353, 2);  // CCTEMP
    put(270, 30, 2);   // MTFA
    put(320, 10, 2);   // KAS
    put(342, 4, 1);    // ANATT
    put(344, 16, 4);   // ANAGRPMAX
    put(348, 3, 4);    // NANAGRPID
    put(520, 0xffff, 2);
    put(522, 1, 2);      // FUSES
    put(525, 0x07, 1);   // VWC
    put(526, 127, 2);    // AWUN
    put(528, 7, 2);      // AWUPF
    put(532, 3, 2);      // ACWU
    put(534, 1, 2);      // copy formats
    put(536, 2, 4);      // SGLS
    put(96, 1 << 15, 4); // CTRATT
    parses_clean();
    assert_true(a.shares && a.ana && a.extended_formats);
    assert_int_equal(a.id, 0x1234);
    assert_int_equal(a.events, 0x08000b00);
    assert_int_equal(a.retry_ms[0], 0);
    assert_int_equal(a.retry_ms[1], 500);
    assert_int_equal(a.retry_ms[2], 6553500);
    assert_int_equal(a.retry_ms[3], 700);
    assert_int_equal(a.abort_most, 4);
    assert_int_equal(a.event_most, 16);
    assert_int_equal(a.logs, 0x0e);
    assert_int_equal(a.error_entries, 256);
    assert_int_equal(a.warning_kelvin, 343);
    assert_int_equal(a.critical_kelvin, 353);
    assert_int_equal(a.pause_ms, 3000);
    assert_int_equal(a.keep_alive_ms, 1000);
    assert_int_equal(a.ana_ms, 4000);
    assert_int_equal(a.ana_groups, 3);
    assert_int_equal(a.commands, 0x1ff);
    assert_true(a.compare_and_write && a.write_cache && a.flush_all && a.sgl);
    assert_int_equal(a.atomic, 128);
    assert_int_equal(a.atomic_power_fail, 8);
    assert_int_equal(a.atomic_compare, 4);
}

static void flush_of_all(void **state)
{
    static const bool wanted[] = { false, false, false, true };
    for (unsigned i = 0; i < 4; i++) {
        data.vwc = (uint8_t)(i << 1);
        parses_clean();
        assert_int_equal(a.flush_all, wanted[i]);
        assert_false(a.write_cache);
    }
}

static void sgls(void **state)
{
    data.sgls = 1;
    parses_clean();
    assert_true(a.sgl);
    parse(NVME_QUIRK_NO_SGL);
    assert_false(a.sgl);
    data.sgls = 3;
    warns("SGLS has a reserved value");
    assert_false(a.sgl);
}

static void write_zeroes(void **state)
{
    data.oncs = 0x0c;
    parse(NVME_QUIRK_NO_WRITE_ZEROES);
    assert_int_equal(a.commands, 0x04);
    assert_int_equal(w.count, 0);
}

// ---- what can't be ----

static void compare_in_fuses_alone(void **state)
{
    data.fuses = 1;
    warns("it fuses Compare and Write (FUSES), but has no Compare");
    assert_false(a.compare_and_write);
}

static void copy_without_a_format(void **state)
{
    data.oncs = 0x100;
    data.ocfs = 2;
    warns("not by format 0 (OCFS 0002h)");
    assert_int_equal(a.commands, 0);
}

static void safer_without_power(void **state)
{
    data.awun = 7;
    data.awupf = 8;
    warns("AWUPF is 8, more than AWUN, 7");
    assert_int_equal(a.atomic_power_fail, 8); // blocks: AWUN's 7, 0-based
    data.awupf = 7;
    parses_clean();
}

static void temperatures(void **state)
{
    static const uint16_t good[][2] = {
        { 0, 0 }, { 343, 0 }, { 0, 353 }, { 343, 343 }, { 273, 500 },
    };
    static const uint16_t bad[][2] = {
        { 343, 342 }, { 272, 343 }, { 343, 501 }, { 0, 70 }, { 70, 0 }, { 0xffff, 0xffff },
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        data.wctemp = good[i][0], data.cctemp = good[i][1];
        parses_clean();
        assert_int_equal(a.warning_kelvin, good[i][0]);
        assert_int_equal(a.critical_kelvin, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        data.wctemp = bad[i][0], data.cctemp = bad[i][1];
        warns("(WCTEMP, CCTEMP) can't be");
        assert_int_equal(a.warning_kelvin | a.critical_kelvin, 0);
    }
}

static void groups_that_can_t_be(void **state)
{
    static const uint32_t bad[][2] = { { 0, 0 }, { 4, 0 }, { 0, 4 }, { 4, 5 } };
    data.cmic = NVME_CMIC_ANA;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        data.anagrpmax = bad[i][0], data.nanagrpid = bad[i][1];
        warns("it reports access states (CMIC)");
        assert_false(a.ana);
    }
    data.anagrpmax = data.nanagrpid = 4;
    parses_clean();
    assert_int_equal(a.ana_ms, 10000);
    data.cmic = 0;
    data.anagrpmax = 0;
    parses_clean();
    assert_false(a.ana);
}

static void reserved_controller_id(void **state)
{
    data.cntlid = 0xffef;
    parses_clean();
    data.cntlid = 0xfff0;
    warns("CNTLID fff0h is reserved");
}

// All of it at once is still one kind.
static void all_ones(void **state)
{
    memset(&data, 0xff, sizeof(data));
    parse(~0u);
    assert_int_equal(w.count, 1);
    assert_true(w.kinds[0].count > 3);
    assert_int_equal(a.stripe, 0);
}

// ---- the subsystem ----

static void named(void **state)
{
    strcpy(data.subnqn, "nqn.2019-08.org.qemu:abc");
    parses_clean();
    assert_string_equal(a.subsystem, "nqn.2019-08.org.qemu:abc");
    memset(data.subnqn, 'a', sizeof(data.subnqn));
    memcpy(data.subnqn, "nqn.", 4);
    data.subnqn[223] = 0;
    parses_clean();
    assert_int_equal(strlen(a.subsystem), 223);
}

static void unnamed(void **state)
{
    data.vid = 0x8086;
    data.ssvid = 0x1028;
    memcpy(data.sn, "S1", 2);
    memcpy(data.mn, "M\x80", 2);
    parses_clean();
    char wanted[128];
    snprintf(wanted, sizeof(wanted), "nqn.2014.08.org.nvmexpress:80861028%-20s%-40s", "S1", "M?");
    assert_string_equal(a.subsystem, wanted);
}

static void badly_named(void **state)
{
    static const char *const bad[] = { "nqm.2019-08.org", "nqn", "nqn.2019 08", "nqn.\x80" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        strcpy(data.subnqn, bad[i]);
        warns("SUBNQN is no name");
        assert_non_null(strstr(a.subsystem, "nqn.2014.08.org.nvmexpress:0000"));
    }
    memset(data.subnqn, 'a', sizeof(data.subnqn));
    memcpy(data.subnqn, "nqn.", 4);
    warns("SUBNQN is no name"); // 256 bytes
    data.subnqn[224] = 0;
    warns("SUBNQN is no name"); // 224
}

// ---- stripes ----

static void stripes(void **state)
{
    put(3075, 5, 1);
    parses_clean();
    assert_int_equal(a.stripe, 0);
    parse(NVME_QUIRK_STRIPE);
    assert_int_equal(a.stripe, 128 * KIB);
    static const struct {
        uint8_t shift;
        uint64_t bytes;
    } cases[] = { { 0, 0 }, { 1, 8 * KIB }, { 20, 4 * GIB }, { 21, 0 }, { 255, 0 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        put(3075, cases[i].shift, 1);
        parse(NVME_QUIRK_STRIPE);
        assert_int_equal(a.stripe, cases[i].bytes);
    }
}

#define abilities_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        abilities_test(nothing),
        abilities_test(by_offset),
        abilities_test(flush_of_all),
        abilities_test(sgls),
        abilities_test(write_zeroes),
        abilities_test(compare_in_fuses_alone),
        abilities_test(copy_without_a_format),
        abilities_test(safer_without_power),
        abilities_test(temperatures),
        abilities_test(groups_that_can_t_be),
        abilities_test(reserved_controller_id),
        abilities_test(all_ones),
        abilities_test(named),
        abilities_test(unnamed),
        abilities_test(badly_named),
        abilities_test(stripes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
