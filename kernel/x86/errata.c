// SPDX-License-Identifier: BSD-2-Clause
// Errata, by vendor, family and model (SDM vol. 2, CPUID, figure 3-6). Pure: runs on the host too.

#include "kernel/x86/errata.h"

#define SIGNATURE_MODEL BITS32(7, 4)
#define SIGNATURE_FAMILY BITS32(11, 8)
#define SIGNATURE_MODEL_HIGH BITS32(19, 16)
#define FAMILY_P6 6

#define ARCH_CAPABILITIES_RDCL_NO BIT64(0) // rogue data cache load

#define GENUINE_B 0x756e6547 // "Genu" "ineI" "ntel"
#define GENUINE_D 0x49656e69
#define GENUINE_C 0x6c65746e

static bool is_intel(struct cpuid leaf0)
{
    return leaf0.b == GENUINE_B && leaf0.c == GENUINE_C && leaf0.d == GENUINE_D;
}

// A monitored store that ends no wait: what was posted would lie there until something else
// happens.
const char *errata_of_mwait(struct cpuid leaf0, struct cpuid leaf1)
{
    static const struct {
        uint32_t model;
        const char *erratum;
    } broken[] = {
        { 0x5c, "Goldmont, APL30" },
        { 0x6a, "Ice Lake-SP, ICX143" },
        { 0x6c, "Ice Lake-D, the same as ICX143" },
        { 0xbd, "Lunar Lake, lost MONITOR wake-ups" },
    };
    if (!is_intel(leaf0) || field_get(SIGNATURE_FAMILY, leaf1.a) != FAMILY_P6)
        return NULL;
    uint32_t model = (uint32_t)(field_get(SIGNATURE_MODEL_HIGH, leaf1.a) << 4 |
                                field_get(SIGNATURE_MODEL, leaf1.a));
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
        if (broken[i].model == model)
            return broken[i].erratum;
    return NULL;
}

// SDM vol. 4, table 2-2, IA32_ARCH_CAPABILITIES. Who doesn't say that they are not is open to it.
bool errata_shows_kernel(struct cpuid leaf0, struct cpuid leaf7, uint64_t capabilities)
{
    bool says = leaf7.d & CPUID_7_D_ARCH_CAPABILITIES;
    return is_intel(leaf0) && !(says && capabilities & ARCH_CAPABILITIES_RDCL_NO);
}
