// SPDX-License-Identifier: BSD-2-Clause
// What CPUID says of errata and hypervisors.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/x86/errata.h"
#include "kernel/x86/hypervisor.h"

static struct cpuid signature(const char *text)
{
    struct cpuid leaf = { 0 };
    memcpy(&leaf.b, text, 4);
    memcpy(&leaf.c, text + 4, 4);
    memcpy(&leaf.d, text + 8, 4);
    return leaf;
}

static struct cpuid vendor(const char *text)
{
    struct cpuid in_order = signature(text);
    return (struct cpuid){ .b = in_order.b, .d = in_order.c, .c = in_order.d };
}

static const char *mwait_erratum(const char *name, uint32_t eax)
{
    return errata_of_mwait(vendor(name), (struct cpuid){ .a = eax });
}

static void mwait_is_refused_by_model(void **state)
{
    static const uint32_t broken[] = { 0x606a6, 0x606a0, 0x606c1, 0x506ca, 0xb06d1 };
    static const uint32_t fine[] = {
        0x50657, // Cascade Lake
        0x406f1, // Broadwell-EP
        0x806f8, // Sapphire Rapids
        0xc06f2, // Emerald Rapids
        0x00f6a, // family F, model 6
        0x606a6 & ~0xf0000u,
        0x16a6a6 & ~0xf00u,
    };
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        assert_non_null(mwait_erratum("GenuineIntel", broken[i]));
        assert_null(mwait_erratum("AuthenticAMD", broken[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
        assert_null(mwait_erratum("GenuineIntel", fine[i]));
    assert_non_null(strstr(mwait_erratum("GenuineIntel", 0x606a6), "ICX143"));
}

static void qemu_says_who_it_is(void **state)
{
    struct cpuid leaf1 = { .c = 1u << 31 }, bare = { 0 };
    assert_true(hypervisor_names_qemu(leaf1, signature("TCGTCGTCGTCG")));
    assert_true(hypervisor_names_qemu(leaf1, signature("KVMKVMKVM\0\0\0")));
    assert_false(hypervisor_names_qemu(leaf1, signature("VMwareVMware")));
    assert_false(hypervisor_names_qemu(leaf1, signature("Microsoft Hv")));
    assert_false(hypervisor_names_qemu(leaf1, (struct cpuid){ 0 }));
    // Without the bit the leaf is past the last one, and answers with another one's.
    assert_false(hypervisor_names_qemu(bare, signature("TCGTCGTCGTCG")));
}

static void whose_machine_it_is(void **state)
{
    struct cpuid leaf1 = { .c = 1u << 31 }, bare = { 0 };
    char name[HYPERVISOR_NAME_BYTES];
    assert_string_equal(hypervisor_read_name(leaf1, signature("Microsoft Hv"), name),
                        "Microsoft Hv");
    assert_string_equal(hypervisor_read_name(leaf1, signature("KVMKVMKVM\0\0\0"), name),
                        "KVMKVMKVM");
    assert_string_equal(hypervisor_read_name(leaf1, signature("bad\nname\x80\0\0\0"), name),
                        "bad?name?");
    assert_string_equal(hypervisor_read_name(bare, signature("TCGTCGTCGTCG"), name), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mwait_is_refused_by_model),
        cmocka_unit_test(qemu_says_who_it_is),
        cmocka_unit_test(whose_machine_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
