// SPDX-License-Identifier: BSD-2-Clause
// VMDs that can't be driven as firmware left them: each is refused in one sentence, and nothing is done to
// what it hides.

#include "tests/host/vmd_model.h"

static int begin(void **state)
{
    vmd_machine();
    return 0;
}

static int finish(void **state)
{
    vmd_machine();
    return end(state);
}

static void assert_refused(const char *what)
{
    vmd_boot();
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, what);
    assert_non_null(strstr(model.warning, "0000:00:0e.0: Intel VMD hides its drives: "));
    assert_non_null(strstr(model.warning, "firmware's set-up"));
    assert_int_equal(vmd_told.infos, 0);
    assert_int_equal(dev_count(), 1);
}

static struct vmd_fn *refusable(unsigned device)
{
    vmd_machine();
    struct vmd_fn *v = vmd_new(device, 8, 0);
    vmd_add_drive(v);
    return v;
}

static void silent(void **state)
{
    model_set(refusable(0x28c0)->fn, 0x70, UINT32_MAX, 4);
    assert_refused("vmd-silent");
    struct vmd_fn *v = refusable(0x28c0);
    model_set(v->fn, 0x40, 0xffff, 2);
    model_set(v->fn, 0x44, 0xffff, 2);
    assert_refused("vmd-silent");
}

static void bad_cfgbar(void **state)
{
    static const struct {
        uint64_t base, bytes;
    } bars[] = { { 0, 32 * MIB }, { VMD_CFG(0), 0x80000 }, { 0xfffffffffe000000ull, 32 * MIB } };
    for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
        struct vmd_fn *v = refusable(0x201d);
        model_bar64(v->fn, 0, bars[i].base, bars[i].bytes);
        assert_refused("vmd-cfgbar");
    }
    model_bar(refusable(0x201d)->fn, 0, 0xc001, 0xfff0); // ports
    assert_refused("vmd-cfgbar");
}

static void bad_buses(void **state)
{
    struct vmd_fn *v = refusable(0x28c0);
    model_bar64(v->fn, 0, VMD_CFG(0), MIB); // buses 00 to 00
    assert_refused("vmd-buses");
    v = refusable(0x28c0);
    model_set(v->fn, 0x40, 1, 2);
    model_set(v->fn, 0x44, 0x300, 2);
    assert_refused("vmd-buses");
}

static void bad_membars(void **state)
{
    struct vmd_fn *v = refusable(0x201d);
    model_bar64(v->fn, 2, 0, VMD_MEM1_BYTES);
    model_bar64(v->fn, 4, 0, VMD_MEM2_BYTES);
    assert_refused("vmd-membar");
    v = refusable(0x201d);
    model_bar64(v->fn, 2, 0, VMD_MEM1_BYTES);
    model_bar64(v->fn, 4, VMD_MEM2(0), 0x2000); // its own registers alone
    assert_refused("vmd-membar");
}

// One of the two would answer for both.
static void overlapping_bars(void **state)
{
    struct vmd_fn *v = refusable(0x201d);
    model_bar64(v->fn, 2, VMD_CFG(0), VMD_MEM1_BYTES);
    assert_refused("vmd-overlap");
    v = refusable(0x201d);
    model_bar64(v->fn, 4, VMD_CFG(0) + VMD_BUSES * MIB - 0x1000, VMD_MEM2_BYTES);
    assert_refused("vmd-overlap");
    v = refusable(0x201d);
    model_bar64(v->fn, 2, VMD_MEM2(0) + VMD_MEM2_BYTES - 0x1000, VMD_MEM1_BYTES);
    assert_refused("vmd-overlap");
}

static void bad_shadow(void **state)
{
    struct vmd_fn *v = refusable(0x28c0);
    model_set(v->fn, 0x70, 2, 4);
    memset(v->memory + 0x2000, 0xff, 16);
    assert_refused("vmd-shadow");
}

// Nothing answers on its root bus: firmware has locked it, or turned it off half-way.
static void empty(void **state)
{
    vmd_machine();
    vmd_new(0x201d, 8, 0);
    assert_refused("vmd-empty");
}

static void bad_vectors(void **state)
{
    vmd_machine();
    vmd_add_drive(vmd_new(0x201d, 0, 0)); // no MSI-X
    assert_refused("vmd-vectors");
    vmd_machine();
    vmd_add_drive(vmd_new(0x9a0b, 1, 0)); // one, which is its own
    assert_refused("vmd-vectors");
}

// Entries where the drives' configuration space is, their memory, or that of the second window.
static void bad_tables(void **state)
{
    static const uint32_t places[] = { 0x1000 | 0, 0 | 2, 0x2000 | 4, 0x1ff0 | 4 };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct vmd_fn *v = refusable(0x201d);
        model_set(v->fn, 0x84, places[i], 4);
        assert_refused("vmd-vectors");
    }
}

static void locked(void **state)
{
    struct vmd_fn *v = refusable(0x201d);
    model_set(v->fn, 0x44, 2, 2);
    model_writable(v->fn, 0x44, 0, 2);
    assert_refused("vmd-locked");
}

static void table_outside(void **state)
{
    struct vmd_fn *v = refusable(0x201d);
    model_set(v->fn, 0x84, 0x200000 | 4, 4);
    vmd_boot();
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "vmd-vectors");
    assert_int_equal(dev_count(), 1);
}

// Ports that firmware didn't number are told of; the others' drives are there.
static void unnumbered_port(void **state)
{
    struct vmd_fn *v = refusable(0x201d);
    struct vmd_drive *other = vmd_add_drive(v);
    model_set(v->drives[0].port, 0x18, 0, 4);
    vmd_boot();
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "pci-bridge");
    assert_non_null(strstr(model.warning, "10000:00:00.0"));
    assert_non_null(strstr(model.warning, "turn its driver for VMD on"));
    assert_non_null(vmd_drive_dev(other));
}

// Buses that CFGBAR has no room for.
static void bus_past_the_end(void **state)
{
    struct vmd_fn *v = refusable(0x201d);
    model_set(v->drives[0].port, 0x18, 0x00232300, 4);
    vmd_boot();
    assert_string_equal(model.warning_what, "pci-bridge");
    assert_non_null(strstr(model.warning, "the domain has no such bus"));
}

#define test(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(silent),           test(bad_cfgbar), test(bad_buses),     test(bad_membars),
        test(bad_shadow),       test(empty),      test(bad_vectors),   test(bad_tables),
        test(overlapping_bars), test(locked),     test(table_outside), test(unnumbered_port),
        test(bus_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
