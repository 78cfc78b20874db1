// SPDX-License-Identifier: BSD-2-Clause
// What CPUID says of a hypervisor: a bit that processors keep 0, and a signature in EBX, ECX, EDX.

#include "kernel/x86/hypervisor.h"

#include "lib/string.h"

#define CPUID_HYPERVISOR 0x40000000
#define CPUID_1_C_HYPERVISOR BIT32(31)
#define SIGNATURE_BYTES 12

bool hypervisor_names_qemu(struct cpuid leaf1, struct cpuid leaf40000000)
{
    static const char signatures[][SIGNATURE_BYTES + 1] = { "TCGTCGTCGTCG", "KVMKVMKVM\0\0\0" };
    const uint32_t said[] = { leaf40000000.b, leaf40000000.c, leaf40000000.d };
    static_assert(sizeof(said) == SIGNATURE_BYTES, "EBX, ECX, EDX");
    if (!(leaf1.c & CPUID_1_C_HYPERVISOR)) // the leaf would be another's
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
        if (memcmp(said, signatures[i], SIGNATURE_BYTES) == 0)
            return true;
    return false;
}

bool hypervisor_is_there(void)
{
    return cpuid(1, 0).c & CPUID_1_C_HYPERVISOR;
}

bool hypervisor_may_be_qemu(void)
{
    return hypervisor_names_qemu(cpuid(1, 0), cpuid(CPUID_HYPERVISOR, 0));
}
