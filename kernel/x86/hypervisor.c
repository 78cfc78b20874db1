// SPDX-License-Identifier: BSD-2-Clause
// What CPUID says of a hypervisor: a bit that processors keep 0, and a signature in EBX, ECX, EDX.

#include "kernel/x86/hypervisor.h"

#include "lib/string.h"

#define CPUID_HYPERVISOR 0x40000000
#define CPUID_1_C_HYPERVISOR BIT32(31)
#define SIGNATURE_BYTES 12
#define TCG "TCGTCGTCGTCG"

static bool names(struct cpuid leaf, const char signature[SIGNATURE_BYTES])
{
    const uint32_t said[] = { leaf.b, leaf.c, leaf.d };
    static_assert(sizeof(said) == SIGNATURE_BYTES, "EBX, ECX, EDX");
    return !memcmp(said, signature, SIGNATURE_BYTES);
}

bool hypervisor_names_qemu(struct cpuid leaf1, struct cpuid leaf40000000)
{
    if (!(leaf1.c & CPUID_1_C_HYPERVISOR)) // the leaf would be another's
        return false;
    return names(leaf40000000, TCG) || names(leaf40000000, "KVMKVMKVM\0\0\0");
}

const char *hypervisor_read_name(struct cpuid leaf1, struct cpuid leaf40000000, char *to)
{
    const uint32_t said[] = { leaf40000000.b, leaf40000000.c, leaf40000000.d };
    static_assert(HYPERVISOR_NAME_BYTES == SIGNATURE_BYTES + 1, "and a zero");
    bool there = leaf1.c & CPUID_1_C_HYPERVISOR;
    memset(to, 0, HYPERVISOR_NAME_BYTES);
    memcpy(to, there ? (const void *)said : "none", there ? sizeof(said) : sizeof("none"));
    for (char *c = to; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return to;
}

const char *hypervisor_name(char *to)
{
    return hypervisor_read_name(cpuid(1, 0), cpuid(CPUID_HYPERVISOR, 0), to);
}

bool hypervisor_traps(void)
{
    return hypervisor_is_there() && !names(cpuid(CPUID_HYPERVISOR, 0), TCG);
}

bool hypervisor_is_there(void)
{
    return cpuid(1, 0).c & CPUID_1_C_HYPERVISOR;
}

bool hypervisor_may_be_qemu(void)
{
    return hypervisor_names_qemu(cpuid(1, 0), cpuid(CPUID_HYPERVISOR, 0));
}
