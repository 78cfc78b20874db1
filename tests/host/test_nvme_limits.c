// SPDX-License-Identifier: BSD-2-Clause
// Sizes and places that suit a namespace, from its own fields and its controller's.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/identify.h"

static struct nvme_identify_namespace ns;
static struct nvme_identify_nvm_controller nvm;
static struct nvme_format format;
static struct nvme_abilities c;
static struct block_limits l;
static struct warnings w;

// 4 KiB blocks, a controller that promises nothing.
static int begin(void **state)
{
    memset(&ns, 0, sizeof(ns));
    memset(&nvm, 0, sizeof(nvm));
    format = (struct nvme_format){ .blocks = 1000, .block_shift = 12 };
    c = (struct nvme_abilities){ .atomic = 1, .atomic_power_fail = 1 };
    return 0;
}

static void parse(void)
{
    memset(&l, 0xff, sizeof(l));
    memset(&w, 0, sizeof(w));
    nvme_parse_limits("x", &ns, &format, &c, MIB, &l, &w);
}

static void parses_clean(void)
{
    parse();
    assert_int_equal(w.count, 0);
}

static void warns(const char *text)
{
    parse();
    assert_int_equal(w.count, 1);
    assert_string_equal(w.kinds[0].first.what, "nvme-identify");
    if (!strstr(w.kinds[0].first.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", w.kinds[0].first.message, text);
}

static void put16(size_t offset, uint16_t value)
{
    memcpy((uint8_t *)&ns + offset, &value, 2);
}

static void nothing_told(void **state)
{
    parses_clean();
    assert_int_equal(l.block_size, 4096);
    assert_int_equal(l.max_transfer, MIB);
    assert_int_equal(l.atomic_write, 4096);
    assert_int_equal(l.atomic_power_fail, 4096);
    assert_int_equal(l.boundary | l.write_granularity | l.write_optimal | l.zone | l.metadata, 0);
    assert_int_equal(l.atomic_boundary | l.atomic_boundary_power_fail | l.atomic_offset, 0);
    assert_int_equal(l.max_zeroes | l.max_verify | l.max_deallocate | l.max_append, 0);
    assert_false(l.read_only || l.write_cache);
}

// Numbers from the specification's own table, once more.
static void by_offset(void **state)
{
    ns.nsfeat = 0x12;
    put16(34, 31); // NAWUN
    put16(36, 15); // NAWUPF
    put16(40, 63); // NABSN
    put16(42, 2);  // NABO
    put16(44, 47); // NABSPF
    put16(46, 32); // NOIOB
    put16(64, 3);  // NPWG
    put16(66, 1);  // NPWA
    put16(68, 7);  // NPDG
    put16(70, 5);  // NPDA
    put16(72, 15); // NOWS
    ((uint8_t *)&ns)[99] = 1;
    c.write_cache = true;
    parses_clean();
    assert_int_equal(l.atomic_write, 32 * 4096);
    assert_int_equal(l.atomic_power_fail, 16 * 4096);
    assert_int_equal(l.atomic_boundary, 64 * 4096);
    assert_int_equal(l.atomic_offset, 2 * 4096);
    assert_int_equal(l.atomic_boundary_power_fail, 48 * 4096);
    assert_int_equal(l.boundary, 32 * 4096);
    assert_int_equal(l.write_granularity, 4 * 4096);
    assert_int_equal(l.write_alignment, 2 * 4096);
    assert_int_equal(l.deallocate_granularity, 8 * 4096);
    assert_int_equal(l.deallocate_alignment, 6 * 4096);
    assert_int_equal(l.write_optimal, 16 * 4096);
    assert_true(l.read_only && l.write_cache);
}

// Without their bits in NSFEAT these fields have no meaning.
static void fields_that_don_t_count(void **state)
{
    ns.nawun = ns.nawupf = 99;
    ns.npwg = ns.npwa = ns.npdg = ns.npda = ns.nows = 99;
    c.atomic = 8;
    c.atomic_power_fail = 4;
    parses_clean();
    assert_int_equal(l.atomic_write, 8 * 4096);
    assert_int_equal(l.atomic_power_fail, 4 * 4096);
    assert_int_equal(l.write_granularity | l.deallocate_granularity | l.write_optimal, 0);
    ns.nsfeat = NVME_NSFEAT_ATOMIC;
    ns.nawun = ns.nawupf = 0; // as the controller's
    parses_clean();
    assert_int_equal(l.atomic_write, 8 * 4096);
    assert_int_equal(l.atomic_power_fail, 4 * 4096);
}

static void best_size_unknown(void **state)
{
    ns.nsfeat = NVME_NSFEAT_OPTPERF;
    ns.npwg = 3;
    ns.nows = 2; // less than NPWG
    parses_clean();
    assert_int_equal(l.write_optimal, 0);
    ns.nows = 3;
    parses_clean();
    assert_int_equal(l.write_optimal, 4 * 4096);
}

// ---- one command ----

static void longest(void **state)
{
    format.block_shift = 9;
    parses_clean();
    assert_int_equal(l.max_transfer, MIB);
    format.metadata = 64;
    parses_clean();
    assert_int_equal(l.max_transfer, MIB); // they need no buffer
    format.metadata_buffer = 64;
    parses_clean();
    assert_int_equal(l.metadata, 64);
    assert_int_equal(l.max_transfer, 1024 * 512); // 64 KiB of metadata
    format.metadata_buffer = 65535;
    parses_clean();
    assert_int_equal(l.max_transfer, 512);
    memset(&w, 0, sizeof(w));
    format.metadata_buffer = 0;
    nvme_parse_limits("x", &ns, &format, &c, GIB, &l, &w);
    assert_int_equal(l.max_transfer, 65536 * 512); // NLB
}

static void boundaries(void **state)
{
    format.block_shift = 9;
    ns.noiob = 7;
    warns("NOIOB of 7 blocks would make commands of less than a page");
    assert_int_equal(l.boundary, 0);
    ns.noiob = 8;
    parses_clean();
    assert_int_equal(l.boundary, 4096);
    ns.noiob = 65535; // no power of two
    parses_clean();
    assert_int_equal(l.boundary, 65535 * 512);
}

static void stripes(void **state)
{
    c.stripe = 128 * KIB;
    parses_clean();
    assert_int_equal(l.boundary, 128 * KIB);
    ns.noiob = 64; // what the namespace says itself is better
    parses_clean();
    assert_int_equal(l.boundary, 256 * KIB);
    ns.noiob = 0;
    c.stripe = 8 * KIB;
    format.block_shift = 16;
    parses_clean();
    assert_int_equal(l.boundary, 0);
}

// ---- atomic writes that can't be ----

static void contradictions(void **state)
{
    static const struct {
        uint16_t nawun, nawupf, nabsn, nabspf, nabo;
        bool good;
    } cases[] = {
        { 7, 7, 0, 0, 0, true },   { 7, 8, 0, 0, 0, false }, { 7, 7, 7, 7, 0, true },
        { 7, 7, 6, 7, 0, false },  { 7, 7, 7, 6, 0, false }, { 7, 7, 7, 7, 7, true },
        { 7, 7, 7, 15, 8, false }, { 7, 7, 0, 7, 8, false }, { 7, 7, 0, 0, 9, true },
        { 7, 3, 0, 7, 2, true },
    };
    ns.nsfeat = NVME_NSFEAT_ATOMIC;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ns.nawun = cases[i].nawun, ns.nawupf = cases[i].nawupf;
        ns.nabsn = cases[i].nabsn, ns.nabspf = cases[i].nabspf, ns.nabo = cases[i].nabo;
        if (cases[i].good) {
            parses_clean();
            assert_int_equal(l.atomic_write, 8 * 4096);
            continue;
        }
        warns("its atomic writes contradict one another");
        assert_int_equal(l.atomic_write, 4096);
        assert_int_equal(l.atomic_power_fail, 4096);
        assert_int_equal(l.atomic_boundary | l.atomic_boundary_power_fail | l.atomic_offset, 0);
    }
}

// ---- copies ----

static void copies(void **state)
{
    c.commands = NVME_ONCS_COPY;
    ns.mssrl = 0xffff;
    ns.mcl = ~0u;
    ns.msrc = 0xff;
    parses_clean();
    assert_int_equal(l.max_copy_source, 0xffffull << 12);
    assert_int_equal(l.max_copy, 0xffffffffull << 12);
    assert_int_equal(l.copy_sources, 256);
    ns.mcl = 0xfffe;
    warns("it copies 65535 blocks a range and 65534 in all (MSSRL, MCL): not used");
    assert_int_equal(l.max_copy + l.max_copy_source + l.copy_sources, 0);
    c.commands = 0;
    parses_clean();
}

// ---- commands without data ----

static void no_data(const struct nvme_identify_nvm_controller *data, uint32_t commands)
{
    c.commands = commands & ~NVME_ONCS_COPY;
    parses_clean();
    nvme_parse_nvm_controller(data, &c, &l);
}

static void untold(void **state)
{
    no_data(NULL, ~0u);
    assert_int_equal(l.max_zeroes, MIB);
    assert_int_equal(l.max_verify, MIB);
    assert_int_equal(l.max_deallocate, UINT32_MAX * 4096ull);
    no_data(NULL, 0);
    assert_int_equal(l.max_zeroes | l.max_verify | l.max_deallocate, 0);
}

static void told(void **state)
{
    nvm.vsl = 3;
    nvm.wzsl = 5;
    nvm.dmrsl = 1000;
    no_data(&nvm, ~0u);
    assert_int_equal(l.max_verify, 32 * KIB);
    assert_int_equal(l.max_zeroes, 128 * KIB);
    assert_int_equal(l.max_deallocate, 1000 * 4096);
    nvm.dmsl = 10;
    no_data(&nvm, ~0u);
    assert_int_equal(l.max_deallocate, 10 * 4096);
    nvm.dmrsl = 0;
    nvm.dmsl = 1ull << 40;
    nvm.wzsl = nvm.vsl = 0; // NLB alone
    no_data(&nvm, ~0u);
    assert_int_equal(l.max_deallocate, UINT32_MAX * 4096ull);
    assert_int_equal(l.max_zeroes, 65536 * 4096);
    assert_int_equal(l.max_verify, 65536 * 4096);
    nvm.wzsl = nvm.vsl = 255;
    no_data(&nvm, ~0u);
    assert_int_equal(l.max_zeroes, 65536 * 4096);
}

// Not even one block.
static void told_too_little(void **state)
{
    nvm.wzsl = 1;
    format.block_shift = 14;
    no_data(&nvm, ~0u);
    assert_int_equal(l.max_zeroes, 0);
    format.block_shift = 13;
    no_data(&nvm, ~0u);
    assert_int_equal(l.max_zeroes, 8 * KIB);
}

static void each_by_its_bit(void **state)
{
    no_data(&nvm, NVME_ONCS_WRITE_ZEROES);
    assert_true(l.max_zeroes && !l.max_verify && !l.max_deallocate);
    no_data(&nvm, NVME_ONCS_VERIFY);
    assert_true(!l.max_zeroes && l.max_verify && !l.max_deallocate);
    no_data(&nvm, NVME_ONCS_DSM);
    assert_true(!l.max_zeroes && !l.max_verify && l.max_deallocate);
}

#define limits_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        limits_test(nothing_told),
        limits_test(by_offset),
        limits_test(fields_that_don_t_count),
        limits_test(best_size_unknown),
        limits_test(longest),
        limits_test(boundaries),
        limits_test(stripes),
        limits_test(contradictions),
        limits_test(copies),
        limits_test(untold),
        limits_test(told),
        limits_test(told_too_little),
        limits_test(each_by_its_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
