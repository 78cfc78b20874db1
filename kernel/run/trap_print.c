// SPDX-License-Identifier: BSD-2-Clause
// Where a CPU was, in lines for people.

#include "kernel/run/trap_print.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/base/symbols.h"
#include "kernel/cpu/stop.h"
#include "kernel/mem/paging.h"
#include "kernel/run/trap.h"
#include "kernel/x86/vectors.h"

#define BACKTRACE_MOST 32
#define PAGE_FAULT_FETCH BIT64(4) // error code, I/D: SDM vol. 3, 5.7

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
void trap_print_backtrace(const struct trap_frame *f)
{
    uint64_t rbp = f->rbp;
    if (f->cs & 3) { // its pointers may lead anywhere
        info("in ring 3, at %016llx", (unsigned long long)f->rip);
        return;
    }
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

struct named {
    const char *name;
    uint64_t value;
};

static void print_four(const struct named *r)
{
    info("  %s %016llx  %s %016llx  %s %016llx  %s %016llx", r[0].name,
         (unsigned long long)r[0].value, r[1].name, (unsigned long long)r[1].value, r[2].name,
         (unsigned long long)r[2].value, r[3].name, (unsigned long long)r[3].value);
}

void trap_print_registers(const struct trap_frame *f)
{
    const struct named registers[] = {
        { "rax", f->rax }, { "rbx", f->rbx },    { "rcx", f->rcx }, { "rdx", f->rdx },
        { "rsi", f->rsi }, { "rdi", f->rdi },    { "rbp", f->rbp }, { "rsp", f->rsp },
        { "r8 ", f->r8 },  { "r9 ", f->r9 },     { "r10", f->r10 }, { "r11", f->r11 },
        { "r12", f->r12 }, { "r13", f->r13 },    { "r14", f->r14 }, { "r15", f->r15 },
        { "rip", f->rip }, { "flg", f->rflags }, { "cs ", f->cs },  { "ss ", f->ss },
    };
    for (size_t i = 0; i < ARRAY_SIZE(registers); i += 4)
        print_four(&registers[i]);
}

void trap_print_control(void)
{
    const struct named registers[] = {
        { "cr0", read_cr0() }, { "cr2", read_cr2() }, { "cr3", read_cr3() }, { "cr4", read_cr4() }
    };
    print_four(registers);
}

void trap_print_others(void)
{
    for (unsigned i = 0; i < cpu_total(); i++) {
        const struct cpu_state *state = cpu_state_of(i);
        if (i == cpu_index() || !cpu_is_online(i))
            continue;
        if (!state) {
            info("CPU %u: doesn't answer an NMI", i);
            continue;
        }
        info("CPU %u:", i);
        trap_print_registers(state->frame);
        trap_print_backtrace(state->frame);
    }
}

static void print_log(unsigned cpu, const struct mce_log *log)
{
    info("  CPU %u: MCG_STATUS %016llx%s", cpu, (unsigned long long)log->mcg_status,
         log->count ? "" : ", no bank has logged anything");
    for (unsigned i = 0; i < log->count; i++)
        info("  CPU %u, bank %u: STATUS %016llx ADDR %016llx MISC %016llx", cpu, log->banks[i].bank,
             (unsigned long long)log->banks[i].status, (unsigned long long)log->banks[i].addr,
             (unsigned long long)log->banks[i].misc);
}

void trap_print_machine_checks(void)
{
    struct mce_log mine;
    mce_read(&mine);
    print_log(cpu_index(), &mine);
    for (unsigned i = 0; i < cpu_total(); i++)
        if (i != cpu_index() && cpu_state_of(i))
            print_log(i, &cpu_state_of(i)->mce);
}
