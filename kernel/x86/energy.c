// SPDX-License-Identifier: BSD-2-Clause
// RAPL: one counter for each package, and the unit that it counts in.
#include "kernel/x86/energy.h"

#include "kernel/base/x86.h"
#include "kernel/x86/msr_read.h"
#include "lib/bits.h"

#define INTEL_POWER_UNIT 0x606
#define INTEL_PACKAGE_ENERGY 0x611
#define AMD_POWER_UNIT 0xc0010299
#define AMD_PACKAGE_ENERGY 0xc001029b
#define POWER_UNIT_ENERGY BITS64(12, 8)

#define CPUID_VENDOR_INTEL_B 0x756e6547 // "Genu"
#define CPUID_VENDOR_AMD_B 0x68747541   // "Auth"
#define CPUID_EXTENDED 0x80000000
#define CPUID_POWER 0x80000007 // AMD's: power management
#define CPUID_POWER_D_RAPL BIT32(14)
#define CPUID_TOPOLOGY 0x1f
#define CPUID_TOPOLOGY_OLD 0xb
#define CPUID_TOPOLOGY_C_TYPE BITS32(15, 8) // 0: no such level
#define CPUID_TOPOLOGY_A_SHIFT BITS32(4, 0)
#define LEVELS_MOST 8

// x2APIC id, less what counts within a package: what the last level of the topology says
// (SDM vol. 2, CPUID, leaf 1Fh).
static unsigned package(void)
{
    uint32_t leaf = cpuid(0, 0).a >= CPUID_TOPOLOGY && cpuid(CPUID_TOPOLOGY, 0).b
                        ? CPUID_TOPOLOGY
                        : CPUID_TOPOLOGY_OLD;
    unsigned shift = 0;
    if (cpuid(0, 0).a < leaf)
        return 0;
    for (uint32_t level = 0; level < LEVELS_MOST; level++) {
        struct cpuid r = cpuid(leaf, level);
        if (!field_get(CPUID_TOPOLOGY_C_TYPE, r.c))
            break;
        shift = (unsigned)field_get(CPUID_TOPOLOGY_A_SHIFT, r.a);
    }
    return cpuid(leaf, 0).d >> shift;
}

static bool amd_tells(void)
{
    return cpuid(CPUID_EXTENDED, 0).a >= CPUID_POWER &&
           cpuid(CPUID_POWER, 0).d & CPUID_POWER_D_RAPL;
}

// A virtual machine may answer any MSR with 0, which is no unit.
static bool read_from(uint32_t unit_msr, uint32_t energy_msr, struct energy *out)
{
    uint64_t unit, count;
    if (!msr_read(unit_msr, &unit) || !msr_read(energy_msr, &count) || !unit)
        return false;
    out->unit = (unsigned)field_get(POWER_UNIT_ENERGY, unit);
    out->count = (uint32_t)count;
    out->package = package();
    return true;
}

bool energy_read(struct energy *out)
{
    uint32_t vendor = cpuid(0, 0).b;
    if (vendor == CPUID_VENDOR_INTEL_B)
        return read_from(INTEL_POWER_UNIT, INTEL_PACKAGE_ENERGY, out);
    if (vendor == CPUID_VENDOR_AMD_B && amd_tells())
        return read_from(AMD_POWER_UNIT, AMD_PACKAGE_ENERGY, out);
    return false;
}
