// SPDX-License-Identifier: BSD-2-Clause
// The last steps: JSON `end`, QEMU's debug-exit device, then ACPI power-off or reset.

#include "kernel/exit.h"

#include "kernel/cpu.h"
#include "kernel/mem.h"
#include "kernel/report.h"
#include "kernel/report_init.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "kernel/x86.h"
#include "lib/mmio.h"

#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_OK 0x10     // QEMU ends with (value << 1) | 1: 33
#define DEBUG_EXIT_FAILED 0x11 // 35

#define PM1_SCI_EN BIT64(0)
#define PM1_SLP_TYP BITS64(12, 10)
#define PM1_SLP_EN BIT64(13)
#define PORT_KEYBOARD 0x64
#define KEYBOARD_RESET 0xfe

static struct {
    void (*cleanup)(void);
    struct fadt fadt;
    bool can_power_off;
    uint8_t slp_typ_a, slp_typ_b;
    volatile void *reset; // mapped, where the reset register is in memory
    enum exit_kind kind;
} exit_state = { .kind = EXIT_POWEROFF };

void exit_init(const struct fadt *fadt)
{
    exit_state.fadt = *fadt;
    const struct acpi_header *dsdt = acpi_map(fadt->dsdt, "DSDT");
    exit_state.can_power_off =
        dsdt && fadt->pm1a_control &&
        acpi_s5_find(dsdt, dsdt->length, &exit_state.slp_typ_a, &exit_state.slp_typ_b);
    if (fadt->reset && !fadt->reset_io)
        exit_state.reset = mem_map_mmio(fadt->reset, 1);
}

void exit_set_cleanup(void (*cleanup)(void))
{
    exit_state.cleanup = cleanup;
}

// Once, and only from the boot CPU, whose loop owns what is to be shut down.
void exit_clean_up(void)
{
    void (*cleanup)(void) = exit_state.cleanup;
    exit_state.cleanup = NULL;
    if (cleanup && cpu_index() == 0)
        cleanup();
}

void exit_set(enum exit_kind kind)
{
    exit_state.kind = kind;
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
static void power_off(void)
{
    const struct fadt *f = &exit_state.fadt;
    if (!exit_state.can_power_off)
        return;
    if (f->smi_command && f->acpi_enable && !(in16(f->pm1a_control) & PM1_SCI_EN)) {
        out8(f->smi_command, f->acpi_enable);
        (void)poll_until(in16(f->pm1a_control) & PM1_SCI_EN, 3 * NS_PER_S); // best effort
    }
    for (unsigned pass = 0; pass < 2; pass++) { // first both types, then both enables
        set_pm1(f->pm1a_control, exit_state.slp_typ_a, pass ? PM1_SLP_EN : 0);
        set_pm1(f->pm1b_control, exit_state.slp_typ_b, pass ? PM1_SLP_EN : 0);
    }
    time_delay_ns(NS_PER_S);
}

static void reboot(void)
{
    const struct fadt *f = &exit_state.fadt;
    if (exit_state.reset)
        mmio_write8(exit_state.reset, f->reset_value);
    else if (f->reset)
        out8((uint16_t)f->reset, f->reset_value);
    time_delay_ns(NS_PER_S);
    out8(PORT_KEYBOARD, KEYBOARD_RESET);
    time_delay_ns(NS_PER_S);
}

noreturn void exit_run(bool ok)
{
    static bool entered;
    if (__atomic_exchange_n(&entered, true, __ATOMIC_ACQ_REL))
        halt_forever();
    interrupts_off();
    smp_stop_others();
    report_take_over(); // one of them may have been stopped while it held the lock
    char line[64];
    struct json j;
    json_begin(&j, line, sizeof(line), "end");
    json_text(&j, "status", ok ? "ok" : "failed");
    report_json(&j);
    out8(DEBUG_EXIT_PORT, ok ? DEBUG_EXIT_OK : DEBUG_EXIT_FAILED);
    time_delay_ns(NS_PER_S); // QEMU ends a little later; its status must not become the power-off's
    if (exit_state.kind == EXIT_POWEROFF)
        power_off();
    else if (exit_state.kind == EXIT_REBOOT)
        reboot();
    info("%s: the machine can be switched off", ok ? "done" : "failed");
    halt_forever();
}
