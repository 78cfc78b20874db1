// SPDX-License-Identifier: BSD-2-Clause
// Exceptions and panics: say what happened, where, and how it came there; then end the run.

#include "kernel/run/trap.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/stop.h"
#include "kernel/cpu/trace.h"
#include "kernel/mem/paging.h"
#include "kernel/run/exit.h"
#include "kernel/run/nmi.h"
#include "kernel/run/trap_print.h"
#include "kernel/x86/msr_read.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"
#include "lib/format.h"

#define TRACE_LAST 16
#define BROADCAST_WAIT_NS                                                                          \
    NS_PER_S // where all CPUs get a machine check, each logs before it comes here
#define PAGE_FAULT_FETCH BIT64(4) // error code, I/D: SDM vol. 3, 5.7

static unsigned panicking;   // index + 1 of the CPU that panics
static char panic_text[240]; // of panic()

static const char *const exception_names[VECTOR_EXCEPTIONS] = {
    [0] = "divide error",
    [1] = "debug exception",
    [2] = "NMI",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range",
    [6] = "invalid opcode",
    [7] = "no FPU",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "x87 error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD exception",
    [20] = "virtualization exception",
    [21] = "control protection exception",
    [29] = "VMM communication exception",
    [30] = "security exception",
};

extern const char __stack_chk_fail[], stack_check_end[]; // stack_check.asm

// The first CPU that panics goes on; others, and a panic within a panic, stop here. The others
// first: the console is taken over from who may be in the middle of a line.
static void begin_panic(const struct trap_frame *frame)
{
    interrupts_off();
    unsigned none = 0, me = this_cpu()->index + 1;
    if (!__atomic_compare_exchange_n(&panicking, &none, me, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        if (none == me)
            exit_run(false);
        cpu_stand_by_for_good(frame);
    }
    if (frame->vector == VECTOR_MACHINE_CHECK)
        cpu_wait_for_others(BROADCAST_WAIT_NS);
    if (!cpu_stop_others())
        cpu_stand_by_for_good(frame);
    report_take_over();
}

static const char *page_fault_hint(uint64_t address, uint64_t error)
{
    if (paging_is_stack_guard(address))
        return ": a stack ran over into its guard page";
    if (error & PAGE_FAULT_FETCH)
        return ": executing memory that isn't code";
    return error & BIT64(1) ? ": writing" : ": reading";
}

static void print_exception(const struct trap_frame *f)
{
    const char *name = exception_names[f->vector];
    unsigned cpu = this_cpu()->index;
    if (f->vector == VECTOR_INVALID_OPCODE && panic_text[0])
        error("panic", "panic on CPU %u: %s", cpu, panic_text);
    else if (f->rip - (uint64_t)__stack_chk_fail < (uint64_t)(stack_check_end - __stack_chk_fail))
        error("panic",
              "panic on CPU %u: a function wrote past its local variables (stack protector)", cpu);
    else if (f->vector == VECTOR_PAGE_FAULT)
        error("panic", "panic on CPU %u: page fault at address 0x%llx, error code 0x%llx%s", cpu,
              (unsigned long long)read_cr2(), (unsigned long long)f->error,
              page_fault_hint(read_cr2(), f->error));
    else
        error("panic", "panic on CPU %u: %s (vector %llu), error code 0x%llx%s", cpu,
              name ? name : "reserved exception", (unsigned long long)f->vector,
              (unsigned long long)f->error,
              f->vector == VECTOR_DOUBLE_FAULT && paging_is_stack_guard(read_cr2())
                  ? ": a stack ran over into its guard page"
                  : "");
}

// The one instruction that may fault.
static bool is_expected(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_GENERAL_PROTECTION || frame->rip != (uint64_t)msr_read_rdmsr)
        return false;
    frame->rip = (uint64_t)msr_read_failed;
    return true;
}

void trap_handle(struct trap_frame *frame)
{
    if (is_expected(frame))
        return;
    if (frame->vector == VECTOR_NMI) {
        nmi_take(frame);
        return;
    }
    begin_panic(frame);
    print_exception(frame);
    if (frame->vector == VECTOR_MACHINE_CHECK)
        trap_print_machine_checks();
    trap_print_registers(frame);
    trap_print_control();
    trap_print_backtrace(frame);
    trace_print_last(this_cpu()->index, TRACE_LAST);
    exit_run(false);
}

// By way of an exception, which saves the registers.
noreturn void panic(const char *fmt, ...)
{
    va_list args;
    interrupts_off();
    va_start(args, fmt);
    format_text_v(panic_text, sizeof(panic_text), fmt, args);
    va_end(args);
    __builtin_trap();
}
