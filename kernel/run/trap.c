// SPDX-License-Identifier: BSD-2-Clause
// Exceptions and panics: say what happened, where, and how it came there; then end the run.

#include "kernel/run/trap.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/symbols.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/stop.h"
#include "kernel/cpu/trace.h"
#include "kernel/mem/paging.h"
#include "kernel/run/exit.h"
#include "kernel/x86/vectors.h"
#include "lib/format.h"

#define BACKTRACE_MOST 32
#define TRACE_LAST 16
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

static void print_place(const char *what, uint64_t address)
{
    uint64_t offset = 0;
    const char *name = symbols_find(address, &offset);
    if (name)
        info("  %s %016llx %s+0x%llx", what, (unsigned long long)address, name,
             (unsigned long long)offset);
    else
        info("  %s %016llx ?", what, (unsigned long long)address);
}

static void print_caller(uint64_t return_address)
{
    print_place("from", return_address - 1); // within the call, not behind it
}

static bool is_fetch(const struct trap_frame *f)
{
    return f->vector == VECTOR_PAGE_FAULT && f->error & PAGE_FAULT_FETCH;
}

// Follows frame pointers as long as they lie in mapped memory and go up.
static void print_backtrace(const struct trap_frame *f)
{
    uint64_t rbp = f->rbp;
    info("backtrace:");
    print_place("at  ", f->rip);
    // A call that led to no code made no frame: its return address is still on top of the stack.
    if (is_fetch(f) && paging_is_mapped(f->rsp) && paging_is_mapped(f->rsp + 7))
        print_caller(*(const uint64_t *)f->rsp);
    for (unsigned i = 0; i < BACKTRACE_MOST; i++) {
        if (rbp % 8 || !paging_is_mapped(rbp) || !paging_is_mapped(rbp + 15))
            return;
        const uint64_t *frame = (const uint64_t *)rbp;
        if (!frame[1])
            return;
        print_caller(frame[1]);
        if (frame[0] <= rbp)
            return;
        rbp = frame[0];
    }
}

static void print_registers(const struct trap_frame *f)
{
    const struct {
        const char *name;
        uint64_t value;
    } registers[] = {
        { "rax", f->rax },     { "rbx", f->rbx },     { "rcx", f->rcx },     { "rdx", f->rdx },
        { "rsi", f->rsi },     { "rdi", f->rdi },     { "rbp", f->rbp },     { "rsp", f->rsp },
        { "r8 ", f->r8 },      { "r9 ", f->r9 },      { "r10", f->r10 },     { "r11", f->r11 },
        { "r12", f->r12 },     { "r13", f->r13 },     { "r14", f->r14 },     { "r15", f->r15 },
        { "rip", f->rip },     { "flg", f->rflags },  { "cs ", f->cs },      { "ss ", f->ss },
        { "cr0", read_cr0() }, { "cr2", read_cr2() }, { "cr3", read_cr3() }, { "cr4", read_cr4() },
    };
    for (size_t i = 0; i < ARRAY_SIZE(registers); i += 4)
        info("  %s %016llx  %s %016llx  %s %016llx  %s %016llx", registers[i].name,
             (unsigned long long)registers[i].value, registers[i + 1].name,
             (unsigned long long)registers[i + 1].value, registers[i + 2].name,
             (unsigned long long)registers[i + 2].value, registers[i + 3].name,
             (unsigned long long)registers[i + 3].value);
}

// The first CPU that panics goes on; others, and a panic within a panic, stop here.
static void begin_panic(void)
{
    interrupts_off();
    unsigned none = 0, me = this_cpu()->index + 1;
    if (!__atomic_compare_exchange_n(&panicking, &none, me, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        if (none == me)
            exit_run(false);
        halt_forever();
    }
    report_take_over();
    cpu_stop_others();
}

static const char *page_fault_hint(uint64_t address, uint64_t error)
{
    if (paging_is_stack_guard(address))
        return ": a stack ran over into its guard page";
    if (error & PAGE_FAULT_FETCH)
        return ": executing memory that isn't code";
    return error & BIT64(1) ? ": writing" : ": reading";
}

// What the machine says about it (SDM vol. 3, 17.3).
static void print_machine_check(void)
{
    uint64_t banks = field_get(MCG_CAP_COUNT, rdmsr(MSR_MCG_CAP));
    info("  MCG_STATUS %016llx", (unsigned long long)rdmsr(MSR_MCG_STATUS));
    for (uint32_t i = 0; i < banks; i++) {
        uint64_t status = rdmsr(MSR_MC_STATUS(i));
        if (status & MC_STATUS_VALID)
            info("  bank %u: STATUS %016llx ADDR %016llx MISC %016llx", i,
                 (unsigned long long)status,
                 (unsigned long long)(status & MC_STATUS_ADDRV ? rdmsr(MSR_MC_ADDR(i)) : 0),
                 (unsigned long long)(status & MC_STATUS_MISCV ? rdmsr(MSR_MC_MISC(i)) : 0));
    }
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

noreturn void trap_handle(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_NMI && cpu_is_stopping())
        halt_forever();
    begin_panic();
    print_exception(frame);
    if (frame->vector == VECTOR_MACHINE_CHECK)
        print_machine_check();
    print_registers(frame);
    print_backtrace(frame);
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
