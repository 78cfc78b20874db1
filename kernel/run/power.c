// SPDX-License-Identifier: BSD-2-Clause
// Power-off and reset by ACPI's registers; reset in the ways of older machines where those do
// nothing.

#include "kernel/run/power.h"

#include "kernel/base/x86.h"
#include "kernel/mem/map.h"
#include "kernel/x86/time.h"
#include "lib/mmio.h"

#define PM1_SCI_EN BIT64(0)
#define PM1_SLP_TYP BITS64(12, 10)
#define PM1_SLP_EN BIT64(13)
#define PORT_KEYBOARD 0x64
#define KEYBOARD_RESET 0xfe
#define PORT_RESET_CONTROL 0xcf9 // ICH9 datasheet, 13.7.5
#define RESET_CONTROL_SYS_RST 0x02
#define RESET_CONTROL_RST_CPU 0x04
#define RESET_CONTROL_SETTLE_NS 50000

static struct {
    struct acpi_power acpi;
    volatile void *reset; // mapped, where the reset register is in memory
} power;

void power_init(const struct acpi_power *acpi)
{
    power.acpi = *acpi;
    if (acpi->fadt.reset && !acpi->fadt.reset_io)
        power.reset = mem_map_mmio(acpi->fadt.reset, 1);
}

static void set_pm1(uint16_t port, uint8_t slp_typ, uint16_t enable)
{
    if (!port)
        return;
    uint16_t value = in16(port);
    field_set(&value, PM1_SLP_TYP, slp_typ);
    out16(port, value | enable);
}

// In legacy mode the firmware must first be told that ACPI is in charge (ACPI 6.5, 4.8.2.5); both
// halves of a split register take the value (4.8.3.2.1).
void power_off(void)
{
    const struct fadt *f = &power.acpi.fadt;
    if (!power.acpi.can_power_off)
        return;
    if (f->smi_command && f->acpi_enable && !(in16(f->pm1a_control) & PM1_SCI_EN)) {
        out8(f->smi_command, f->acpi_enable);
        (void)poll_until(in16(f->pm1a_control) & PM1_SCI_EN, 3 * NS_PER_S); // best effort
    }
    for (unsigned pass = 0; pass < 2; pass++) { // first both types, then both enables
        set_pm1(f->pm1a_control, power.acpi.slp_typ_a, pass ? PM1_SLP_EN : 0);
        set_pm1(f->pm1b_control, power.acpi.slp_typ_b, pass ? PM1_SLP_EN : 0);
    }
    time_delay_ns(NS_PER_S);
}

static void reset_by_acpi(void)
{
    const struct fadt *f = &power.acpi.fadt;
    if (power.reset)
        mmio_write8(power.reset, f->reset_value);
    else if (f->reset)
        out8((uint16_t)f->reset, f->reset_value);
}

static void reset_by_keyboard(void)
{
    out8(PORT_KEYBOARD, KEYBOARD_RESET);
}

// A hard reset: its kind first, then the rising edge that starts it.
static void reset_by_chipset(void)
{
    out8(PORT_RESET_CONTROL, RESET_CONTROL_SYS_RST);
    time_delay_ns(RESET_CONTROL_SETTLE_NS);
    out8(PORT_RESET_CONTROL, RESET_CONTROL_SYS_RST | RESET_CONTROL_RST_CPU);
}

// What firmware asks for comes first; what any machine can do comes last.
noreturn void power_reset(void)
{
    static void (*const ways[])(void) = { reset_by_acpi, reset_by_keyboard, reset_by_chipset };
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        ways[i]();
        time_delay_ns(NS_PER_S);
    }
    cpu_triple_fault();
}
