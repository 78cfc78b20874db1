// SPDX-License-Identifier: BSD-2-Clause
// RAPL: who tells its energy, in what unit, and of which package.
#include "kernel/x86/energy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/x86.h"
#include "kernel/x86/msr_read.h"
#include "lib/string.h"

#include <cmocka.h>

#define INTEL 0x756e6547
#define AMD 0x68747541

static struct machine {
    uint32_t vendor, leaves, extended, power;
    uint32_t apic_id, shifts[3]; // thread, core, and above
    bool old_topology;
    uint32_t unit_msr, energy_msr; // that it has
    uint64_t unit, energy;
} machine;

static struct cpuid model(uint32_t leaf, uint32_t sub)
{
    bool topology = leaf == (machine.old_topology ? 0xbu : 0x1fu);
    if (leaf == 0)
        return (struct cpuid){ .a = machine.leaves, .b = machine.vendor };
    if (leaf == 0x80000000)
        return (struct cpuid){ .a = machine.extended };
    if (leaf == 0x80000007)
        return (struct cpuid){ .d = machine.power };
    if (!topology)
        return (struct cpuid){ 0 };
    bool there = sub < 3 && machine.shifts[sub];
    return (struct cpuid){ .a = there ? machine.shifts[sub] : 0,
                           .b = there,
                           .c = there ? (sub + 1) << 8 | sub : sub,
                           .d = machine.apic_id };
}

bool msr_read(uint32_t msr, uint64_t *value)
{
    if (msr != machine.unit_msr && msr != machine.energy_msr)
        return false;
    *value = msr == machine.unit_msr ? machine.unit : machine.energy;
    return true;
}

static void start(uint32_t vendor)
{
    cpuid_model = model;
    machine = (struct machine){
        .vendor = vendor,
        .leaves = 0x1f,
        .extended = 0x80000008,
        .power = vendor == AMD ? 1u << 14 : 0,
        .apic_id = 0x1234,
        .shifts = { 1, 7, 9 },
        .unit_msr = vendor == AMD ? 0xc0010299 : 0x606,
        .energy_msr = vendor == AMD ? 0xc001029b : 0x611,
        .unit = 0xa0e03, // energy: 2^-14 joules
        .energy = 0x123456789a,
    };
}

static void intel_and_amd_tell(void **state)
{
    struct energy e;
    start(INTEL);
    assert_true(energy_read(&e));
    assert_int_equal(e.unit, 14);
    assert_int_equal(e.count, 0x3456789a); // 32 bits of it
    start(AMD);
    assert_true(energy_read(&e));
    assert_int_equal(e.unit, 14);
}

static void others_do_not(void **state)
{
    struct energy e;
    start(INTEL);
    machine.unit_msr = 0; // it faults
    assert_false(energy_read(&e));
    start(INTEL);
    machine.energy_msr = 0;
    assert_false(energy_read(&e));
    start(INTEL);
    machine.unit = 0; // an emulator that knows no such MSR
    assert_false(energy_read(&e));
    start(AMD);
    machine.power = ~(1u << 14);
    assert_false(energy_read(&e));
    start(AMD);
    machine.extended = 0x80000006;
    assert_false(energy_read(&e));
    start(0x12345678);
    assert_false(energy_read(&e));
}

static unsigned package_of(void)
{
    struct energy e;
    assert_true(energy_read(&e));
    return e.package;
}

static void packages_by_the_last_level(void **state)
{
    start(INTEL);
    assert_int_equal(package_of(), 0x1234 >> 9);
    machine.shifts[2] = 0; // two levels
    assert_int_equal(package_of(), 0x1234 >> 7);
    machine.old_topology = true;
    assert_int_equal(package_of(), 0x1234 >> 7);
    machine.leaves = 0xb;
    assert_int_equal(package_of(), 0x1234 >> 7);
    machine.leaves = 0xa; // nothing is known: one package
    assert_int_equal(package_of(), 0);
}

static void microjoules(void **state)
{
    struct energy from = { .unit = 14, .count = 1000 }, to = { .unit = 14, .count = 1000 + 16384 };
    assert_int_equal(energy_between(&from, &to), 1000000);
    from.count = 0xfffffff0;
    to.count = 16384 - 16;
    assert_int_equal(energy_between(&from, &to), 1000000);
    assert_int_equal(energy_between(&to, &to), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intel_and_amd_tell),
        cmocka_unit_test(others_do_not),
        cmocka_unit_test(packages_by_the_last_level),
        cmocka_unit_test(microjoules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
