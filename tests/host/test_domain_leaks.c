// SPDX-License-Identifier: BSD-2-Clause
// What is warned of: a processor that shows ring 3 the kernel's memory, and cores that a domain shares.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/percpu.h"
#include "kernel/domain/leaks.h"
#include "kernel/domain/life.h"

#define CPUS 6u

static struct cpu cpus[CPUS];
static struct domain_words words[2] = { { .name = "a" }, { .name = "b" } };
static struct domain_seat seats[2][2];
static struct domain domains[2];
static struct cpuid leaf0, leaf7, level0;
static uint64_t capabilities;
static unsigned warnings;
static char last[512], what_last[32];

unsigned cpu_total(void)
{
    return CPUS;
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus[index];
}

static struct cpuid answer(uint32_t leaf, uint32_t sub)
{
    assert_int_equal(sub, 0);
    return leaf == 0 ? leaf0 : leaf == 7 ? leaf7 : level0;
}

struct cpuid (*cpuid_model)(uint32_t leaf, uint32_t sub) = answer;

uint64_t rdmsr(uint32_t msr)
{
    assert_int_equal(msr, 0x10a);
    assert_true(leaf7.d & 1u << 29); // else it faults
    return capabilities;
}

void warn(const char *what, const char *fmt, ...); // report.h's fail() is a macro of cmocka's
void warn(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(last, sizeof(last), fmt, args);
    va_end(args);
    (void)snprintf(what_last, sizeof(what_last), "%s", what);
    warnings++;
}

// APIC ids as in a machine whose cores have two threads: 0 and 1 are one.
static int begin(void **state)
{
    leaf0 = (struct cpuid){ .b = 0x68747541, .d = 0x69746e65, .c = 0x444d4163 }; // AuthenticAMD
    leaf7 = (struct cpuid){ 0 };
    level0 = (struct cpuid){ .a = 1, .b = 2, .c = 1 << 8 };
    capabilities = 0;
    warnings = 0;
    for (unsigned i = 0; i < CPUS; i++)
        cpus[i].apic_id = 0x10 + i;
    for (unsigned i = 0; i < 2; i++) {
        domains[i] = (struct domain){ .words = &words[i], .seats = seats[i] };
        domains[i].team.cpus_count = 2;
    }
    domains[0].next = &domains[1];
    seats[0][0].cpu = 2;
    seats[0][1].cpu = 3;
    seats[1][0].cpu = 4;
    seats[1][1].cpu = 5;
    return 0;
}

static void test_whole_cores(void **state)
{
    domain_warn_leaks(domains);
    assert_int_equal(warnings, 0);
    domain_warn_leaks(NULL);
    assert_int_equal(warnings, 0);
}

static void test_a_core_with_the_kernel(void **state)
{
    cpus[1].apic_id = 0x12;
    cpus[2].apic_id = 0x11;
    domain_warn_leaks(&domains[0]);
    assert_int_equal(warnings, 1);
    assert_string_equal(what_last, "domain-sibling");
    assert_non_null(
        strstr(last, "domain a: its CPU 2 (APIC id 11h) shares a core with CPU 0 (10h)"));
}

// Each of them is warned of the other, once.
static void test_a_core_of_two_domains(void **state)
{
    seats[0][1].cpu = 4;
    seats[1][0].cpu = 3;
    domain_warn_leaks(domains);
    assert_int_equal(warnings, 2);
    assert_non_null(strstr(last, "domain b: its CPU 3 (APIC id 13h) shares a core with CPU 2"));
}

static void test_one_thread_each(void **state)
{
    domains[0].team.cpus_count = 1; // CPU 2, whose sibling is the kernel's then
    domains[0].next = NULL;
    domain_warn_leaks(domains);
    assert_int_equal(warnings, 1);
    level0 = (struct cpuid){ .a = 0, .b = 1, .c = 1 << 8 };
    domain_warn_leaks(domains);
    level0 = (struct cpuid){ .a = 3, .b = 8, .c = 2 << 8 }; // no level of threads
    domain_warn_leaks(domains);
    level0 = (struct cpuid){ 0 };
    domain_warn_leaks(domains);
    assert_int_equal(warnings, 1);
}

static void is_warned_of_meltdown(bool is)
{
    warnings = 0;
    domain_warn_leaks(domains);
    assert_int_equal(warnings, is);
    if (is)
        assert_string_equal(what_last, "domain-meltdown");
}

static void test_meltdown(void **state)
{
    is_warned_of_meltdown(false);
    leaf0 = (struct cpuid){ .b = 0x756e6547, .d = 0x49656e69, .c = 0x6c65746e }; // GenuineIntel
    is_warned_of_meltdown(true);
    capabilities = 1; // but nothing says that there is such a register
    is_warned_of_meltdown(true);
    leaf7.d = 1u << 29;
    is_warned_of_meltdown(false);
    capabilities = ~1ull;
    is_warned_of_meltdown(true);
}

#define test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_whole_cores),
        test(test_a_core_with_the_kernel),
        test(test_a_core_of_two_domains),
        test(test_one_thread_each),
        test(test_meltdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
