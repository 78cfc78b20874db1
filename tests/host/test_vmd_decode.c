// SPDX-License-Identifier: BSD-2-Clause
// What is made of a VMD's registers, at the ends of what they can say.

#include "drivers/vmd/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CFG 0x380000000000ull
#define MEM1 0x381000000000ull
#define MEM2 0x382000000000ull

static struct vmd_layout l;
static struct problem p;

static struct vmd_regs regs(unsigned features)
{
    return (struct vmd_regs){
        .features = features,
        .cfgbar = { .base = CFG, .bytes = 32 * MIB },
        .membar1 = { .base = MEM1, .bytes = 64 * MIB },
        .membar2 = { .base = MEM2, .bytes = MIB },
        .vectors = 33,
    };
}

static void assert_good(const struct vmd_regs *r)
{
    if (!vmd_decode(r, "vmd", &l, &p))
        fail_msg("%s", p.message);
}

static void assert_bad(const struct vmd_regs *r, const char *what)
{
    assert_false(vmd_decode(r, "vmd", &l, &p));
    assert_string_equal(p.what, what);
    assert_ptr_equal(strstr(p.message, "vmd: Intel VMD hides its drives: "), p.message);
    assert_non_null(strstr(p.message, "turn VMD off in the firmware's set-up"));
}

static void plain(void **state)
{
    struct vmd_regs r = regs(0);
    assert_good(&r);
    assert_int_equal(l.config, CFG);
    assert_int_equal(l.first_bus, 0);
    assert_int_equal(l.last_bus, 31);
    assert_int_equal(l.windows[0].base, MEM1);
    assert_int_equal(l.windows[0].bar, MEM1);
    assert_int_equal(l.windows[0].bytes, 64 * MIB);
    assert_int_equal(l.windows[1].base, MEM2 + 0x2000);
    assert_int_equal(l.windows[1].bar, MEM2 + 0x2000);
    assert_int_equal(l.windows[1].bytes, MIB - 0x2000);
    assert_false(l.bypass);
    assert_int_equal(l.first_entry, 0);
    assert_int_equal(l.entries, 33);
}

// As many buses as CFGBAR has room for, but none past ff.
static void buses(void **state)
{
    static const struct {
        unsigned set, megabytes, first, last;
    } cases[] = {
        { 0, 2, 0, 1 },      { 0, 128, 0, 127 },    { 0, 256, 0, 255 },   { 0, 1024, 0, 255 },
        { 1, 32, 128, 159 }, { 1, 128, 128, 255 },  { 1, 256, 128, 255 }, { 2, 2, 224, 225 },
        { 2, 32, 224, 255 }, { 2, 4096, 224, 255 }, { 2, 16, 224, 239 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vmd_regs r = regs(VMD_FEATURE_BUSES);
        r.vmcap = 1;
        r.vmconfig = (uint16_t)(cases[i].set << 8);
        r.cfgbar.bytes = (uint64_t)cases[i].megabytes * MIB;
        assert_good(&r);
        assert_int_equal(l.first_bus, cases[i].first);
        assert_int_equal(l.last_bus, cases[i].last);
    }
    struct vmd_regs r = regs(VMD_FEATURE_BUSES);
    r.vmcap = 1;
    r.vmconfig = 3 << 8;
    assert_bad(&r, "vmd-buses");
    r = regs(0);
    r.cfgbar.bytes = MIB;
    assert_bad(&r, "vmd-buses");
}

static void bars(void **state)
{
    static const struct pci_bar bad[] = {
        { 0, 32 * MIB, false, true },
        { CFG, 0, false, true },
        { CFG, MIB / 2, false, true },
        { 0xc000, 32 * MIB, true, false },
        { (1ull << 52) - MIB, 32 * MIB, false, true },
        { 1ull << 52, 32 * MIB, false, true },
        { CFG, 1ull << 63, false, true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct vmd_regs r = regs(0);
        r.cfgbar = bad[i];
        assert_bad(&r, "vmd-cfgbar");
    }
    struct vmd_regs r = regs(0);
    r.membar1.base = 0;
    assert_good(&r);
    assert_int_equal(l.windows[0].bytes, 0);
    r.membar2.bytes = 0x2000;
    assert_bad(&r, "vmd-membar");
    r.membar1.base = MEM1;
    assert_good(&r);
    assert_int_equal(l.windows[1].bytes, 0);
}

static void shadows(void **state)
{
    struct vmd_regs r = regs(VMD_FEATURE_SHADOW | VMD_FEATURE_BYPASS);
    assert_good(&r);
    assert_int_equal(l.windows[1].base, MEM2 + 0x2010);
    assert_true(l.bypass);
    r.shadow1 = MEM1 | 0xc;
    r.shadow2 = MEM2 | 0xc;
    assert_good(&r);
    assert_true(l.bypass); // it is where it says
    r.shadow2 = 0x1000;
    assert_good(&r);
    assert_int_equal(l.windows[0].bar, MEM1);
    assert_int_equal(l.windows[1].bar, 0x3010);
    assert_int_equal(l.windows[1].base, MEM2 + 0x2010);
    assert_false(l.bypass);
    r.shadow2 = 1ull << 52;
    assert_bad(&r, "vmd-shadow");
    r.shadow2 = 0;
    r.shadow1 = (1ull << 52) - 1;
    assert_bad(&r, "vmd-shadow");
    r.shadow1 = UINT64_MAX;
    assert_bad(&r, "vmd-shadow");
}

static void vectors(void **state)
{
    static const struct {
        unsigned vectors, features, first, entries;
    } cases[] = {
        { 1, 0, 0, 1 },
        { 2, VMD_FEATURE_FIRST_OWN, 1, 1 },
        { 256, 0, 0, 256 },
        { 2048, 0, 0, 256 }, // a message has 8 bits for it
        { 2048, VMD_FEATURE_FIRST_OWN, 1, 255 },
        { 0, VMD_FEATURE_BYPASS, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vmd_regs r = regs(cases[i].features);
        r.vectors = cases[i].vectors;
        assert_good(&r);
        assert_int_equal(l.first_entry, cases[i].first);
        assert_int_equal(l.entries, cases[i].entries);
    }
    struct vmd_regs r = regs(0);
    r.vectors = 0;
    assert_bad(&r, "vmd-vectors");
    r = regs(VMD_FEATURE_FIRST_OWN);
    r.vectors = 1;
    assert_bad(&r, "vmd-vectors");
}

static void silent(void **state)
{
    struct vmd_regs r = regs(0);
    r.vmconfig = 0xffff;
    assert_bad(&r, "vmd-silent");
    r = regs(0);
    r.vmlock = UINT32_MAX;
    assert_bad(&r, "vmd-silent");
}

static void features(void **state)
{
    unsigned f;
    assert_false(vmd_find_features(0x8086, 0x201c, &f));
    assert_false(vmd_find_features(0x1000, 0x201d, &f));
    assert_false(vmd_find_features(0xffff, 0xffff, &f));
    assert_true(vmd_find_features(0x8086, 0x28c0, &f));
    assert_int_equal(f, VMD_FEATURE_SHADOW | VMD_FEATURE_BUSES | VMD_FEATURE_BYPASS);
    assert_true(vmd_find_features(0x8086, 0xa77f, &f));
    assert_int_equal(f, VMD_FEATURE_SHADOW_CAP | VMD_FEATURE_BUSES | VMD_FEATURE_FIRST_OWN);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),    cmocka_unit_test(buses),   cmocka_unit_test(bars),
        cmocka_unit_test(shadows),  cmocka_unit_test(vectors), cmocka_unit_test(silent),
        cmocka_unit_test(features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
