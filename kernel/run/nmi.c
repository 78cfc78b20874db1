// SPDX-License-Identifier: BSD-2-Clause
// An NMI that nobody asked for is a person at the BMC who wants to know what the machine is doing,
// or hardware that is failing: both want to see every CPU.

#include "kernel/run/nmi.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/stop.h"
#include "kernel/cpu/trace.h"
#include "kernel/run/exit.h"
#include "kernel/run/trap_print.h"

#define PORT_NMI_STATUS 0x61 // ICH9 datasheet, 13.7.1
#define NMI_STATUS_SERR 0x80
#define NMI_STATUS_IOCHK 0x40
#define NMI_STATUS_ABSENT 0xff
#define TRACE_LAST 16

static bool goes_on;

void nmi_set_continue(bool on)
{
    goes_on = on;
}

static const char *reason_text(uint8_t status)
{
    if (status == NMI_STATUS_ABSENT)
        return "";
    if (status & NMI_STATUS_SERR)
        return ": a system error of the PCI bus (SERR#, port 61h bit 7)";
    return status & NMI_STATUS_IOCHK ? ": an I/O check (port 61h bit 6)" : "";
}

static void tell(void)
{
    const char *reason = reason_text(in8(PORT_NMI_STATUS));
    if (goes_on)
        warn("nmi", "CPU %u: an NMI that nobody here asked for%s; the run goes on (nmi=continue)",
             cpu_index(), reason);
    else
        error("nmi",
              "CPU %u: an NMI that nobody here asked for%s: a BMC's diagnostic NMI, or failing "
              "hardware (nmi=continue: the run goes on)",
              cpu_index(), reason);
}

static void print_all(const struct trap_frame *frame)
{
    info("CPU %u:", cpu_index());
    trap_print_registers(frame);
    trap_print_control();
    trap_print_backtrace(frame);
    trap_print_others();
}

void nmi_take(const struct trap_frame *frame)
{
    if (cpu_stand_by(frame))
        return;
    if (!(goes_on ? cpu_hold_others() : cpu_stop_others()))
        cpu_stand_by_for_good(frame);
    report_take_over();
    tell();
    print_all(frame);
    if (!goes_on) {
        trace_print_last(cpu_index(), TRACE_LAST);
        exit_run(false);
    }
    report_hand_back();
    cpu_release_others();
}
