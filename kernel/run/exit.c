// SPDX-License-Identifier: BSD-2-Clause
// The last steps: JSON `end`, QEMU's debug-exit device, then power-off or reset.

#include "kernel/run/exit.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/verdict.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/stop.h"
#include "kernel/run/power.h"
#include "kernel/x86/hypervisor.h"
#include "kernel/x86/time.h"

#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_OK 0x10     // QEMU ends with (value << 1) | 1: 33
#define DEBUG_EXIT_FAILED 0x11 // 35

static struct {
    void (*cleanup)(void);
    void (*after_failure)(void);
    enum exit_kind kind;
    bool debug_port;
} exit_state = { .kind = EXIT_POWEROFF };

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

void exit_set_debug_port(void)
{
    exit_state.debug_port = true;
}

// On hardware the port may be anything.
static void tell_qemu(bool ok)
{
    if (exit_state.debug_port || hypervisor_may_be_qemu())
        out8(DEBUG_EXIT_PORT, ok ? DEBUG_EXIT_OK : DEBUG_EXIT_FAILED);
}

noreturn void exit_run(bool ok)
{
    static bool entered;
    if (__atomic_exchange_n(&entered, true, __ATOMIC_ACQ_REL))
        halt_forever();
    interrupts_off();
    if (!cpu_stop_others())
        halt_forever(); // another CPU panics, and ends the run
    report_take_over(); // one of them may have been stopped while it held the lock
    report_flush();
    report_trouble();
    report_left_out();
    char line[64];
    struct json j;
    json_begin(&j, line, sizeof(line), "end");
    json_text(&j, "status", ok ? "ok" : "failed");
    report_json(&j);
    info("run: %s, ended", ok ? "ok" : "failed"); // what labs' parsers wait for: docs/racks.md
    verdict_show(ok);
    tell_qemu(ok);
    time_delay_ns(NS_PER_S); // QEMU ends a little later; its status must not become the power-off's
    if (exit_state.kind == EXIT_POWEROFF)
        power_off();
    else if (exit_state.kind == EXIT_REBOOT)
        power_reset();
    info("%s: the machine can be switched off", ok ? "done" : "failed");
    halt_forever();
}

void exit_set_after_failure(void (*fn)(void))
{
    exit_state.after_failure = fn;
}

noreturn void exit_failed(void)
{
    exit_clean_up();
    void (*after_failure)(void) = exit_state.after_failure;
    exit_state.after_failure = NULL;
    if (after_failure && cpu_index() == 0) {
        verdict_show(false);
        after_failure();
    }
    exit_run(false);
}
