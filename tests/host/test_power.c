// SPDX-License-Identifier: BSD-2-Clause
// Power-off and reset on a machine that takes no notice: each way is tried, in order.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/map.h"
#include "kernel/run/power.h"
#include "kernel/x86/time.h"
#include "lib/mmio.h"

static char said[512]; // what was done to the machine
static uint16_t pm1[2];
static uint64_t now;
static jmp_buf end;

static void say(const char *fmt, ...)
{
    size_t used = strlen(said);
    va_list args;
    va_start(args, fmt);
    vsnprintf(said + used, sizeof(said) - used, fmt, args);
    va_end(args);
}

uint64_t time_ns(void)
{
    return now += 1000;
}

void time_delay_ns(uint64_t ns)
{
    now += ns;
    if (ns >= NS_PER_S)
        say("wait ");
}

void out8(uint16_t port, uint8_t value)
{
    say("%x=%x ", port, value);
    if (port == 0xb2)
        pm1[0] |= 1; // SCI_EN
}

void out16(uint16_t port, uint16_t value)
{
    say("%x=%x ", port, value);
}

uint8_t in8(uint16_t port)
{
    return 0;
}

uint16_t in16(uint16_t port)
{
    return port == 0x604 ? pm1[0] : pm1[1];
}

noreturn void cpu_triple_fault(void)
{
    say("triple");
    longjmp(end, 1);
}

static uint8_t reset_register;

volatile void *mem_map_mmio(uint64_t phys, size_t bytes)
{
    assert_int_equal(phys, 0xfec12340);
    return &reset_register;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    return 0;
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    assert_ptr_equal(reg, &reset_register);
    assert_int_equal(bytes, 1);
    say("memory=%x ", (unsigned)value);
}

static void reset(struct fadt fadt)
{
    said[0] = 0;
    power_init(&(struct acpi_power){ .fadt = fadt });
    if (!setjmp(end))
        power_reset();
}

static void a_reset_that_firmware_asks_for_comes_first(void **state)
{
    reset((struct fadt){ .reset = 0x92, .reset_io = true, .reset_value = 0x21 });
    assert_string_equal(said, "92=21 wait 64=fe wait cf9=2 cf9=6 wait triple");
    reset((struct fadt){ .reset = 0xfec12340, .reset_value = 0x33 });
    assert_string_equal(said, "memory=33 wait 64=fe wait cf9=2 cf9=6 wait triple");
}

static void without_its_register_the_others_are_left(void **state)
{
    reset((struct fadt){ .reset = 0 });
    assert_true(strstr(said, "64=fe wait cf9=2 cf9=6 wait triple"));
    assert_null(strstr(said, "0=0"));
}

static void power_off_sets_types_then_enables(void **state)
{
    said[0] = 0;
    pm1[0] = 0x0400;
    pm1[1] = 0x0002;
    power_init(&(struct acpi_power){
        .fadt = { .pm1a_control = 0x604,
                  .pm1b_control = 0x608,
                  .smi_command = 0xb2,
                  .acpi_enable = 0xa0 },
        .can_power_off = true,
        .slp_typ_a = 5,
        .slp_typ_b = 6,
    });
    power_off();
    assert_string_equal(said, "b2=a0 604=1401 608=1802 604=3401 608=3802 wait ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_register_the_others_are_left), // before any is mapped
        cmocka_unit_test(a_reset_that_firmware_asks_for_comes_first),
        cmocka_unit_test(power_off_sets_types_then_enables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
