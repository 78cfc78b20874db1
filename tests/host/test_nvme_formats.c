// SPDX-License-Identifier: BSD-2-Clause
// Formats with metadata and protection information: which can be used, and what that asks of each
// command.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/identify.h"
#include "lib/format.h"

static struct nvme_identify_namespace ns;
static struct nvme_identify_nvm_namespace nvm;
static struct nvme_format format;
static struct warnings w;
static struct problem p;

// 512-byte blocks with so many bytes of metadata, apart from the data.
static void make(unsigned metadata, unsigned type)
{
    memset(&ns, 0, sizeof(ns));
    memset(&nvm, 0, sizeof(nvm));
    ns.nsze = 1000;
    ns.lbaf[0] = 9 << 16 | metadata;
    ns.mc = NVME_MC_EXTENDED | NVME_MC_SEPARATE;
    ns.dpc = NVME_DPC_TYPES;
    ns.dps = (uint8_t)type;
}

static bool parse(void)
{
    memset(&w, 0, sizeof(w));
    memset(&format, 0xff, sizeof(format));
    return nvme_parse_format("x", &ns, &nvm, MIB, &format, &w, &p);
}

static void is(unsigned metadata, unsigned buffer, unsigned type, uint32_t control, uint64_t tag)
{
    assert_true(parse());
    assert_int_equal(w.count, 0);
    assert_int_equal(format.blocks, 1000);
    assert_int_equal(format.block_shift, 9);
    assert_int_equal(format.metadata, metadata);
    assert_int_equal(format.metadata_buffer, buffer);
    assert_int_equal(format.protection, type);
    assert_int_equal(format.control, control);
    assert_int_equal(format.tag_mask, tag);
}

static void refused(const char *what, const char *text)
{
    assert_false(parse());
    assert_string_equal(p.what, what);
    if (!strstr(p.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", p.message, text);
    assert_int_equal(format.blocks, 0);
}

static void warned(const char *text)
{
    assert_true(parse());
    assert_int_equal(w.count, 1);
    assert_int_equal(w.kinds[0].count, 1);
    if (!strstr(w.kinds[0].first.message, text))
        fail_msg("\"%s\" doesn't say \"%s\"", w.kinds[0].first.message, text);
}

// PRACT is bit 29; guard, application and reference tag are checked by bits 28 to 26.
static void protected_without_a_buffer(void **state)
{
    make(8, 1);
    is(8, 0, 1, 0x34000000, UINT32_MAX);
    make(8, 2);
    is(8, 0, 2, 0x34000000, UINT32_MAX);
    make(8, 3);
    is(8, 0, 3, 0x30000000, 0);
    ns.flbas = NVME_FLBAS_EXTENDED; // stripped all the same
    is(8, 0, 3, 0x30000000, 0);
    ns.dps |= NVME_DPS_FIRST;
    is(8, 0, 3, 0x30000000, 0);
}

static void protected_with_a_buffer(void **state)
{
    make(16, 1);
    is(16, 16, 1, 0x34000000, UINT32_MAX);
    make(64, 3);
    is(64, 64, 3, 0x30000000, 0);
}

static void metadata_apart(void **state)
{
    make(0, 0);
    is(0, 0, 0, 0, 0);
    make(8, 0);
    is(8, 8, 0, 0, 0);
    make(65535, 0);
    is(65535, 65535, 0, 0, 0);
}

static void metadata_between(void **state)
{
    make(8, 0);
    ns.flbas = NVME_FLBAS_EXTENDED;
    refused("nvme-metadata", "x: its format has 8 bytes of metadata behind the data of each block");
    make(16, 1);
    ns.flbas = NVME_FLBAS_EXTENDED;
    refused("nvme-metadata", "16 bytes");
    make(0, 0);
    ns.flbas = NVME_FLBAS_EXTENDED; // behind each block is nothing
    is(0, 0, 0, 0, 0);
}

static void reserved_types(void **state)
{
    for (unsigned type = 4; type < 8; type++) {
        make(8, type);
        refused("nvme-protection", "which isn't one");
    }
}

static void no_room(void **state)
{
    make(0, 1);
    warned("protection type 1, but 0 bytes of metadata have no room");
    assert_int_equal(format.protection | format.control, 0);
    make(7, 2);
    warned("but 7 bytes");
    assert_int_equal(format.metadata_buffer, 7);
}

static void what_capabilities_lack(void **state)
{
    make(8, 2);
    ns.dpc = 5; // types 1 and 3
    warned("protection type 2, which DPC, 05h, lacks");
    assert_int_equal(format.protection, 2);
    make(16, 0);
    ns.mc = NVME_MC_EXTENDED;
    warned("its metadata are apart, which MC, 01h, lacks");
    assert_int_equal(format.metadata_buffer, 16);
}

// Longer guards, and storage tags, which leave the reference tag fewer bits.
static void extended_formats(void **state)
{
    static const struct {
        unsigned pif, storage, type;
        uint64_t tag;
    } cases[] = {
        { 0, 1, 1, 0x7fffffff },  { 0, 31, 2, 1 },
        { 1, 16, 1, UINT64_MAX }, { 1, 17, 2, UINT64_MAX >> 1 },
        { 1, 64, 1, 0xffff },     { 2, 0, 1, 0xffffffffffff },
        { 2, 16, 2, UINT32_MAX }, { 2, 47, 1, 1 },
        { 1, 16, 3, 0 },          { 2, 0, 3, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned bytes = cases[i].pif ? 16 : 8;
        uint32_t control = cases[i].tag ? 0x34000000 : 0x30000000;
        make(bytes, cases[i].type);
        nvm.elbaf[0] = cases[i].pif << 7 | cases[i].storage;
        is(bytes, 0, cases[i].type, control, cases[i].tag);
        assert_true(format.extended);
        make(bytes + 8, cases[i].type);
        nvm.elbaf[0] = cases[i].pif << 7 | cases[i].storage;
        is(bytes + 8, bytes + 8, cases[i].type, control, cases[i].tag);
    }
    make(8, 1);
    nvm.elbaf[0] = 32; // all of the tag
    is(8, 0, 1, 0x30000000, 0);
}

static void extended_formats_that_can_t_be(void **state)
{
    static const struct {
        unsigned elbaf;
        const char *text;
    } cases[] = {
        { 3 << 7, "is of a kind (PIF 3) that isn't known here" },
        { 33, "beside a guard of 16 bits a storage tag of 33 bits can't be" },
        { 1 << 7, "guard of 32 bits a storage tag of 0 bits" },
        { 1 << 7 | 15, "tag of 15 bits" },
        { 1 << 7 | 65, "tag of 65 bits" },
        { 2 << 7 | 49, "guard of 64 bits a storage tag of 49 bits" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make(16, 1);
        nvm.elbaf[0] = cases[i].elbaf;
        refused("nvme-guard", cases[i].text);
        ns.dps = 0; // there is no guard
        is(16, 16, 0, 0, 0);
        assert_true(format.extended);
    }
    make(8, 1);
    nvm.elbaf[0] = 2 << 7;
    warned("protection type 1, but 8 bytes of metadata have no room");
    assert_int_equal(format.protection | format.tag_mask, 0);
}

static void plain_formats(void **state)
{
    make(8, 1);
    nvm.elbaf[1] = 2 << 7; // another format's
    is(8, 0, 1, 0x34000000, UINT32_MAX);
    assert_false(format.extended);
    assert_true(nvme_parse_format("x", &ns, NULL, MIB, &format, &w, &p));
    assert_false(format.extended);
    assert_int_equal(format.tag_mask, UINT32_MAX);
}

// The 16th is the last one that needs nothing to be enabled.
static void many_formats(void **state)
{
    for (unsigned index = 15; index < 64; index++) {
        make(0, 0);
        ns.nlbaf = 63;
        ns.lbaf[0] = 0;
        ns.lbaf[index] = 9 << 16 | 8;
        ns.flbas = (uint8_t)((index & 15) | index >> 4 << 5);
        is(8, 8, 0, 0, 0);
        assert_int_equal(format.index, index);
        assert_int_equal(format.extended, index > 15);
    }
}

// The format in use is the one that counts.
static void second_format(void **state)
{
    make(8, 1);
    ns.nlbaf = 1;
    ns.lbaf[1] = 12 << 16;
    ns.flbas = 1;
    ns.dps = 0;
    assert_true(parse());
    assert_int_equal(format.block_shift, 12);
    assert_int_equal(format.index, 1);
    assert_int_equal(format.metadata, 0);
}

static void inactive(void **state)
{
    make(8, 7);
    ns.nsze = 0;
    assert_true(parse());
    assert_int_equal(format.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protected_without_a_buffer),
        cmocka_unit_test(protected_with_a_buffer),
        cmocka_unit_test(metadata_apart),
        cmocka_unit_test(metadata_between),
        cmocka_unit_test(reserved_types),
        cmocka_unit_test(no_room),
        cmocka_unit_test(what_capabilities_lack),
        cmocka_unit_test(extended_formats),
        cmocka_unit_test(extended_formats_that_can_t_be),
        cmocka_unit_test(plain_formats),
        cmocka_unit_test(many_formats),
        cmocka_unit_test(second_format),
        cmocka_unit_test(inactive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
