// SPDX-License-Identifier: BSD-2-Clause
// Masking 8259s and IOAPICs for good, against register-level models of both (ICH9 datasheet 13.5).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/base/x86.h"
#include "kernel/mem/map.h"
#include "lib/problem.h"

#include "kernel/x86/ioapic.c"

#include <cmocka.h>

#define ENTRIES 240 // as many as an IOAPIC can have
#define IOAPICS 3

static struct ioapic {
    uint64_t address;
    uint32_t last; // entry; UINT32_MAX: nobody answers
    bool zeros;    // its registers read as zeros
    uint32_t index;
    uint32_t entries[2 * ENTRIES];
    unsigned writes;
} ioapics[IOAPICS];

static uint8_t ports[256];
static unsigned port_writes, warnings;
static struct madt_ioapic named[IOAPICS];
static struct madt madt;
static uint64_t ram; // where no registers can be

// ---- the machine ----

void out8(uint16_t port, uint8_t value)
{
    assert_true(port < sizeof(ports));
    ports[port] = value;
    port_writes++;
}

void warn(const char *what, const char *fmt, ...)
{
    warnings++;
}

void warn_problem(const struct problem *problem)
{
    warn(problem->what, "%s", problem->message);
}

bool mem_may_be_mmio(uint64_t phys, size_t bytes)
{
    assert_true(bytes > 0x10 + 3);
    return phys != ram;
}

volatile void *mem_map_mmio(uint64_t phys, size_t bytes)
{
    assert_true(bytes > 0x10 + 3 && phys != ram);
    for (unsigned i = 0; i < IOAPICS; i++)
        if (ioapics[i].address == phys)
            return (volatile void *)(uintptr_t)phys;
    fail_msg("no IOAPIC is at 0x%llx", (unsigned long long)phys);
    return NULL;
}

static struct ioapic *at(const volatile void *reg, unsigned *offset)
{
    *offset = (uintptr_t)reg & 0xfff;
    for (unsigned i = 0; i < IOAPICS; i++)
        if (ioapics[i].address == ((uintptr_t)reg & ~0xfffull))
            return &ioapics[i];
    fail_msg("no IOAPIC has this register");
    return NULL;
}

static uint32_t *selected(struct ioapic *a)
{
    if (a->index < 0x10 || a->index >= 0x10 + 2 * (a->last + 1))
        fail_msg("IOAPIC register %02x isn't there", a->index);
    return &a->entries[a->index - 0x10];
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    unsigned offset;
    struct ioapic *a = at(reg, &offset);
    assert_int_equal(bytes, 4);
    assert_int_equal(offset, 0x10);
    if (a->zeros)
        return 0;
    if (a->last == UINT32_MAX)
        return UINT32_MAX;
    return a->index == 1 ? 0x5a008020 | a->last << 16 : *selected(a); // reserved bits, too
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    unsigned offset;
    struct ioapic *a = at(reg, &offset);
    assert_int_equal(bytes, 4);
    if (offset == 0) {
        a->index = (uint32_t)value;
        return;
    }
    assert_int_equal(offset, 0x10);
    assert_true(a->last != UINT32_MAX);
    *selected(a) = (uint32_t)value;
    a->writes++;
}

// ---- tests ----

// What firmware left in an entry: no two are the same, and some are masked already.
static uint32_t left_in(unsigned i, unsigned half)
{
    return half ? 0x01000000 + i * 0x10000 : (i % 5 ? 0 : 1u << 16) | 0xa000 | (0x20 + i % 200);
}

static int set_up(void **state)
{
    memset(ioapics, 0, sizeof(ioapics));
    memset(ports, 0x55, sizeof(ports));
    port_writes = warnings = 0;
    madt = (struct madt){ .ioapics = named, .ioapics_count = IOAPICS };
    ram = 0;
    for (unsigned i = 0; i < IOAPICS; i++) {
        ioapics[i].address = named[i].address = 0xfec00000 + 0x1000 * i;
        ioapics[i].last = 23;
        for (unsigned n = 0; n < 2 * ENTRIES; n++)
            ioapics[i].entries[n] = left_in(n / 2, n % 2);
    }
    return 0;
}

static void expect_masked(const struct ioapic *a)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint32_t low = left_in(i, 0) | (i <= a->last ? 1u << 16 : 0);
        assert_int_equal(a->entries[2 * i], low); // the rest of it as it was
        assert_int_equal(a->entries[2 * i + 1], left_in(i, 1));
    }
}

static void test_all_are_masked(void **state)
{
    static const uint32_t lasts[] = { 0, 23, 119, 239 };
    for (unsigned i = 0; i < ARRAY_SIZE(lasts); i++) {
        set_up(NULL);
        ioapics[1].last = lasts[i];
        ioapic_mask_all(&madt);
        for (unsigned n = 0; n < IOAPICS; n++)
            expect_masked(&ioapics[n]);
        assert_int_equal(warnings, 0);
    }
}

static void test_8259(void **state)
{
    madt.ioapics_count = 0;
    ioapic_mask_all(&madt);
    assert_int_equal(ports[0x21], 0xff);
    assert_int_equal(ports[0xa1], 0xff);
    assert_int_equal(port_writes, 2);
    assert_int_equal(ioapics[0].writes, 0);
}

// One that doesn't answer is told of once, and the others are masked.
static void test_absent(void **state)
{
    ioapics[1].last = UINT32_MAX;
    ioapic_mask_all(&madt);
    assert_int_equal(warnings, 1);
    assert_int_equal(ioapics[1].writes, 0);
    expect_masked(&ioapics[0]);
    expect_masked(&ioapics[2]);
}

// So is one that is switched off, or that is named where there is RAM; two of them are told of at once.
static void test_switched_off(void **state)
{
    ioapics[0].zeros = true;
    ram = ioapics[2].address;
    ioapic_mask_all(&madt);
    assert_int_equal(warnings, 1);
    assert_int_equal(ioapics[0].writes + ioapics[2].writes, 0);
    expect_masked(&ioapics[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_masked),
        cmocka_unit_test_setup(test_8259, set_up),
        cmocka_unit_test_setup(test_absent, set_up),
        cmocka_unit_test_setup(test_switched_off, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
